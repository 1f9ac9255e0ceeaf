/** The best split of a leaf, by the histograms of its columns. */
import type { Binning } from './bins.ts';

/** What a leaf's rows come to: sums of gradients and second derivatives, and their number. */
export interface Sums {
  readonly gradient: number;
  readonly hessian: number;
  readonly count: number;
}

/** Rows in a bin of these go left, the others right. */
export interface Split {
  /** What the loss falls by, twice. */
  readonly gain: number;
  readonly column: number;
  /** Of numbers: the last bin that goes left; of categories -1. */
  readonly bin: number;
  /** Of categories: those that go left. */
  readonly listed: readonly number[];
  /** Whether missing values go left; never of categories. */
  readonly missingLeft: boolean;
  readonly left: Sums;
}

export interface SplitRules {
  readonly l2: number;
  /** Rows that a leaf has at least. */
  readonly minLeaf: number;
}

/** Categories of fewer rows in the leaf are not told apart: their gradients say too little. */
const LEAST_ROWS = 10;
/** As many categories at most go left together. */
const MOST_LISTED = 32;
/** Columns of at most this many categories are divided one category against the others. */
const FEW_CATEGORIES = 4;
/** Beside `l2`, where groups of categories are chosen by the gradients themselves. */
const CATEGORY_L2 = 10;
const CATEGORY_SMOOTHING = 10;
/** Sums of second derivatives that a leaf has at least. */
const LEAST_HESSIAN = 1e-3;

/** A histogram's numbers for each bin: gradients, second derivatives, rows. */
export const PER_BIN = 3;

/** Finds the best split of a column, better than `best`; else gives `best`. `from`: where the column's bins begin in the histogram. */
export function bestSplit(
  histogram: Float64Array,
  from: number,
  column: number,
  binning: Binning,
  total: Sums,
  rules: SplitRules,
  best: Split | undefined,
): Split | undefined {
  return binning.column.kind === 'number'
    ? bestThreshold(histogram, from, column, binning.count, total, rules, best)
    : bestGroup(histogram, from, column, binning.count, total, rules, best);
}

/** Every border between bins, with missing values on either side. O(bins). */
function bestThreshold(
  histogram: Float64Array,
  from: number,
  column: number,
  count: number,
  total: Sums,
  { l2, minLeaf }: SplitRules,
  best: Split | undefined,
): Split | undefined {
  const { gradient, hessian, count: rows } = total;
  const missingAt = (from + count) * PER_BIN;
  const missingG = histogram[missingAt] as number;
  const missingH = histogram[missingAt + 1] as number;
  const missingN = histogram[missingAt + 2] as number;
  const parent = (gradient * gradient) / (hessian + l2);
  let gain = best?.gain ?? 0;
  let bin = -1;
  let missingLeft = false;
  let leftG = 0;
  let leftH = 0;
  let leftN = 0;
  let bestG = 0;
  let bestH = 0;
  let bestN = 0;
  // The last border divides the present values from the missing ones.
  const borders = missingN > 0 ? count : count - 1;
  for (let b = 0; b < borders; b++) {
    const at = (from + b) * PER_BIN;
    const inBin = histogram[at + 2] as number;
    leftG += histogram[at] as number;
    leftH += histogram[at + 1] as number;
    leftN += inBin;
    if (inBin === 0 && b > 0) continue;
    for (let side = 0; side < (missingN > 0 ? 2 : 1); side++) {
      const g = side === 0 ? leftG : leftG + missingG;
      const h = side === 0 ? leftH : leftH + missingH;
      const n = side === 0 ? leftN : leftN + missingN;
      if (n < minLeaf || rows - n < minLeaf) continue;
      const otherH = hessian - h;
      if (h < LEAST_HESSIAN || otherH < LEAST_HESSIAN) continue;
      const otherG = gradient - g;
      const found = (g * g) / (h + l2) + (otherG * otherG) / (otherH + l2) - parent;
      if (!(found > gain)) continue;
      gain = found;
      bin = b;
      // Where the leaf has no missing value, a later one goes where most rows go.
      missingLeft = missingN > 0 ? side === 1 : n > rows - n;
      bestG = g;
      bestH = h;
      bestN = n;
    }
  }
  if (bin < 0) return best;
  return { gain, column, bin, listed: [], missingLeft, left: { gradient: bestG, hessian: bestH, count: bestN } };
}

/**
 * Categories in the order of their gradients: the best division is one of this order (Fisher 1958). Those that go left are listed,
 * from either end of it; all others, rare and unknown ones among them, go right. O(bins · log bins).
 */
function bestGroup(
  histogram: Float64Array,
  from: number,
  column: number,
  count: number,
  total: Sums,
  { l2, minLeaf }: SplitRules,
  best: Split | undefined,
): Split | undefined {
  const few = count <= FEW_CATEGORIES;
  const at = (bin: number) => (from + bin) * PER_BIN;
  const ratio = (bin: number) =>
    (histogram[at(bin)] as number) / ((histogram[at(bin) + 1] as number) + CATEGORY_SMOOTHING);
  const order = [];
  for (let bin = 0; bin < count; bin++) if ((histogram[at(bin) + 2] as number) >= LEAST_ROWS) order.push(bin);
  if (!few) order.sort((a, b) => ratio(a) - ratio(b) || a - b);
  const penalty = few ? l2 : l2 + CATEGORY_L2;
  const parent = (total.gradient * total.gradient) / (total.hessian + penalty);
  let found = best;
  const consider = (listed: () => readonly number[], g: number, h: number, n: number) => {
    if (n < minLeaf || total.count - n < minLeaf) return;
    const otherH = total.hessian - h;
    if (h < LEAST_HESSIAN || otherH < LEAST_HESSIAN) return;
    const otherG = total.gradient - g;
    const gain = (g * g) / (h + penalty) + (otherG * otherG) / (otherH + penalty) - parent;
    if (!(gain > (found?.gain ?? 0))) return;
    found = {
      gain,
      column,
      bin: -1,
      listed: listed(),
      missingLeft: false,
      left: { gradient: g, hessian: h, count: n },
    };
  };
  if (few) {
    for (const bin of order) {
      const i = at(bin);
      consider(() => [bin], histogram[i] as number, histogram[i + 1] as number, histogram[i + 2] as number);
    }
    return found;
  }
  const most = Math.min(MOST_LISTED, (order.length + 1) >> 1);
  for (const ordered of [order, order.toReversed()]) {
    let [g, h, n] = [0, 0, 0];
    for (let k = 0; k < most; k++) {
      const i = at(ordered[k] as number);
      g += histogram[i] as number;
      h += histogram[i + 1] as number;
      n += histogram[i + 2] as number;
      consider(() => ordered.slice(0, k + 1), g, h, n);
    }
  }
  return found;
}
