import type { Rng } from '../common/random.ts';

/**
 * Random changes to raw images before they are normalized. Each function changes one image, or one batch, in place; a
 * scratch array of the same size is passed in so that nothing is allocated inside the epoch loop.
 */

/** Raw values of a tensor. */
export type Values = Float32Array | Int32Array;

/** [C, H, W] of one image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

/**
 * Moves the image by (`dx`, `dy`) pixels, right and down, and fills what comes free with `fill`: the crop at
 * (padding - dx, padding - dy) out of the image padded on each side.
 */
export function shift(
  image: Values,
  scratch: Values,
  [channels, height, width]: ImageShape,
  dx: number,
  dy: number,
  fill: number,
): void {
  if (dx === 0 && dy === 0) return;
  scratch.set(image);
  image.fill(fill);
  const [left, right] = [Math.max(0, dx), Math.min(width, width + dx)];
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, dy); y < Math.min(height, height + dy); y++) {
      const to = (c * height + y) * width;
      const from = to - dy * width - dx;
      // Rows are short: views of them would take longer than their numbers.
      for (let x = left; x < right; x++) image[to + x] = scratch[from + x] ?? fill;
    }
  }
}

/** How far a random crop after padding by `padding` pixels moves an image: uniform in ±padding, right and down. */
export function randomShift(padding: number, random: Rng): readonly [dx: number, dy: number] {
  const dx = random.int(2 * padding + 1) - padding;
  const dy = random.int(2 * padding + 1) - padding;
  return [dx, dy];
}

/** Mirrors the image left to right. */
export function mirror(image: Values, [channels, height, width]: ImageShape): void {
  for (let row = 0; row < channels * height; row++) {
    for (let left = row * width, right = left + width - 1; left < right; left++, right--) {
      const value = image[left] ?? Number.NaN;
      image[left] = image[right] ?? Number.NaN;
      image[right] = value;
    }
  }
}

/**
 * Cutout (DeVries & Taylor 2017): blanks the square of `side` pixels around a center that is uniform over the image, so
 * part of the square may lie outside. As in their code the blank is the mean of each channel (0 once normalized).
 */
export function cutout(
  image: Values,
  [channels, height, width]: ImageShape,
  side: number,
  mean: readonly number[],
  random: Rng,
): void {
  const top = random.int(height) - Math.floor(side / 2);
  const left = random.int(width) - Math.floor(side / 2);
  for (let c = 0; c < channels; c++) {
    for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
      const row = (c * height + y) * width;
      image.fill(mean[c] ?? Number.NaN, row + Math.max(0, left), row + Math.max(0, Math.min(width, left + side)));
    }
  }
}

/**
 * Blends row i of `values` [N, size] with row `partners[i]` of what it was before: λ · own + (1 − λ) · partner. Used
 * with the same λ and partners on inputs and on targets, it is mixup (Zhang et al. 2018).
 */
export function blendRows(
  values: Float32Array,
  scratch: Float32Array,
  size: number,
  lambda: number,
  partners: readonly number[],
): void {
  scratch.set(values);
  partners.forEach((partner, i) => {
    for (let k = 0; k < size; k++) {
      values[i * size + k] =
        lambda * (scratch[i * size + k] ?? Number.NaN) + (1 - lambda) * (scratch[partner * size + k] ?? Number.NaN);
    }
  });
}

/** One draw from Beta(α, α), α > 0: the λ of mixup. Two gamma draws by Marsaglia & Tsang (2000). */
export function symmetricBeta(alpha: number, random: Rng): number {
  const [a, b] = [logGammaDraw(alpha, random), logGammaDraw(alpha, random)];
  return 1 / (1 + Math.exp(b - a)); // in logarithms: for a small α both draws underflow
}

/** The logarithm of a draw from Gamma(shape, 1). */
function logGammaDraw(shape: number, random: Rng): number {
  // Gamma(a) = Gamma(a + 1) · U^(1/a): the rejection below needs a shape of 1 or more.
  if (shape < 1) return logGammaDraw(shape + 1, random) + Math.log(1 - random.float()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.float()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
