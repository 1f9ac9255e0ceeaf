/**
 * Gradient boosting of trees on histograms (Friedman 2001; LightGBM, Ke et al. 2017; scikit-learn's HistGradientBoosting). Differs from
 * both: categories are one-hot in the rows, a split by a group of them becomes a chain of tests, and no rows or columns are drawn, so
 * there is no seed: the same rows give the same trees. A round costs O(rows · columns · depth) for each score.
 */
import { type Binning, type Column, fitBinning } from './boosting/bins.ts';
import { type GrownTree, type GrowthRules, growTree, leftBins } from './boosting/grow.ts';
import { type BinnedTable, binnedBy, type Derivatives, histograms } from './boosting/histogram.ts';
import { type BoostingLoss, lossOf, meanLoss } from './boosting/losses.ts';
import type { Table } from './forest.ts';
import { type ListedTree, type TreeEnsemble, type TreeNode, treeEnsemble } from './trees.ts';

export type { Column } from './boosting/bins.ts';
export type { BoostingLoss } from './boosting/losses.ts';

export interface BoostingOptions extends GrowthRules {
  /** Rounds at most. */
  readonly rounds: number;
  /** It ends after as many rounds without a smaller loss on the validation rows. */
  readonly patience: number;
}

export const BOOSTING: BoostingOptions = {
  ...{ leaves: 31, minLeaf: 20, l2: 0, learningRate: 0.1 },
  ...{ rounds: 1000, patience: 50 },
};

export interface Labeled {
  readonly table: Table;
  /** Class numbers [rows], or numbers [rows, outputs]. */
  readonly targets: ArrayLike<number>;
}

export interface BoostingRequest extends Labeled {
  readonly columns: readonly Column[];
  readonly loss: BoostingLoss;
  /** Classes, or numbers for each row. */
  readonly outputs: number;
  /** Rows that say when to end. */
  readonly valid?: Labeled;
  readonly options?: Partial<BoostingOptions>;
  /** Asked before each split. */
  readonly shouldStop?: () => boolean;
}

export interface Boosted {
  /**
   * Of classes: their logits, the first of two being 0; else the numbers. The trees of the rounds up to that with the smallest loss
   * on validation rows, or of all rounds where there are none.
   */
  readonly trees: TreeEnsemble;
  /** Rounds that are kept. */
  readonly rounds: number;
  /** Whether it ended because it was told to. */
  readonly stopped: boolean;
}

/** All rounds at once. */
export function fitBoosting(request: BoostingRequest): Boosted {
  const rounds = boost(request);
  for (;;) {
    const { done, value } = rounds.next();
    if (done) return value;
  }
}

/** The largest number that a float32 holds: every present value is at most this. */
const MOST = 3.4028234663852886e38;

/** Round by round, so that the caller can do something else in between; yields the number of rounds done. */
export function* boost(request: BoostingRequest): Generator<number, Boosted> {
  const { table, targets, columns, outputs, valid, shouldStop = () => false } = request;
  const options = { ...BOOSTING, ...request.options };
  const { rows } = table;
  const binnings = columns.map((column) => fitBinning(table, column));
  // A column without a border cannot be split.
  const used = binnings.filter(({ count, column }) => count > 1 || column.kind === 'number');
  const binned = binnedBy(used, table);
  const loss = lossOf(request.loss, targets, rows, outputs);
  const base = loss.base();
  const scores = repeated(base, rows);
  const held = valid && {
    ...{ ...valid, binned: binnedBy(used, valid.table) },
    scores: repeated(base, valid.table.rows),
  };
  let derivatives: Derivatives = { gradients: new Float32Array(), hessians: undefined };
  const made = histograms(binned, () => derivatives);
  const [order, spare] = [Int32Array.from({ length: rows }, (_, i) => i), new Int32Array(rows)];
  const grown: GrownTree[][] = [];
  let [best, bestRounds] = [Number.POSITIVE_INFINITY, 0];
  let stopped = false;
  const heldLoss = () =>
    held === undefined ? Number.NaN : meanLoss(request.loss, held.scores, held.targets, held.table.rows, outputs);
  if (held !== undefined) best = heldLoss();
  while (grown.length < options.rounds && used.length > 0) {
    loss.update(scores);
    const round: GrownTree[] = [];
    for (let k = 0; k < loss.scores; k++) {
      derivatives = loss.derivatives(k);
      const tree = growTree(binned, made, order, spare, options, shouldStop);
      if (tree === undefined) break;
      round.push(tree);
      addLeaves(tree, order, scores.subarray(k * rows, (k + 1) * rows));
      if (held !== undefined) {
        const { length } = held.scores;
        const size = length / loss.scores;
        addTree(tree, held.binned, held.scores.subarray(k * size, (k + 1) * size));
      }
    }
    stopped = round.length < loss.scores;
    // Part of a round is not kept.
    if (stopped) break;
    grown.push(round);
    if (round.every(({ nodes }) => nodes.length === 1)) break;
    if (held !== undefined) {
      const now = heldLoss();
      if (now < best) [best, bestRounds] = [now, grown.length];
      else if (grown.length - bestRounds >= options.patience) break;
    }
    yield grown.length;
  }
  const kept = held === undefined ? grown : grown.slice(0, bestRounds);
  return { trees: flattened(kept, used, request.loss, base, outputs), rounds: kept.length, stopped };
}

