import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatasetInfo } from '../data/dataset.ts';
import { recipeFor } from './recipe.ts';
import { checkSettings, DEFAULT_SETTINGS } from './settings.ts';

const data = (
  input: readonly number[],
  {
    train = 5000,
    labels = ['cat', 'dog'],
    kind = 'classification',
  }: { train?: number; labels?: string[]; kind?: string } = {},
): DatasetInfo => ({
  ...{ name: 'mine', kind, input, outputs: labels.length, labels },
  ...{ mean: [0], deviation: [1], counts: { train, valid: 100, test: 100 }, notes: [] },
});

test('what a recipe says fits the data, for every kind of data and number of epochs', () => {
  for (const input of [[7], [3, 100], [1, 8, 8], [1, 28, 28], [3, 16, 16], [3, 32, 32], [3, 64, 48]])
    for (const kind of ['classification', 'regression'])
      for (const train of [20, 3000, 60_000])
        for (const epochs of [1, 13]) {
          const info = data(input, { train, kind, labels: ['a b', 'c d'] });
          const { settings, reasons } = recipeFor(info, epochs);
          const all = { ...DEFAULT_SETTINGS, epochs, ...settings };
          assert.deepEqual(checkSettings(all, 'recipe', info), all);
          assert.ok(settings.warmupEpochs !== undefined && settings.warmupEpochs > 0 && settings.warmupEpochs < epochs);
          assert.ok(reasons.length >= 3);
        }
});

test('classes of a table have more weight decay than numbers and sequences', () => {
  const decay = (input: readonly number[], kind: string) => recipeFor(data(input, { kind }), 5).settings.weightDecay;
  assert.equal(decay([20], 'classification'), 0.3);
  assert.equal(decay([20], 'regression'), 0.01);
  assert.equal(decay([3, 100], 'classification'), 0.01);
});

test('weights are averaged for tables, not for images and sequences', () => {
  const average = (input: readonly number[], kind: string) =>
    recipeFor(data(input, { kind }), 5).settings.weightAverage;
  assert.deepEqual(
    ['classification', 'regression'].map((kind) => average([20], kind)),
    [0.99, 0.99],
  );
  assert.deepEqual([average([3, 32, 32], 'classification'), average([3, 100], 'regression')], [undefined, undefined]);
});

test('batches are larger where there are more samples', () => {
  const sizes = (input: readonly number[]) =>
    [100, 5000, 60_000].map((train) => recipeFor(data(input, { train }), 5).settings.batchSize);
  assert.deepEqual(sizes([3, 32, 32]), [32, 64, 128]);
  assert.deepEqual(sizes([20]), [32, 128, 256]);
});

test('only photographs in color are moved and mirrored, and only where a mirror image is of the same class', () => {
  const changes = (input: readonly number[], labels?: string[]) => {
    const { settings, reasons } = recipeFor(data(input, { ...(labels && { labels }) }), 5);
    return [settings.cropPadding, settings.flip, reasons.join('; ')];
  };
  const [crop, flip, why] = changes([3, 32, 32]);
  assert.deepEqual([crop, flip], [2, true]);
  assert.match(String(why), /color photographs: random crops by up to 2 pixels, and flips/);
  assert.deepEqual(changes([3, 64, 64]).slice(0, 2), [4, true]);
  assert.deepEqual(changes([1, 28, 28]).slice(0, 2), [0, false]);
  assert.deepEqual(changes([3, 16, 16]).slice(0, 2), [0, false]);
  for (const labels of [
    ['0', '1'],
    ['A', 'B'],
    ['10', '42'],
    ['turn left', 'stop'],
    ['right_arrow', 'other'],
  ]) {
    const [crop, flip, why] = changes([3, 32, 32], labels);
    assert.deepEqual([crop, flip], [2, false], labels.join());
    assert.match(String(why), /no flips, because class/);
  }
  const { settings } = recipeFor(data([3, 32, 32], { kind: 'regression', labels: ['steering angle'] }), 5);
  assert.deepEqual([settings.cropPadding, settings.flip], [0, false]);
  assert.equal(recipeFor(data([9]), 5).settings.flip, undefined);
});
