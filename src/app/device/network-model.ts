/** Predicts the latency of a network from those of its blocks, as networks say that were measured as a whole. */
import { Matrix, solve } from 'ml-matrix';
import { fitRidge } from '../../model/ridge.ts';
import { BLOCK_FEATURES } from '../../network/block-features.ts';

/** What is known of a network by its blocks. */
export interface BlockSums {
  /** The sum of the blocks' latencies, ms, each without what calling a model costs, which the network has once. */
  readonly ms: number;
  readonly blocks: number;
  /** The sums of their features. */
  readonly features: readonly number[];
}

interface Known extends BlockSums {
  readonly measured: number;
}

/** How strongly the plain sum is kept: as strongly as this share of the networks speaks for something else. */
const PENALTY = 0.01;
/** Fewer networks say nothing. */
const LEAST_NETWORKS = 5;
/** Rounds of reweighting, and the multiple of the median error beyond which a network counts less: its latency may have been disturbed. */
const ROUNDS = 20;
const FAR = 2;
/** Fewer networks do not say which kind of work takes longer within a network. */
const LEAST_FOR_WORK = 40;
const PENALTIES = [3, 10, 30, 100, 300, Number.POSITIVE_INFINITY];
const FOLDS = 5;
/** Errors beyond a third are taken for disturbances. */
const MOST = Math.log(4 / 3);

type Correct = (sums: BlockSums) => number;

/**
 * ms of a network by the sums over its blocks: what a block that is timed alone costs more (its values are arranged for it) or less (its weights stay in
 * the cache) is corrected. Least squares of relative errors, those of outliers by their absolute value (Huber 1964). With more networks, ridge regression on
 * the kinds of work corrects the rest, as strongly as cross-validation says.
 */
export function fitNetworks(networks: readonly Known[]): Correct {
  const correct = fitSums(networks);
  return networks.length < LEAST_FOR_WORK ? correct : fitWork(networks, correct);
}

function fitSums(networks: readonly Known[]): Correct {
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

const featureOf = ({ features }: BlockSums, name: (typeof BLOCK_FEATURES)[number]) =>
  features[BLOCK_FEATURES.indexOf(name)] ?? 0;

function fitWeighted(networks: readonly Known[], trust: readonly number[]): Correct {
  const row = (sums: BlockSums) => [
    sums.ms,
    sums.blocks,
    featureOf(sums, 'read') + featureOf(sums, 'written'),
    featureOf(sums, 'weights'),
  ];
  const mean = (of: (one: Known) => number) => networks.reduce((sum, one) => sum + of(one), 0) / networks.length;
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
  return (sums) =>
    Math.max(least, sums.ms + scaled(sums).reduce((sum, value, j) => sum + value * (weights[j] ?? 0), 0));
}

function fitWork(networks: readonly Known[], correct: Correct): Correct {
  const logs = (sums: BlockSums) => [...sums.features, correct(sums)].map((value) => Math.log1p(value));
  const raw = networks.map(logs);
  const columns = (raw[0] ?? []).map((_, j) => standard(raw.map((row) => row[j] ?? 0)));
  const rowOf = (sums: BlockSums) => logs(sums).map((value, j) => columns[j]?.(value) ?? 0);
  const rows = networks.map(rowOf);
  const rest = networks.map((one) => Math.max(-MOST, Math.min(MOST, Math.log(one.measured / correct(one)))));
  const penalty = PENALTIES.toSorted((a, b) => heldOut(rows, rest, a) - heldOut(rows, rest, b))[0] ?? 0;
  if (!Number.isFinite(penalty)) return correct;
  const predict = fitRidge(rows, rest, penalty);
  return (sums) => correct(sums) * Math.exp(Math.max(-MOST, Math.min(MOST, predict(rowOf(sums)))));
}

/** Subtracts the mean and divides by the deviation; 0 where all are the same. */
function standard(values: readonly number[]): (value: number) => number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return (value) => (deviation < 1e-9 ? 0 : (value - mean) / deviation);
}

/** The mean absolute error of what a ridge regression with this penalty predicts of rows that it was not fitted to. */
function heldOut(rows: readonly (readonly number[])[], targets: readonly number[], penalty: number): number {
  const errors = Array.from({ length: FOLDS }, (_, fold) => {
    const used = rows.flatMap((_, i) => (i % FOLDS === fold ? [] : [i]));
    const predict = Number.isFinite(penalty)
      ? fitRidge(
          used.map((i) => rows[i] ?? []),
          used.map((i) => targets[i] ?? 0),
          penalty,
        )
      : () => 0;
    return rows.flatMap((row, i) => (i % FOLDS === fold ? [Math.abs(predict(row) - (targets[i] ?? 0))] : []));
  }).flat();
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
