import type { Task } from '../../space.ts';
import {
  activation,
  batchNorm,
  choice,
  dropout,
  flatten,
  int,
  linear,
  pick,
  piecewiseLinear,
  repeat,
  residual,
  scoped,
  sequential,
} from '../../tree/builders.ts';
import { defineSpace } from '../../tree/define.ts';
import type { Module } from '../../tree/module.ts';
import { trainingOf, withTraining } from '../training.ts';
import { BINS, designedBins, numbersOf } from './encoding.ts';

function entranceOf(task: Task): readonly Module[] {
  if (task.input.length > 1) return [flatten()];
  return numbersOf(task) === 0 ? [] : [piecewiseLinear(pick('bins', BINS))];
}

/**
 * Networks for tables, classification and regression, the default space for them (images are flattened). `plain`: 0 to 4
 * layers, each with its own width; 0 layers are a linear model. `residual`: the ResNet of Gorishniy et al. 2021 ("Revisiting
 * deep learning models for tabular data"), a linear layer and 1 to 4 blocks x + W2 dropout(act(W1 batchNorm(x))), then batch
 * norm and activation. Batch norm everywhere, one activation and one dropout rate for all. Categories arrive one-hot, so the
 * first linear layer is the sum of an embedding of each: spaces need no layer for them. Numbers are encoded by `bins` (Gorishniy et
 * al. 2022), which a table without numbers lacks.
 * (1 + 12 · (5 + 5^2 + 5^3 + 5^4)) + 12 · 4 · 4 · 4 = 10,129 architectures, 5 times as many with `bins`; with `tune`, the training is searched as well
 * (`trainingChoices`).
 */
export const residualMlp = defineSpace(
  'residual-mlp',
  (task, { tune }) => {
    const act = activation(pick('activation', ['relu', 'silu', 'gelu']));
    const drop = dropout(pick('dropout', [0, 0.1, 0.2, 0.4]));
    const width = pick('width', [64, 128, 256, 512]);
    const layer = sequential(scoped('layer', linear(pick('width', [32, 64, 128, 256, 512]))), batchNorm(), act, drop);
    const block = sequential(batchNorm(), linear(pick('hidden', [64, 128, 256, 512])), act, drop, linear(width));
    const body = choice('body', {
      plain: repeat(int('depth', 0, 4), layer),
      residual: sequential(linear(width), repeat(int('blocks', 1, 4), residual(block)), batchNorm(), act),
    });
    const network = sequential(...entranceOf(task), body, linear('outputs'));
    return withTraining(network, task, { tune });
  },
  {
    description:
      'networks for tables: linear, multilayer perceptrons, and the ResNet for tables of Gorishniy et al. (2021)',
    defaults: { tune: false },
    handDesigned(task, { tune }) {
      const common = {
        ...(numbersOf(task) > 0 && { bins: designedBins(task) }),
        ...(tune && trainingOf(task)),
      };
      return {
        mlp: {
          body: 'plain',
          depth: 2,
          'layer/0/width': 128,
          'layer/1/width': 128,
          activation: 'relu',
          // Classes are learned by heart sooner than numbers.
          dropout: task.kind === 'classification' ? 0.4 : 0.2,
          ...common,
        },
        'resnet-mlp': {
          body: 'residual',
          width: 128,
          blocks: 2,
          hidden: 256,
          activation: 'relu',
          dropout: 0.1,
          ...common,
        },
        linear: { body: 'plain', depth: 0, ...common },
      };
    },
  },
);
