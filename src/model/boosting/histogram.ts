/** Histograms of gradients over the bins of all columns: all that a leaf's split depends on. */

import type { Table } from '../forest.ts';
import { type Binning, binRows } from './bins.ts';
import { PER_BIN } from './split.ts';

/** A table as bins, by column. */
export interface BinnedTable {
  readonly rows: number;
  readonly binnings: readonly Binning[];
  /** The bin of each row, a list for each column. */
  readonly bins: readonly Uint8Array[];
  /** Where each column's bins begin in a histogram, and at the end the number of all bins. */
  readonly offsets: Int32Array;
}

/** The rows of a table by bins that were fitted on it or on another. */
export function binnedBy(binnings: readonly Binning[], table: Table): BinnedTable {
  const offsets = new Int32Array(binnings.length + 1);
  for (const [c, { count }] of binnings.entries()) offsets[c + 1] = (offsets[c] ?? 0) + count + 1;
  return { rows: table.rows, binnings, bins: binnings.map((binning) => binRows(binning, table)), offsets };
}

/** First and second derivatives of the loss by each row's score; no second ones: they are 1. */
export interface Derivatives {
  readonly gradients: Float32Array;
  readonly hessians: Float32Array | undefined;
}

/** Makes histograms of rows. Arrays are used again once they are given back. */
export interface Histograms {
  /** Of the rows `order[start..end)`. O(rows · columns). */
  of(order: Int32Array, start: number, end: number): Float64Array;
  /** Changes a parent's histogram to that of the other child: `whole` less `part`. O(bins). */
  subtract(whole: Float64Array, part: Float64Array): Float64Array;
  release(histogram: Float64Array): void;
}

export function histograms({ rows, bins, offsets }: BinnedTable, derivatives: () => Derivatives): Histograms {
  const size = (offsets.at(-1) ?? 0) * PER_BIN;
  const free: Float64Array[] = [];
  // Those of the leaf's rows, one after another: read once a column.
  const g = new Float64Array(rows);
  const h = new Float64Array(rows);
  return {
    of(order, start, end) {
      const histogram = free.pop()?.fill(0) ?? new Float64Array(size);
      const { gradients, hessians } = derivatives();
      const count = end - start;
      const own = order.subarray(start, end);
      for (let k = 0; k < count; k++) g[k] = gradients[own[k] as number] as number;
      if (hessians !== undefined) for (let k = 0; k < count; k++) h[k] = hessians[own[k] as number] as number;
      for (const [c, column] of bins.entries()) {
        const part = histogram.subarray((offsets[c] ?? 0) * PER_BIN, (offsets[c + 1] ?? 0) * PER_BIN);
        if (hessians === undefined) addGradients(part, column, own, g, count);
        else addBoth(part, column, own, g, h, count);
      }
      return histogram;
    },
    subtract(whole, part) {
      for (let i = 0; i < size; i++) whole[i] = (whole[i] as number) - (part[i] as number);
      return whole;
    },
    release: (histogram) => void free.push(histogram),
  };
}

function addBoth(
  histogram: Float64Array,
  column: Uint8Array,
  rows: Int32Array,
  g: Float64Array,
  h: Float64Array,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const at = PER_BIN * (column[rows[k] as number] as number);
    histogram[at] = (histogram[at] as number) + (g[k] as number);
    histogram[at + 1] = (histogram[at + 1] as number) + (h[k] as number);
    histogram[at + 2] = (histogram[at + 2] as number) + 1;
  }
}

function addGradients(
  histogram: Float64Array,
  column: Uint8Array,
  rows: Int32Array,
  g: Float64Array,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const at = PER_BIN * (column[rows[k] as number] as number);
    histogram[at] = (histogram[at] as number) + (g[k] as number);
    histogram[at + 2] = (histogram[at + 2] as number) + 1;
  }
  for (let at = 0; at < histogram.length; at += PER_BIN) histogram[at + 1] = histogram[at + 2] as number;
}
