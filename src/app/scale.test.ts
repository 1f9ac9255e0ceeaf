import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linear, relu, sequential } from '../space/index.ts';
import { TrainingFailure } from '../train/failure.ts';
import { searchGrid } from './scale.ts';
import type { Setup } from './setup.ts';

const task = { kind: 'classification', input: [13], outputs: 3 } as const;
const objective = { metric: 'accuracy', direction: 'maximize', unit: '%' } as const;
// Only the name of its space is read.
const setup = { space: { name: 'mine' } } as Setup;

test('a point of the grid whose training fails is the worst, and the best by the objective comes first', async () => {
  const network = sequential(linear(32), relu(), linear(32), relu(), linear('outputs'));
  const grid = await searchGrid(setup, network, task, objective, async (_, { alpha }) => {
    if (alpha === 1) throw new TrainingFailure('diverged');
    const epoch = { epoch: 1, loss: 1, valid: { accuracy: alpha === 1.4 ? 0.9 : 0.5 }, seconds: 1 };
    return { epochs: [epoch], test: undefined };
  });
  assert.deepEqual([grid.at(0)?.alpha, grid.at(-1)?.alpha, grid.length], [1.4, 1, 5]);
  assert.deepEqual(grid.at(-1)?.metrics, {});
});

test('an error that is none of training ends the grid', async () => {
  const network = sequential(linear(32), relu(), linear('outputs'));
  const broken = searchGrid(setup, network, task, objective, () => Promise.reject(new RangeError('broken')));
  await assert.rejects(broken, RangeError);
});
