import {
  activation,
  batchNorm,
  choice,
  dropout,
  flatten,
  identity,
  int,
  layerNorm,
  linear,
  pick,
  repeat,
  scoped,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { withTraining } from '../training.ts';

/**
 * Multilayer perceptrons for tables, classification and regression (images are flattened): 1 to 4 hidden layers, each
 * with its own width, and one normalization, activation and dropout rate for all. Our own, after the search spaces
 * of tabular NAS (Zimmer et al. 2021, Auto-PyTorch Tabular; Gorishniy et al. 2021, the MLP baseline).
 * (5 + 5^2 + 5^3 + 5^4) · 3 · 4 · 3 = 28,080 architectures; with `tune`, the training is searched as
 * well (`trainingChoices`).
 */
export const mlp = defineSpace(
  'mlp',
  (task, { tune }) => {
    const hidden = sequential(
      scoped('layer', linear(pick('width', [16, 32, 64, 128, 256]))),
      // The spelling is part of stored architectures and seeds.
      choice('normalisation', { none: identity(), batch: batchNorm(), layer: layerNorm() }),
      activation(pick('activation', ['relu', 'tanh', 'silu', 'gelu'])),
      dropout(pick('dropout', [0, 0.1, 0.3])),
    );
    const layers: Module[] = [repeat(int('depth', 1, 4), hidden), linear('outputs')];
    const network = sequential(...(task.input.length === 3 ? [flatten()] : []), ...layers);
    return withTraining(network, task, { tune });
  },
  {
    description:
      'multilayer perceptrons for tables: depth, widths, normalization, activation, dropout; 28,080 architectures',
    defaults: { tune: false },
  },
);
