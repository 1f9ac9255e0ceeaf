/** Growth of one tree, leaf by leaf: the leaf whose split gains most is split next. */
import type { BinnedTable, Histograms } from './histogram.ts';
import { bestSplit, PER_BIN, type Split, type SplitRules, type Sums } from './split.ts';

export interface GrowthRules extends SplitRules {
  readonly leaves: number;
  readonly learningRate: number;
}

/** A node: a leaf with its value, or a split with the numbers of its children. */
export type GrownNode =
  | { readonly value: number }
  | { readonly split: Split; readonly left: number; readonly right: number };

/** A grown tree; node 0 is the root. */
export interface GrownTree {
  readonly nodes: readonly GrownNode[];
  /** The rows `order[start..end)` of each leaf. */
  readonly leaves: readonly { readonly start: number; readonly end: number; readonly value: number }[];
}

interface Leaf {
  readonly node: number;
  readonly start: number;
  readonly end: number;
  readonly sums: Sums;
  readonly split: Split | undefined;
  readonly histogram: Float64Array | undefined;
}

/**
 * Grows a tree on all rows; `order` holds their numbers and is rearranged, so that each leaf's rows lie together. The histogram of a
 * leaf's larger child is its own less that of the smaller one. Undefined: `shouldStop` said so. O(rows · columns · depth).
 */
export function growTree(
  table: BinnedTable,
  histograms: Histograms,
  order: Int32Array,
  spare: Int32Array,
  rules: GrowthRules,
  shouldStop: () => boolean,
): GrownTree | undefined {
  const nodes: GrownNode[] = [];
  const open: Leaf[] = [];
  const leafValue = ({ gradient, hessian }: Sums) =>
    Math.fround((-rules.learningRate * gradient) / (hessian + rules.l2 || 1));

  const add = (start: number, end: number, sums: Sums, histogram: Float64Array | undefined): number => {
    const node = nodes.push({ value: leafValue(sums) }) - 1;
    const split = histogram && splitOf(table, histogram, sums, rules);
    if (split === undefined && histogram !== undefined) histograms.release(histogram);
    open.push({ node, start, end, sums, split, histogram: split && histogram });
    return node;
  };
  const canSplit = (count: number) => count >= 2 * rules.minLeaf;

  const whole = histograms.of(order, 0, table.rows);
  add(0, table.rows, sumsOf(table, whole), whole);
  let stopped = false;
  while (open.length < rules.leaves) {
    stopped = shouldStop();
    const [next] = stopped ? [] : open.filter(({ split }) => split !== undefined).sort(byGain);
    if (next?.split === undefined || next.histogram === undefined) break;
    open.splice(open.indexOf(next), 1);
    const { split, start, end, sums, histogram } = next;
    const middle = partition(table, split, order, spare, start, end);
    const right = minus(sums, split.left);
    // The last two leaves are not split again.
    const last = open.length + 2 >= rules.leaves;
    const wanted = !last && (canSplit(split.left.count) || canSplit(right.count));
    let [leftHistogram, rightHistogram]: (Float64Array | undefined)[] = [];
    if (wanted) {
      const smallerLeft = middle - start <= end - middle;
      const smaller = smallerLeft ? histograms.of(order, start, middle) : histograms.of(order, middle, end);
      const larger = histograms.subtract(histogram, smaller);
      [leftHistogram, rightHistogram] = smallerLeft ? [smaller, larger] : [larger, smaller];
    } else histograms.release(histogram);
    const left = add(start, middle, split.left, leftHistogram);
    nodes[next.node] = { split, left, right: add(middle, end, right, rightHistogram) };
  }
  for (const { histogram } of open) if (histogram !== undefined) histograms.release(histogram);
  if (stopped) return undefined;
  const leaves = open.map(({ start, end, sums }) => ({ start, end, value: leafValue(sums) }));
  return { nodes, leaves };
}

const byGain = (a: Leaf, b: Leaf) => (b.split?.gain ?? 0) - (a.split?.gain ?? 0) || a.node - b.node;

const minus = (a: Sums, b: Sums): Sums => ({
  gradient: a.gradient - b.gradient,
  hessian: a.hessian - b.hessian,
  count: a.count - b.count,
});

/** Every column's bins hold all rows; the first has them. */
function sumsOf({ offsets }: BinnedTable, histogram: Float64Array): Sums {
  let [gradient, hessian, count] = [0, 0, 0];
  for (let at = 0; at < (offsets[1] ?? 0) * PER_BIN; at += PER_BIN) {
    gradient += histogram[at] as number;
    hessian += histogram[at + 1] as number;
    count += histogram[at + 2] as number;
  }
  return { gradient, hessian, count };
}

function splitOf(
  { binnings, offsets }: BinnedTable,
  histogram: Float64Array,
  sums: Sums,
  rules: GrowthRules,
): Split | undefined {
  if (sums.count < 2 * rules.minLeaf) return undefined;
  let best: Split | undefined;
  for (const [c, binning] of binnings.entries())
    best = bestSplit(histogram, offsets[c] ?? 0, c, binning, sums, rules, best);
  return best;
}

/** 1 for each bin whose rows go left. */
export function leftBins({ bin, listed, missingLeft }: Split, bins: number): Uint8Array {
  const left = new Uint8Array(bins + 1);
  if (bin >= 0) left.fill(1, 0, bin + 1);
  for (const one of listed) left[one] = 1;
  left[bins] = Number(missingLeft);
  return left;
}

/** Brings the rows that go left to the front, both sides in the order that they had; returns where the others begin. */
function partition(
  { binnings, bins }: BinnedTable,
  split: Split,
  order: Int32Array,
  spare: Int32Array,
  start: number,
  end: number,
): number {
  const left = leftBins(split, binnings[split.column]?.count ?? 0);
  const column = bins[split.column] ?? new Uint8Array();
  let [middle, others] = [start, 0];
  for (let k = start; k < end; k++) {
    const row = order[k] as number;
    if (left[column[row] as number] === 1) order[middle++] = row;
    else spare[others++] = row;
  }
  order.set(spare.subarray(0, others), middle);
  return middle;
}
