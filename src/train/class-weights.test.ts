import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { createGraph, finish } from '../graph/builder.ts';
import { gradients } from '../graph/differentiate.ts';
import { interpret } from '../graph/interpret.ts';
import * as ops from '../graph/ops.ts';
import { taskOf } from '../task/index.ts';
import { trainingBatches } from './batches.ts';
import { balancedWeights, classWeightsFor } from './class-weights.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from './settings.ts';

const info: DatasetInfo = {
  name: 'uneven',
  kind: 'classification',
  input: [1],
  outputs: 3,
  labels: ['a', 'b', 'c'],
  mean: [0],
  deviation: [1],
  counts: { train: 10, valid: 0, test: 0 },
  notes: [],
};
const LABELS = [0, 1, 0, 0, 2, 1, 0, 0, 1, 0];
const WEIGHTS = [10 / 18, 10 / 9, 10 / 3];

/** Its one feature is the number of the sample. */
const samples: Samples = {
  count: LABELS.length,
  async read(indices, { input, target }) {
    for (const [at, index] of indices.entries()) {
      if (input) input[at] = index;
      if (target) target[at] = LABELS[index] ?? Number.NaN;
    }
  },
};

async function batchOf(change: Partial<TrainSettings>, share = 1) {
  const batches = trainingBatches(samples, info, { ...DEFAULT_SETTINGS, batchSize: 10, ...change }, share);
  const { input, targets } = await batches.epoch(0, (...labels) => rng('weights', ...labels)).prepare();
  assert.ok(input && targets);
  return { numbers: [...input.data], targets: Float32Array.from(targets.data) };
}

test('balanced weights are n / (K n_k), over the classes that occur', async () => {
  const all = [...LABELS.keys()];
  assert.deepEqual([...(await balancedWeights(samples, all, 'target', 3))], WEIGHTS);
  assert.deepEqual([...(await balancedWeights(samples, [0, 1, 2, 3], 'target', 3))], [4 / 6, 2, 0]);
});

test('with class weights the loss is the weighted mean cross-entropy, and so are its gradients', async () => {
  const { numbers, targets } = await batchOf({ classWeights: 'balanced' });
  const random = rng('logits');
  const logits = Float32Array.from({ length: 30 }, () => 4 * random.float() - 2);
  const lossByHand = (of: ArrayLike<number>) =>
    numbers.reduce((sum, number, i) => {
      const label = LABELS[number] ?? 0;
      const row = [0, 1, 2].map((k) => of[3 * i + k] ?? Number.NaN);
      const total = row.reduce((all, value) => all + Math.exp(value), 0);
      return sum + ((WEIGHTS[label] ?? Number.NaN) * (Math.log(total) - (row[label] ?? Number.NaN))) / 10;
    }, 0);
  const g = createGraph();
  const outputs = ops.input(g, 'logits', [10, 3]);
  const encoded = ops.input(g, 'encoded', [10, 3]);
  const loss = taskOf(info).loss(g, { probabilities: outputs }, { targets: encoded }, info);
  const [gradient] = gradients(g, loss, [outputs]);
  assert.ok(gradient !== undefined);
  const found = interpret(finish(g, { loss, gradient }), {
    logits: { shape: [10, 3], data: logits },
    encoded: { shape: [10, 3], data: targets },
  });
  assert.ok(Math.abs((found.loss?.data[0] ?? Number.NaN) - lossByHand(logits)) < 1e-5);
  const h = 1e-4;
  for (let at = 0; at < logits.length; at++) {
    const moved = (by: number) => lossByHand(Float64Array.from(logits, (value, i) => (i === at ? value + by : value)));
    const difference = (moved(h) - moved(-h)) / (2 * h);
    assert.ok(Math.abs((found.gradient?.data[at] ?? Number.NaN) - difference) < 1e-5, `logit ${at}`);
  }
});

test('weights multiply smoothed targets, are those of the samples that are used, and none change nothing', async () => {
  const plain = await batchOf({ labelSmoothing: 0.3, classWeights: 'none' });
  assert.deepEqual(await batchOf({ labelSmoothing: 0.3, classWeights: 'auto' }), plain);
  const weighed = await batchOf({ labelSmoothing: 0.3, classWeights: 'balanced' });
  for (const [i, number] of plain.numbers.entries())
    for (const k of [0, 1, 2]) {
      const expected = (plain.targets[3 * i + k] ?? 0) * (WEIGHTS[LABELS[number] ?? 0] ?? 0);
      assert.ok(Math.abs((weighed.targets[3 * i + k] ?? 0) - expected) < 1e-6);
    }
  const half = await batchOf({ classWeights: 'balanced' }, 0.5);
  const sum = half.targets.reduce((all, value) => all + value, 0);
  assert.equal(half.numbers.length, 5);
  assert.ok(Math.abs(sum - 5) < 1e-5, 'their mean is 1');
});

test('auto stands for balanced where the first objective is recall, the mean over classes', () => {
  assert.deepEqual(['accuracy', 'loss', 'recall', 'f1'].map(classWeightsFor), ['none', 'none', 'balanced', 'none']);
});
