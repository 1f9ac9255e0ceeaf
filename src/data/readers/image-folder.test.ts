import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { openDataset } from '../open.node.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';
import { decodeImage, readImage } from './image.node.ts';

type Color = readonly [number, number, number];

function picture(width: number, height: number, [r, g, b]: Color): Sharp {
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
}

/** One picture of one color for each of `sides`. */
async function writeClass(folder: string, color: Color, sides: readonly number[], format: 'png' | 'jpeg' = 'png') {
  await mkdir(folder, { recursive: true });
  for (const [k, side] of sides.entries())
    await picture(side, side + 3, color)
      .toFormat(format)
      .toFile(join(folder, `${k}.${format}`));
}
const sides = [20, 25, 30, 24, 24, 41, 26, 24];
const open = (dir: string, more: { imageSize?: number; imageChannels?: 1 | 3 } = {}) =>
  openDataset({ name: 'image-folder', dir, seed: 1, ...more });

test('a folder for each class; mixed sizes and formats; size and colors chosen from the data', async (t) => {
  const dir = await tempFolder(t);
  await writeClass(join(dir, 'red'), [200, 10, 20], sides);
  await writeClass(join(dir, 'blue', 'deeper'), [10, 20, 220], sides, 'jpeg');
  await mkdir(join(dir, '.hidden'));
  await writeFile(join(dir, 'red', 'notes.txt'), 'not an image');
  const data = await open(dir);
  const { info, train } = data.search;
  assert.deepEqual(
    [info.labels, info.input, info.range],
    [
      ['blue', 'red'],
      [3, 24, 24],
      [0, 255],
    ],
  );
  assert.deepEqual(info.counts, { train: 10, valid: 3, test: 3 });
  const { inputs, targets } = await readAll(train, 3 * 24 * 24);
  inputs.forEach((image, k) => {
    const [red, blue] = [image[300] ?? 0, image[2 * 576 + 300] ?? 0];
    assert.ok(targets[k] === 1 ? red > 190 && blue < 30 : red < 20 && blue > 210, `${targets[k]}: ${red}, ${blue}`);
  });
  assert.deepEqual((await open(dir, { imageSize: 12, imageChannels: 1 })).search.info.input, [1, 12, 12]);
  await assertRefused(open(dir, { imageSize: 0 }), 'imageSize is 0');
});

test('images that all have one small square size keep it', async (t) => {
  const dir = await tempFolder(t);
  for (const [name, color] of [
    ['a', [255, 0, 0]],
    ['b', [0, 0, 255]],
  ] as const) {
    await mkdir(join(dir, name));
    for (let k = 0; k < 3; k++)
      await picture(28, 28, color)
        .png()
        .toFile(join(dir, name, `${k}.png`));
  }
  assert.deepEqual((await open(dir)).search.info.input, [3, 28, 28]);
});

test('gray images have one channel, also when they are stored in color', async (t) => {
  const dir = await tempFolder(t);
  await writeClass(join(dir, 'a'), [9, 9, 9], sides);
  await writeClass(join(dir, 'b'), [90, 90, 90], sides);
  const { info, valid } = (await open(dir)).search;
  assert.deepEqual(info.input, [1, 24, 24]);
  const { inputs, targets } = await readAll(valid, 576);
  assert.deepEqual(
    inputs.map((image) => image[0]),
    targets.map((target) => [9, 90][target]),
  );
});

test('own train, test and val folders are the parts; their classes must be the training classes', async (t) => {
  const dir = await tempFolder(t);
  for (const [part, n] of [
    ['train', 5],
    ['test', 3],
    ['val', 2],
  ] as const) {
    await writeClass(join(dir, part, '0'), [255, 0, 0], sides.slice(0, n));
    if (part !== 'test') await writeClass(join(dir, part, '1'), [0, 255, 0], sides.slice(0, n));
  }
  const data = await open(dir);
  assert.deepEqual(data.search.info.counts, { train: 10, valid: 4, test: 3 });
  const shape = data.search.info.input.reduce((a, b) => a * b);
  assert.deepEqual((await readAll(await data.openTest(), shape)).targets, [0, 0, 0]);
  await writeClass(join(dir, 'test', '7'), [0, 0, 0], [20]);
  await assertRefused(open(dir), join(dir, 'test'), 'class folder "7"', '0, 1');
  await rm(join(dir, 'test'), { recursive: true });
  await mkdir(join(dir, 'test'));
  await assertRefused(open(dir), join(dir, 'test'), 'no images');
});

test('a class may be called "train"', async (t) => {
  const dir = await tempFolder(t);
  await writeClass(join(dir, 'train'), [255, 0, 0], [20, 20, 20]);
  await writeClass(join(dir, 'bus'), [0, 0, 255], [20, 20, 20]);
  assert.deepEqual((await open(dir)).search.info.labels, ['bus', 'train']);
});

test('images are turned upright, transparency is black, 16 bits and gray become 8 bits and color', async (t) => {
  const dir = await tempFolder(t);
  const file = join(dir, 'image.png');
  // Left half white, right half black; orientation 6 turns it by 90 degrees: top white, bottom black.
  const half = await picture(8, 16, [255, 255, 255]).png().toBuffer();
  await picture(16, 16, [0, 0, 0])
    .composite([{ input: half, left: 0, top: 0 }])
    .withMetadata({ orientation: 6 })
    .png()
    .toFile(file);
  const upright = await decodeImage(file, [1, 2, 2]);
  assert.deepEqual(
    [...upright].map((v) => (v > 200 ? 1 : v < 55 ? 0 : -1)),
    [1, 1, 0, 0],
  );

  await sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 255, g: 255, b: 255, alpha: 0 } } })
    .png()
    .toFile(file);
  assert.deepEqual([...(await decodeImage(file, [3, 1, 1]))], [0, 0, 0]);

  await picture(4, 4, [128, 128, 128]).toColourspace('grey16').png().toFile(file);
  const gray = [...(await decodeImage(file, [3, 2, 2]))];
  assert.ok(gray.length === 12 && gray.every((v) => Math.abs(v - 128) <= 1), String(gray));
});

test('readImage gives an image in the raw units of a dataset', async (t) => {
  const file = join(await tempFolder(t), 'white.png');
  await picture(30, 20, [255, 255, 255]).png().toFile(file);
  assert.deepEqual([...(await readImage(file, { input: [1, 8, 8], range: [0, 16] }))], Array<number>(64).fill(16));
  await assertRefused(readImage(file, { input: [64] }), '[64]');
});

test('what is no image is named', async (t) => {
  const dir = await tempFolder(t);
  await assertRefused(open(dir), dir, '0 class folders', 'at least 2');
  await writeClass(join(dir, 'a'), [255, 0, 0], [20, 20, 20]);
  await writeClass(join(dir, 'b'), [0, 255, 0], [20, 20]);
  await assertRefused(open(dir), 'class "b" has 2 samples', 'at least 3');
  const bad = join(dir, 'b', 'bad.png');
  await writeFile(bad, '');
  await assertRefused(open(dir), bad, 'byte offset 0', 'empty');
  await writeFile(bad, '<html>');
  await assertRefused(open(dir), bad, '3c68746d');
  const noise = Buffer.from(Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
  const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toBuffer();
  await writeFile(bad, whole.subarray(0, whole.length / 2));
  await assertRefused(decodeImage(bad, [3, 8, 8]), bad, 'cannot be decoded');
  await assertRefused(decodeImage(join(dir, 'gone.png'), [3, 8, 8]), 'gone.png');
});
