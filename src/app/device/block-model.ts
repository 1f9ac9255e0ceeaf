/** Predicts the latency of blocks that were not measured from those that were, and of networks from their blocks. */
import { Matrix, solve } from 'ml-matrix';
import { fitBoosting } from '../../model/boosting.ts';
import { predictTrees } from '../../model/trees.ts';
import { ADDITIVE, BLOCK_FEATURES } from '../../network/block-features.ts';

/** What is known of a block: its features, and ms. */
export interface TimedBlock {
  readonly features: readonly number[];
  readonly ms: number;
}

/** With fewer blocks trees learn nothing. */
const LEAST_FOR_TREES = 60;
const SWEEPS = 300;

/**
 * ms of a block by its features: a sum of non-negative prices for each kind of work (least squares of the relative errors), times what boosted trees
 * learn of the rest. Blocks that were measured need not be predicted.
 */
export function fitBlocks(blocks: readonly TimedBlock[]): (features: readonly number[]) => number {
  const rows = blocks.map(({ features }) => pricedRow(features));
  const times = blocks.map(({ ms }) => ms);
  const prices = nonNegative(rows, times);
  const linear = (features: readonly number[]) => dot(pricedRow(features), prices);
  const floor = Math.min(...times) / 2;
  const sure = (features: readonly number[]) => Math.max(floor, linear(features));
  if (blocks.length < LEAST_FOR_TREES) return sure;
  const width = BLOCK_FEATURES.length + 1;
  const shown = (features: readonly number[]) => [
    ...features.map((value) => Math.log1p(value)),
    Math.log(sure(features)),
  ];
  const data = Float32Array.from(blocks.flatMap(({ features }) => shown(features)));
  const { trees } = fitBoosting({
    table: { rows: blocks.length, columns: width, data },
    targets: blocks.map(({ features, ms }) => Math.log(ms / sure(features))),
    columns: Array.from({ length: width }, (_, at) => ({ kind: 'number' as const, at })),
    loss: 'squared-error',
    outputs: 1,
    options: { rounds: 200, learningRate: 0.07, leaves: 12, minLeaf: 5, l2: 1 },
  });
  return (features) => {
    const [log = 0] = predictTrees(trees, Float32Array.from(shown(features)), width);
    return sure(features) * Math.exp(log);
  };
}

/** The work that has a price, and one for having any. */
function pricedRow(features: readonly number[]): readonly number[] {
  return [1, ...ADDITIVE.map((_, i) => features[i] ?? 0)];
}

/** Weights of at least 0 that make the squares of relative errors small, by descent along one weight at a time. */
function nonNegative(rows: readonly (readonly number[])[], targets: readonly number[]): readonly number[] {
  const size = rows[0]?.length ?? 0;
  const weights = new Array<number>(size).fill(0);
  const scaled = rows.map((row, i) => row.map((value) => value / (targets[i] ?? 1)));
  const errors = scaled.map(() => 1);
  const norms = weights.map((_, j) => scaled.reduce((sum, row) => sum + (row[j] ?? 0) ** 2, 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (let j = 0; j < size; j++) {
      const norm = norms[j] ?? 0;
      if (norm === 0) continue;
      const slope = scaled.reduce((sum, row, i) => sum + (row[j] ?? 0) * (errors[i] ?? 0), 0);
      const before = weights[j] ?? 0;
      const after = Math.max(0, before + slope / norm);
      if (after === before) continue;
      weights[j] = after;
      for (const [i, row] of scaled.entries()) errors[i] = (errors[i] ?? 0) - (after - before) * (row[j] ?? 0);
    }
  }
  return weights;
}

/** What is known of a network by its blocks. */
export interface BlockSums {
  /** The sum of the blocks' latencies, ms, each without what calling a model costs, which the network has once. */
  readonly ms: number;
  readonly blocks: number;
  /** Values that the blocks read and write: each block that is timed alone arranges them for itself. */
  readonly values: number;
  /** Of all blocks: a block that is timed alone finds its own in the cache. */
  readonly weights: number;
}

/** How strongly the plain sum is kept: as strongly as this share of the networks speaks for something else. */
const PENALTY = 0.01;
/** Fewer networks say nothing. */
const LEAST_NETWORKS = 5;
/** Rounds of reweighting, and the multiple of the median error beyond which a network counts less: its latency may have been disturbed. */
const ROUNDS = 20;
const FAR = 2;

type Correct = (sums: BlockSums) => number;

/**
 * ms of a network by the sums over its blocks: what a block that is timed alone costs more (its values are arranged for it) or less (its weights stay in
 * the cache) is corrected, as a few networks say that were measured as a whole. Least squares of relative errors, those of outliers by their absolute
 * value (Huber 1964).
 */
export function fitNetworks(networks: readonly (BlockSums & { readonly measured: number })[]): Correct {
  if (networks.length < LEAST_NETWORKS) return ({ ms }) => ms;
  let trust = networks.map(() => 1);
  let correct: Correct = ({ ms }) => ms;
  for (let round = 0; round < ROUNDS; round++) {
    correct = fitWeighted(networks, trust);
    const errors = networks.map((one) => Math.abs(correct(one) / one.measured - 1));
    const far = FAR * (errors.toSorted((a, b) => a - b)[errors.length >> 1] ?? 0);
    trust = errors.map((error) => (error <= far ? 1 : far / error));
  }
  return correct;
}

function fitWeighted(
  networks: readonly (BlockSums & { readonly measured: number })[],
  trust: readonly number[],
): Correct {
  const row = ({ ms, blocks, values, weights }: BlockSums) => [ms, blocks, values, weights];
  const mean = (of: (one: BlockSums & { readonly measured: number }) => number) =>
    networks.reduce((sum, one) => sum + of(one), 0) / networks.length;
  const typical = mean(({ measured }) => measured);
  // Each column in units that make it about as large as a latency.
  const units = [0, 1, 2, 3].map((j) => typical / (mean((one) => row(one)[j] ?? 0) || 1));
  const scaled = (sums: BlockSums) => row(sums).map((value, j) => value * (units[j] ?? 1));
  // Relative errors: of the plain sum, and what each column would change.
  const root = trust.map(Math.sqrt);
  const x = new Matrix(networks.map((one, i) => scaled(one).map((value) => ((root[i] ?? 1) * value) / one.measured)));
  const missing = networks.map(({ ms, measured }, i) => (root[i] ?? 1) * (1 - ms / measured));
  const transposed = x.transpose();
  const products = transposed.mmul(x).add(Matrix.eye(units.length, units.length, PENALTY * networks.length));
  const weights = solve(products, transposed.mmul(Matrix.columnVector(missing))).to1DArray();
  const least = Math.min(...networks.map(({ measured }) => measured)) / 4;
  return (sums) => Math.max(least, sums.ms + dot(scaled(sums), weights));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
