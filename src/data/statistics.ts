import type { Samples } from './dataset.ts';

export interface Statistics {
  readonly mean: readonly number[];
  /** Population deviation; 1 where a channel never changes, so that it can always be divided by. */
  readonly deviation: readonly number[];
}

/** Samples read at once: bounds the memory. */
const CHUNK = 256;

/**
 * Mean and deviation of each channel (input [C, H, W]) or feature (input [F]) over the samples `indices`, in one pass; sums
 * are of differences from the first value, so that a large mean does not swallow a small deviation. `name`: of the tensor.
 */
export async function inputStatistics(
  samples: Samples,
  indices: ArrayLike<number>,
  shape: readonly number[],
  name = 'input',
): Promise<Statistics> {
  const [channels = 1, ...spatial] = shape;
  const area = spatial.reduce((product, n) => product * n, 1);
  const sums = new Sums(channels);
  for (let start = 0; start < indices.length; start += CHUNK) {
    const chunk = Array.from(
      { length: Math.min(CHUNK, indices.length - start) },
      (_, k) => indices[start + k] ?? Number.NaN,
    );
    const input = new Float32Array(chunk.length * channels * area);
    await samples.read(chunk, { [name]: input });
    sums.add(input, area);
  }
  return sums.statistics();
}

/** Mean and deviation of each target of a regression over the samples `indices`. */
export function targetStatistics(targets: Float32Array, outputs: number, indices: ArrayLike<number>): Statistics {
  const sums = new Sums(outputs);
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k] ?? Number.NaN;
    sums.add(targets.subarray(i * outputs, (i + 1) * outputs), 1);
  }
  return sums.statistics();
}

/** Most intervals that a feature is divided into. */
const INTERVALS = 64;
/** More samples make quantiles no better. */
const MOST_SAMPLES = 20_000;

/**
 * Quantiles of each feature (input [F]) over the samples `indices`, or over 20,000 of them at even distances, in deviations from the
 * mean: see `DatasetInfo.quantiles`. `name`: of the tensor.
 */
export async function inputQuantiles(
  samples: Samples,
  indices: ArrayLike<number>,
  { mean, deviation }: Statistics,
  name = 'input',
): Promise<readonly (readonly number[])[]> {
  const count = Math.min(indices.length, MOST_SAMPLES);
  const looked = Array.from(
    { length: count },
    (_, k) => indices[Math.floor((k * indices.length) / count)] ?? Number.NaN,
  );
  const features = mean.length;
  const values = new Float32Array(count * features);
  await samples.read(looked, { [name]: values });
  const column = new Float32Array(count);
  return mean.map((center, feature) => {
    for (let k = 0; k < count; k++) column[k] = values[k * features + feature] ?? Number.NaN;
    const edges = edgesOf(column.sort()).map((value) => Math.fround((value - center) / (deviation[feature] ?? 1)));
    const different = edges.filter((edge, k) => k === 0 || edge !== edges[k - 1]);
    return different.length > 2 ? different : [];
  });
}

/**
 * The smallest and largest of sorted values, and what divides them into at most `INTERVALS` intervals. A value that fills more than its
 * share of them is an edge by itself, and the others are divided by their own quantiles: where nine values of ten are 0, plain quantiles would
 * have next to no edges for the rest.
 */
function edgesOf(column: Float32Array): number[] {
  const counts = new Map<number, number>();
  for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1);
  const frequent = new Set<number>();
  let others = column.length;
  let intervals = INTERVALS;
  for (let found = true; found; ) {
    found = false;
    const share = others / intervals;
    for (const [value, times] of counts) {
      if (times <= share || intervals === 1 || frequent.has(value)) continue;
      frequent.add(value);
      others -= times;
      intervals--;
      found = true;
    }
  }
  const rest = column.filter((value) => !frequent.has(value));
  const quantiles = Array.from(
    { length: rest.length === 0 ? 0 : intervals + 1 },
    (_, k) => rest[Math.round((k * (rest.length - 1)) / intervals)] ?? Number.NaN,
  );
  return [...new Set([...frequent, ...quantiles])].sort((a, b) => a - b);
}

/** Running sums of each channel. */
class Sums {
  readonly channels: number;
  readonly #shift: Float64Array;
  readonly #sum: Float64Array;
  readonly #square: Float64Array;
  #count = 0;

  constructor(channels: number) {
    this.channels = channels;
    this.#shift = new Float64Array(channels);
    this.#sum = new Float64Array(channels);
    this.#square = new Float64Array(channels);
  }

  /** values: [samples, channels, area] */
  add(values: Float32Array, area: number): void {
    const samples = values.length / (this.channels * area);
    for (let c = 0; c < this.channels; c++) {
      if (this.#count === 0) this.#shift[c] = values[c * area] ?? 0;
      const shift = this.#shift[c] ?? Number.NaN;
      let sum = 0;
      let square = 0;
      for (let s = 0; s < samples; s++) {
        const start = (s * this.channels + c) * area;
        for (let i = start; i < start + area; i++) {
          const d = (values[i] ?? Number.NaN) - shift;
          sum += d;
          square += d * d;
        }
      }
      this.#sum[c] = (this.#sum[c] ?? Number.NaN) + sum;
      this.#square[c] = (this.#square[c] ?? Number.NaN) + square;
    }
    this.#count += samples * area;
  }

  statistics(): Statistics {
    const n = Math.max(this.#count, 1);
    const means = Array.from(this.#sum, (sum) => sum / n);
    return {
      mean: means.map((mean, c) => (this.#shift[c] ?? Number.NaN) + mean),
      deviation: means.map((mean, c) => Math.sqrt(Math.max((this.#square[c] ?? Number.NaN) / n - mean * mean, 0)) || 1),
    };
  }
}
