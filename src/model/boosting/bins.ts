/** Columns of a table as bin numbers of 8 bits: what histograms are made of. */
import type { Table } from '../forest.ts';

/**
 * A column of a table. A number takes the feature `at`; NaN is missing. A category is one-hot: it takes `categories` features from
 * `at` on, and a row where none of them is above 0.5 has no known category.
 */
export type Column =
  | { readonly kind: 'number'; readonly at: number }
  | { readonly kind: 'category'; readonly at: number; readonly categories: number };

/** Values have at most this many bins; one more is for missing ones. */
export const MOST_BINS = 255;
/** Values that the borders of bins are taken from, at most. */
const MOST_SAMPLED = 200_000;

/** How the values of a column become bins. */
export interface Binning {
  readonly column: Column;
  /** Bins of values, `MOST_BINS` at most. The bin of missing values is the next. */
  readonly count: number;
  /** Of numbers: bin b holds the values above `upper[b - 1]` and at most `upper[b]`. Categories: empty. */
  readonly upper: Float32Array;
}

/** Each category is a bin; numbers are divided by quantiles. O(rows · log rows). */
export function fitBinning(table: Table, column: Column): Binning {
  if (column.kind === 'category')
    return { column, count: Math.min(MOST_BINS, column.categories), upper: new Float32Array() };
  const stride = Math.max(1, Math.floor(table.rows / MOST_SAMPLED));
  const values = new Float32Array(Math.ceil(table.rows / stride));
  let present = 0;
  for (let row = 0; row < table.rows; row += stride) {
    const value = table.data[row * table.columns + column.at] ?? Number.NaN;
    if (!Number.isNaN(value)) values[present++] = value;
  }
  const upper = borders(values.subarray(0, present).sort());
  return { column, count: upper.length + 1, upper };
}

/**
 * Borders between bins of about as many values each. A value that alone has more than its share gets a bin of its own, and the
 * others are divided among the bins that are left (LightGBM's GreedyFindBin).
 */
function borders(sorted: Float32Array): Float32Array {
  const [distinct, counts] = runs(sorted);
  const found: number[] = [];
  const cut = (after: number) => found.push(between(distinct[after] ?? 0, distinct[after + 1] ?? 0));
  if (distinct.length <= MOST_BINS) {
    for (let i = 0; i + 1 < distinct.length; i++) cut(i);
    return Float32Array.from(found);
  }
  const share = sorted.length / MOST_BINS;
  const isHeavy = (i: number) => (counts[i] ?? 0) >= share;
  let [restBins, rest] = [MOST_BINS, sorted.length];
  for (let i = 0; i < counts.length; i++) {
    if (!isHeavy(i)) continue;
    restBins--;
    rest -= counts[i] ?? 0;
  }
  let size = rest / Math.max(1, restBins);
  let inBin = 0;
  for (let i = 0; i + 1 < distinct.length && found.length < MOST_BINS - 1; i++) {
    inBin += counts[i] ?? 0;
    if (!isHeavy(i)) rest -= counts[i] ?? 0;
    const full = isHeavy(i) || inBin >= size || (isHeavy(i + 1) && inBin >= size / 2);
    if (!full) continue;
    cut(i);
    inBin = 0;
    if (isHeavy(i)) continue;
    restBins--;
    size = rest / Math.max(1, restBins);
  }
  return Float32Array.from(found);
}

/** The different values in order, and how often each comes. */
function runs(sorted: Float32Array): readonly [number[], number[]] {
  const [distinct, counts]: [number[], number[]] = [[], []];
  for (const value of sorted) {
    if (distinct.length > 0 && distinct.at(-1) === value) counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    else {
      distinct.push(value);
      counts.push(1);
    }
  }
  return [distinct, counts];
}

/** A float32 that is at least `low` and below `high`: all readers of a threshold divide values alike. */
function between(low: number, high: number): number {
  const middle = Math.fround(low + (high - low) / 2);
  return middle >= low && middle < high ? middle : low;
}

/** The bin of each row. O(rows · log bins). */
export function binRows({ column, count, upper }: Binning, { rows, columns, data }: Table): Uint8Array {
  const bins = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns + column.at;
    let bin = 0;
    if (column.kind === 'category') {
      while (bin < count && !((data[start + bin] ?? 0) > 0.5)) bin++;
    } else {
      const value = data[start] ?? Number.NaN;
      if (Number.isNaN(value)) bin = count;
      else {
        let end = upper.length;
        while (bin < end) {
          const middle = (bin + end) >> 1;
          if (value <= (upper[middle] ?? Number.NaN)) end = middle;
          else bin = middle + 1;
        }
      }
    }
    bins[row] = bin;
  }
  return bins;
}
