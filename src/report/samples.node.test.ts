import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { sizeOf } from '../graph/ir.ts';
import { sampleTest } from './samples.node.ts';
import { imageInfo } from './testing/trained.ts';

/** Samples whose element `i` of sample `n` is `value(n, i)`. */
function samplesOf(info: DatasetInfo, count: number, value: (n: number, i: number) => number): Samples {
  const size = sizeOf(info.input);
  return {
    count,
    async read(indices, { input }) {
      for (const [at, n] of indices.entries())
        for (let i = 0; i < size; i++) if (input) input[at * size + i] = value(n, i);
    },
  };
}

/** Sample n is of class n % 4 and taken for class 0. */
function outputsFor(count: number) {
  const outputs = Float32Array.from({ length: 4 * count }, (_, i) => (i % 4 === 0 ? 5 : 0));
  return { outputs: { outputs }, truths: { target: Float32Array.from({ length: count }, (_, n) => n % 4) } };
}

const decoded = async (uri = '') => {
  const { data, info } = await sharp(Buffer.from(uri.split(',')[1] ?? '', 'base64'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { ...info, pixels: [...data] };
};

test('a small image is kept pixel by pixel, in gray and in color, whatever its range', async () => {
  for (const [input, range] of [
    [
      [1, 2, 3],
      [0, 16],
    ],
    [
      [3, 2, 3],
      [0, 255],
    ],
  ] as const) {
    const info = imageInfo(input, { range });
    const size = sizeOf(input);
    const { shown, of } = await sampleTest(
      samplesOf(info, 8, (_, i) => (range[1] * i) / (size - 1)),
      info,
      outputsFor(8),
    );
    assert.equal(of, 8);
    assert.equal(shown.length, 7, 'six mistakes and a right one of the only class that has any');
    const image = await decoded(shown[0]?.image);
    assert.match(shown[0]?.image ?? '', /^data:image\/png;base64,/);
    assert.deepEqual([image.width, image.height], [3, 2]);
    const planes = Array.from({ length: size }, (_, i) => Math.round((255 * i) / (size - 1)));
    const expected = [0, 1, 2, 3, 4, 5].flatMap((at) => Array.from({ length: input[0] }, (_, c) => planes[c * 6 + at]));
    const channels = image.channels / input[0];
    assert.deepEqual(
      image.pixels.filter((_, i) => channels === 1 || i % image.channels === 0),
      expected,
    );
  }
});

test('large images are made smaller: twelve of them take some tens of kilobytes', async () => {
  const info = imageInfo([3, 200, 300]);
  const noise = (n: number, i: number) => (n * 31 + i * 7919 + ((i * i) % 251)) % 256;
  const found = await sampleTest(samplesOf(info, 40, noise), info, outputsFor(40));
  const image = await decoded(found.shown[0]?.image);
  assert.deepEqual([image.width, image.height], [96, 64]);
  assert.ok(JSON.stringify(found).length < 150_000, `${JSON.stringify(found).length}`);
});

test('rows of a table are shown by their columns; features without an encoding are not shown', async () => {
  const encoding = {
    label: 'y',
    columns: [
      { name: 'a', kind: 'number', missing: 0 },
      { name: 'b', kind: 'number', missing: 0 },
    ],
  } as const;
  const { range: _, ...plain } = imageInfo([2]);
  const samples = samplesOf(plain, 4, (n, i) => 10 * n + i);
  const found = await sampleTest(samples, { ...plain, encoding }, outputsFor(4));
  assert.deepEqual(found.columns, ['a', 'b']);
  assert.deepEqual(found.shown[0], {
    truth: 1,
    predicted: 0,
    confidence: found.shown[0] && 'confidence' in found.shown[0] ? found.shown[0].confidence : 0,
    cells: ['10', '11'],
  });
  const without = await sampleTest(samples, plain, outputsFor(4));
  assert.equal(without.columns, undefined);
  assert.equal(without.shown[0]?.cells, undefined);
});
