import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { openDataset } from './open.node.ts';
import { rotated } from './rotations.ts';
import { memorySource } from './samples.ts';

function dataset(input: readonly number[], values: readonly number[]): Dataset {
  const samples = memorySource({
    values: Float32Array.from(values),
    elements: input.reduce((product, side) => product * side, 1),
    targets: new Float32Array(2),
  });
  const info: DatasetInfo = {
    ...{ name: 'mine', kind: 'classification', input, outputs: 1, labels: ['image'], mean: [0], deviation: [1] },
    ...{ counts: { train: 2, valid: 2, test: 2 }, notes: [] },
  };
  return { search: { info, train: samples, valid: samples }, openTest: async () => samples };
}

test('each image is shown in four turns, whose numbers are the classes', async () => {
  const { search, openTest } = rotated(dataset([1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
  assert.deepEqual(search.info.counts, { train: 8, valid: 8, test: 8 });
  const [input, target] = [new Float32Array(5 * 4), new Float32Array(5)];
  await (await openTest()).read([0, 1, 2, 3, 5], { input, target });
  assert.deepEqual(
    [...input],
    [
      ...[1, 2, 3, 4],
      ...[2, 4, 1, 3],
      ...[4, 3, 2, 1],
      ...[3, 1, 4, 2],
      // Of the second image.
      ...[6, 8, 5, 7],
    ],
  );
  assert.deepEqual([...target], [0, 1, 2, 3, 1]);
  assert.equal(search.info.labels.length, search.info.outputs);
});

test('what is no square image is refused, with its size', async () => {
  assert.throws(() => rotated(dataset([1, 1, 2], [1, 2, 3, 4])), {
    name: 'UserError',
    message: 'data "mine": images are 2 x 1 pixels; must be square for --task rotation',
  });
  assert.throws(() => rotated(dataset([2], [1, 2, 3, 4])), /a sample is \[2\]; must be images for --task rotation/);
});

test('the digits turn', async () => {
  const digits = await openDataset({ name: 'digits', seed: 0, trainSamples: 40 });
  const { info, train } = rotated(digits).search;
  assert.equal(train.count, 160);
  assert.deepEqual(info.labels, ['upright', 'turned left', 'upside down', 'turned right']);
});