/** [scores, rows] */
function repeated(base: readonly number[], rows: number): Float64Array {
  const scores = new Float64Array(base.length * rows);
  for (const [k, value] of base.entries()) scores.fill(value, k * rows, (k + 1) * rows);
  return scores;
}

/** The rows of each leaf lie together in `order`, as the tree that was grown last left them. */
function addLeaves({ leaves }: GrownTree, order: Int32Array, scores: Float64Array): void {
  for (const { start, end, value } of leaves)
    for (let at = start; at < end; at++) {
      const row = order[at] as number;
      scores[row] = (scores[row] as number) + value;
    }
}

/** Adds to the scores of rows that the tree was not grown on. O(rows · depth). */
function addTree({ nodes }: GrownTree, { bins, binnings, rows }: BinnedTable, scores: Float64Array): void {
  const left = nodes.map((node) =>
    'split' in node ? leftBins(node.split, binnings[node.split.column]?.count ?? 0) : undefined,
  );
  for (let row = 0; row < rows; row++) {
    let at = 0;
    for (;;) {
      const node = nodes[at];
      if (node === undefined) throw new Error('a tree leads out of itself');
      if ('value' in node) {
        scores[row] = (scores[row] as number) + node.value;
        break;
      }
      const bin = bins[node.split.column]?.[row] ?? 0;
      at = left[at]?.[bin] === 1 ? node.left : node.right;
    }
  }
}

/** Trees whose nodes ask for features instead of bins. The first of two classes has no trees: its logit is 0. */
function flattened(
  rounds: readonly (readonly GrownTree[])[],
  binnings: readonly Binning[],
  loss: BoostingLoss,
  base: readonly number[],
  outputs: number,
): TreeEnsemble {
  const first = loss === 'log-loss' && outputs === 2 ? 1 : 0;
  const trees = rounds.flatMap((round) =>
    round.map((tree, k): ListedTree => ({ output: k + first, nodes: listedNodes(tree, binnings) })),
  );
  return treeEnsemble(outputs, [...new Array<number>(first).fill(0), ...base], trees);
}

/** A split by a group of categories becomes a chain: each node asks for one of them, and all lead to the same child. */
function listedNodes({ nodes }: GrownTree, binnings: readonly Binning[]): TreeNode[] {
  const leaf = { feature: -1, threshold: 0, above: false, missingYes: false, value: 0, yes: -1, no: -1 };
  const out: TreeNode[] = [];
  const add = (number: number): number => {
    const node = nodes[number];
    if (node === undefined) throw new Error('a tree leads out of itself');
    if ('value' in node) return out.push({ ...leaf, value: node.value }) - 1;
    const { split, left, right } = node;
    const { column, upper } = binnings[split.column] ?? {};
    const feature = column?.at ?? -1;
    if (column?.kind === 'number') {
      const threshold = upper?.[split.bin] ?? MOST;
      const own = { ...leaf, feature, threshold, missingYes: split.missingLeft };
      const at = out.push(own) - 1;
      out[at] = { ...own, yes: add(left), no: add(right) };
      return at;
    }
    const chain = split.listed.map((bin) => {
      const own = { ...leaf, feature: feature + bin, threshold: 0.5, above: true };
      return { own, at: out.push(own) - 1 };
    });
    const [yes, rest] = [add(left), add(right)];
    for (const [i, { own, at }] of chain.entries()) out[at] = { ...own, yes, no: chain[i + 1]?.at ?? rest };
    return chain[0]?.at ?? rest;
  };
  add(0);
  return out;
}
