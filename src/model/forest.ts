/** A forest of regression trees: predictions with an idea of how sure they are, on tables of any kind. */
import type { Rng } from '../common/random.ts';
import type { Prediction } from './gaussian-process.ts';

/** A table of numbers, row-major [rows, columns]. */
export interface Table {
  readonly rows: number;
  readonly columns: number;
  readonly data: ArrayLike<number>;
}

export interface ForestOptions {
  readonly trees: number;
  /** The share of the columns that each split looks at. */
  readonly share: number;
  /** No leaf has fewer rows. */
  readonly leaf: number;
  /** Whether each tree is grown from as many rows drawn with replacement, or from all. */
  readonly bootstrap: boolean;
}

export const FOREST: ForestOptions = { trees: 100, share: 0.5, leaf: 2, bootstrap: true };

export interface Forest {
  /**
   * The mean over the trees, and the variance by the law of total variance: of the trees' means, and of the rows in the
   * leaves (Hutter et al. 2014, section 4.3.2). O(trees · depth).
   */
  predict(row: ArrayLike<number>): Prediction;
}

/** Node i: goes left where column[i] of the row is at most threshold[i]; column -1: a leaf. */
interface Tree {
  readonly column: Int32Array;
  readonly threshold: Float64Array;
  /** The left child; the right one is the next. */
  readonly child: Int32Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Extremely randomized trees (Geurts, Ernst & Wehenkel 2006): at each node a share of the columns, each with one
 * threshold drawn between its least and its greatest value there, of which the one of the largest gain in squared error
 * is taken; nodes are split until the leaves are as small as can be or all targets are equal. Differs: trees are grown
 * from bootstrap samples, unless set otherwise, which estimates the variance better. O(trees · rows · columns · depth).
 */
export function fitForest(
  table: Table,
  targets: ArrayLike<number>,
  rng: Rng,
  options: Partial<ForestOptions> = {},
): Forest {
  const settings = { ...FOREST, ...options };
  const trees = Array.from({ length: settings.trees }, () => grow(table, targets, rng, settings));
  return {
    predict(row) {
      let [sum, squares, within] = [0, 0, 0];
      for (const tree of trees) {
        const leaf = leafOf(tree, row);
        const mean = tree.mean[leaf] ?? Number.NaN;
        sum += mean;
        squares += mean * mean;
        within += tree.variance[leaf] ?? Number.NaN;
      }
      const mean = sum / trees.length;
      return { mean, variance: Math.max(0, squares / trees.length - mean * mean) + within / trees.length };
    },
  };
}

function leafOf({ column, threshold, child }: Tree, row: ArrayLike<number>): number {
  let node = 0;
  for (;;) {
    const at = column[node] ?? Number.NaN;
    if (at < 0) return node;
    node = (child[node] ?? Number.NaN) + Number((row[at] ?? Number.NaN) > (threshold[node] ?? Number.NaN));
  }
}

function grow(table: Table, targets: ArrayLike<number>, rng: Rng, { share, leaf, bootstrap }: ForestOptions): Tree {
  const { rows, columns } = table;
  const order = Int32Array.from({ length: rows }, (_, i) => (bootstrap ? rng.int(rows) : i));
  const most = 2 * rows;
  const tree: Tree = {
    column: new Int32Array(most).fill(-1),
    threshold: new Float64Array(most),
    child: new Int32Array(most),
    mean: new Float64Array(most),
    variance: new Float64Array(most),
  };
  const tried = Math.max(1, Math.round(share * columns));
  let nodes = 1;

  const split = (node: number, start: number, end: number): void => {
    const [mean, variance] = moments(targets, order, start, end);
    tree.mean[node] = mean;
    tree.variance[node] = variance;
    if (end - start < 2 * leaf || variance <= 1e-12) return;
    const best = bestSplit({ table, targets, order, start, end, rng, tried, leaf });
    if (best === undefined) return;
    const middle = partition(table, order, start, end, best);
    tree.column[node] = best.column;
    tree.threshold[node] = best.threshold;
    const left = nodes;
    tree.child[node] = left;
    nodes += 2;
    split(left, start, middle);
    split(left + 1, middle, end);
  };
  if (rows > 0) split(0, 0, rows);
  return tree;
}

interface Split {
  readonly column: number;
  readonly threshold: number;
}

function bestSplit(node: {
  readonly table: Table;
  readonly targets: ArrayLike<number>;
  readonly order: Int32Array;
  readonly start: number;
  readonly end: number;
  readonly rng: Rng;
  readonly tried: number;
  readonly leaf: number;
}): Split | undefined {
  const { table, targets, order, start, end, rng, tried, leaf } = node;
  const { columns, data } = table;
  const remaining = Array.from({ length: columns }, (_, column) => column);
  let best: Split | undefined;
  let gain = Number.NEGATIVE_INFINITY;
  let looked = 0;
  // Columns that are constant here do not count as tried: in one-hot rows most of them soon are.
  for (let left = columns; left > 0 && looked < tried; left--) {
    const drawn = rng.int(left);
    const column = remaining[drawn] ?? Number.NaN;
    remaining[drawn] = remaining[left - 1] ?? Number.NaN;
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = start; i < end; i++) {
      const value = data[(order[i] as number) * columns + column] ?? Number.NaN;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (!(high > low)) continue;
    looked++;
    const threshold = Math.min(low + (high - low) * rng.float(), low + (high - low) * 0.999999);
    let [count, sum, total] = [0, 0, 0];
    for (let i = start; i < end; i++) {
      const row = order[i] ?? Number.NaN;
      const target = targets[row] ?? Number.NaN;
      total += target;
      if ((data[row * columns + column] ?? Number.NaN) <= threshold) {
        count++;
        sum += target;
      }
    }
    const others = end - start - count;
    if (count < leaf || others < leaf) continue;
    const found = (sum * sum) / count + ((total - sum) * (total - sum)) / others;
    if (found > gain) [best, gain] = [{ column, threshold }, found];
  }
  return best;
}

/** Brings the rows that go left to the front; returns where the others begin. */
function partition({ columns, data }: Table, order: Int32Array, start: number, end: number, split: Split): number {
  let middle = start;
  for (let i = start; i < end; i++) {
    const row = order[i] ?? Number.NaN;
    if ((data[row * columns + split.column] ?? Number.NaN) > split.threshold) continue;
    order[i] = order[middle] ?? Number.NaN;
    order[middle++] = row;
  }
  return middle;
}

function moments(targets: ArrayLike<number>, order: Int32Array, start: number, end: number): [number, number] {
  let [sum, squares] = [0, 0];
  for (let i = start; i < end; i++) sum += targets[order[i] as number] ?? Number.NaN;
  const mean = sum / (end - start);
  for (let i = start; i < end; i++) squares += ((targets[order[i] as number] ?? Number.NaN) - mean) ** 2;
  return [mean, squares / (end - start)];
}
