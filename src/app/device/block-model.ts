/** Predicts the latency of blocks that were not measured from those that were. */
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
    options: { rounds: 200, learningRate: 0.05, leaves: 8, minLeaf: 5, l2: 1 },
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

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
