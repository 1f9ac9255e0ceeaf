import { defineSpace } from '../../tree/define.ts';
import { withTraining } from '../training.ts';
import { fewestLayers, groundOf } from './ground.ts';
import { designedMembers } from './members.ts';
import { closedNetwork, openNetwork } from './network.ts';
import { macroText } from './notation.ts';
import { membershipOf } from './plan.ts';
import { macroSize } from './size.ts';

/**
 * A macro (global) space: the whole network is one graph of up to `layers` layers of several kinds, wired freely. As in NAS with
 * reinforcement learning (Zoph & Le 2017, arXiv:1611.01578, section 3.3) each layer reads any layers before it, and the last classifier
 * reads all outputs that no layer reads; as in NASBOT (Kandasamy et al. 2018, arXiv:1802.07191) and Auto-Keras (Jin et al. 2019,
 * arXiv:1806.10282) layers are of different kinds, and what meets is added or concatenated. `enas-macro` is a special case: chains of
 * convolutions and poolings whose skips are concatenated.
 *
 * Decisions: the number of layers; of each layer its kind, its width (half, once or twice `channels`, doubled at each halving), which
 * earlier layers it reads and whether it adds or concatenates them; where the input is halved (`halvingN`); activation, pooling, a
 * hidden layer before the classifier, dropout. Images and sequences have convolutions, poolings, dense layers at each position, recurrent
 * layers and attention. A recurrent layer reads each row of an image as a sequence; attention reads all pixels where there are at most
 * 256, otherwise each row. Layers of a table are dense.
 *
 * What a layer reads from before a halving is pooled; what it adds is brought to its width by 1x1 convolutions; each layer has batch norm.
 * Values without effect are settled (`membershipOf`), so networks that are alike are mostly one architecture. 1.2e26 architectures for images
 * that are halved twice.
 *
 * Differs from Zoph & Le: strides are shared by all layers at one depth, and a layer that reads nothing reads the one before it, not the image.
 */
export const macro = defineSpace(
  'macro',
  (task, options) => {
    const network = openNetwork(task, groundOf(task), options);
    return withTraining(network, task, options);
  },
  {
    description:
      'whole networks as graphs of convolutional, dense, recurrent and attention layers with any skip connections, added or ' +
      'concatenated; for images, sequences and tables (Zoph & Le 2017); 1.2e26 architectures',
    defaults: {
      layers: { default: 8, whole: true, min: 3, max: 16 },
      channels: { default: 16, whole: true, min: 8, max: 1024 },
      tune: false,
    },
    text: (task, { layers }) => {
      const ground = groundOf(task);
      return macroText(ground, layers > fewestLayers(ground));
    },
    membership: (task, options) => {
      const ground = groundOf(task);
      return {
        ...membershipOf(ground),
        size: (space) => macroSize(space, ground),
        network: (architecture) => closedNetwork(architecture, task, ground, options),
      };
    },
    handDesigned: (task, options) => designedMembers(task, groundOf(task), options),
  },
);
