import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rng } from '../common/random.ts';
import { blendRows, cutout, type ImageShape, mirror, randomShift, shift, symmetricBeta } from './augment.ts';

const shape: ImageShape = [2, 3, 4];
const image = () => Float32Array.from({ length: 24 }, (_, i) => i + 1);

test('shift moves every channel and fills what comes free', () => {
  const moved = image();
  shift(moved, new Float32Array(24), shape, 1, -1, 0);
  assert.deepEqual([...moved.subarray(0, 12)], [0, 5, 6, 7, 0, 9, 10, 11, 0, 0, 0, 0]);
  assert.deepEqual([...moved.subarray(12)], [0, 17, 18, 19, 0, 21, 22, 23, 0, 0, 0, 0]);
});

test('a shift by more than the image leaves only the filling', () => {
  const moved = image();
  shift(moved, new Float32Array(24), shape, 4, 0, -1);
  assert.ok(moved.every((value) => value === -1));
});

test('a random crop is one of the shifts, and each of them comes up', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 200; i++) {
    const cropped = image();
    const [dx, dy] = randomShift(1, rng(i));
    shift(cropped, new Float32Array(24), shape, dx, dy, 0);
    seen.add(cropped.join());
  }
  const all = [-1, 0, 1].flatMap((dx) =>
    [-1, 0, 1].map((dy) => {
      const moved = image();
      shift(moved, new Float32Array(24), shape, dx, dy, 0);
      return moved.join();
    }),
  );
  assert.deepEqual([...seen].sort(), all.sort());
});

test('mirror reverses rows and undoes itself', () => {
  const flipped = image();
  mirror(flipped, shape);
  assert.deepEqual([...flipped.subarray(0, 8)], [4, 3, 2, 1, 8, 7, 6, 5]);
  mirror(flipped, shape);
  assert.deepEqual(flipped, image());
});

test('cutout blanks a square of at most the given side with the mean of each channel', () => {
  const large: ImageShape = [2, 8, 8];
  const areas = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const cut = new Float32Array(128).fill(1);
    cutout(cut, large, 4, [-5, -6], rng(i));
    const blank = cut.subarray(0, 64).filter((value) => value === -5).length;
    assert.equal(cut.subarray(64).filter((value) => value === -6).length, blank);
    assert.ok(cut.every((value, at) => value === 1 || value === (at < 64 ? -5 : -6)));
    areas.add(blank);
  }
  assert.equal(Math.max(...areas), 16);
  assert.equal(Math.min(...areas), 4); // center in a corner: a quarter of the square is inside
});

test('blending mixes each row with its partner as it was before', () => {
  const values = Float32Array.of(1, 2, 3, 4);
  blendRows(values, new Float32Array(4), 2, 0.75, [1, 0]);
  assert.deepEqual([...values], [1.5, 2.5, 2.5, 3.5]);
});

test('the draws for mixup have the mean and variance of Beta(α, α)', () => {
  for (const alpha of [0.2, 1, 4]) {
    const random = rng('beta', alpha);
    const draws = Array.from({ length: 20_000 }, () => symmetricBeta(alpha, random));
    const mean = draws.reduce((sum, x) => sum + x, 0) / draws.length;
    const variance = draws.reduce((sum, x) => sum + (x - mean) ** 2, 0) / draws.length;
    assert.ok(draws.every((x) => x >= 0 && x <= 1));
    assert.ok(Math.abs(mean - 0.5) < 0.02, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.01, `variance ${variance}`);
  }
});
