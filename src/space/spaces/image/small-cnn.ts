import {
  activation,
  batchNorm,
  choice,
  conv,
  globalAvgPool,
  identity,
  int,
  layerNorm,
  linear,
  maxPool,
  pick,
  repeat,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { withTraining } from '../training.ts';
import { imageOf, reductions } from './images.ts';

const STAGES = 3;
/** Channels while a large image is halved. */
const STEM_WIDTH = 16;

/**
 * Chains of convolutions for images: 3 stages, each with 1 or 2 convolutions of one kernel and one width, max pooling
 * between the stages, and one normalization and one activation for all. Small images (8x8) are halved less often; large
 * ones are halved by strided convolutions first. Our own, a plain chain as in Elsken et al. 2019 (survey, figure 2).
 * (2 · 2 · 5)^3 · 3 · 3 = 72,000 architectures; with `tune`, the training is searched as well (`trainingChoices`).
 */
export const smallCnn = defineSpace(
  'small-cnn',
  (task, { tune }) => {
    const { stem, stages } = reductions(imageOf(task), STAGES);
    const finish: readonly Module[] = [
      // The spelling is part of stored architectures and seeds.
      choice('normalisation', { batch: batchNorm(), layer: layerNorm(), none: identity() }),
      activation(pick('activation', ['relu', 'silu', 'gelu'])),
    ];
    // With a bias, which a convolution needs where no normalization follows.
    const halve = sequential(conv(STEM_WIDTH, 3, { stride: 2, bias: true }), ...finish);
    const children: Module[] = stem > 0 ? [repeat(stem, halve)] : [];
    for (const [i, stride] of stages.entries()) {
      const number = i + 1;
      if (stride === 2) children.push(maxPool(2, { stride: 2 }));
      const width = pick(`width${number}`, [8, 16, 24, 32, 48]);
      const kernel = pick(`kernel${number}`, [3, 5]);
      const layer = sequential(conv(width, kernel, { bias: true }), ...finish);
      children.push(repeat(int(`depth${number}`, 1, 2), layer));
    }
    const network = sequential(...children, globalAvgPool(), linear('outputs'));
    return withTraining(network, task, { tune });
  },
  {
    description: 'small chains of convolutions: kernel, width and depth of 3 stages, normalization, activation',
    defaults: { tune: false },
  },
);
