import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Dataset, DatasetInfo } from './dataset.ts';
import { openDataset } from './open.node.ts';
import { rotated } from './rotations.ts';
import { memorySource } from './samples.ts';
import { bmp } from './testing/bmp.ts';

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

test('an image that is not square is refused, with its size', async () => {
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

test('images without labels are found in any folder; folders that are named like parts are the parts', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'netsmith-rotations-'));
  try {
    const image = (color: number) => bmp(8, 8, new Array(64).fill(color), { bits: 24 });
    for (const [i, path] of ['train/a/1.bmp', 'train/2.bmp', 'train/b/c/3.bmp', 'test/4.bmp'].entries()) {
      mkdirSync(dirname(join(dir, path)), { recursive: true });
      writeFileSync(join(dir, path), image(0x203040 * (i + 1)));
    }
    const open = () => openDataset({ name: 'image-folder', dir, seed: 0, unlabeled: true });
    const { info } = (await open()).search;
    assert.deepEqual(info.counts, { train: 2, valid: 1, test: 1 });
    writeFileSync(join(dir, '5.bmp'), image(0xffffff));
    assert.match(
      (await open()).search.info.notes.join(' '),
      /^5 images, without labels\. .*No test set found: holding out 1 sample \(20 %\), seed 0\./,
    );
    rmSync(join(dir, '5.bmp'));
    rmSync(join(dir, 'test', '4.bmp'));
    await assert.rejects(open, /test": no images found; the folder must contain images/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
