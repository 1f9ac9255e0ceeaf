import { invalid, messageOf, UserError } from '../../common/errors.ts';
import type { Rng } from '../../common/random.ts';
import { fitForest } from '../../model/forest.ts';
import { fitHyperparameters, gaussianProcess, type Prediction, rowMetric } from '../../model/gaussian-process.ts';
import { trainMlpEnsemble } from '../../model/mlp-ensemble.ts';
import type { ModelTools } from '../../model/tools.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { checkArchitecture } from '../../space/tree/architecture.ts';
import { type Estimator, TrialFailure } from '../estimator.ts';
import { blocksOf, type FeatureKind } from './features.ts';
import { fitGraphNetworks } from './graph-network.ts';
import { engineOf, predictionOf, scaling } from './support.ts';

/** What was found out of an architecture: a complete trial of a study, a row of a table. */
export interface Known {
  readonly architecture: Architecture;
  readonly value: number;
}

export interface PredictorOptions {
  readonly model: 'gaussian-process' | 'forest' | 'mlp-ensemble' | 'graph-network';
  /** What the model sees. A graph network reads the cell itself: it has `graph` alone. */
  readonly features: FeatureKind;
}

/** What a value will be, in its own unit. */
export type Predictor = (architecture: Architecture) => Prediction;

interface Training {
  readonly rows: readonly (readonly number[])[];
  /** Columns of each block, [start, end). */
  readonly blocks: readonly (readonly [number, number])[];
  /** Mean 0, deviation 1. */
  readonly targets: readonly number[];
  readonly rng: Rng;
  readonly tools: ModelTools;
}

/** What a model predicts of a row, in units of the targets. */
type Fitted = (row: readonly number[]) => Prediction;

const MODELS = {
  'gaussian-process': fitProcess,
  forest: fitTrees,
  'mlp-ensemble': fitEnsemble,
} as const satisfies Readonly<
  Record<Exclude<PredictorOptions['model'], 'graph-network'>, (training: Training) => Promise<Fitted>>
>;

/** The Gaussian process's hyperparameters are fitted to at most this many observations: the cost grows with their third power. */
const MOST_FITTED = 150;
const MLP = { members: 5, hidden: 16, steps: 300, learningRate: 0.01 } as const;

/**
 * Learns to predict a metric of a space's architectures from what is known of some of them: a Gaussian process, a forest of random
 * trees, or an ensemble of networks, on one of three kinds of features, or an ensemble of graph networks. `variance` is what the model does not know, noise of a
 * single training aside: the process's posterior, the spread of the trees (and within their leaves), the spread of the networks.
 *
 * Throws UserError for fewer than two different values, an ensemble without an engine, or a graph network
 * on other features than `graph` or for a space without cells.
 */
export async function trainPredictor(
  space: Space,
  known: readonly Known[],
  { model, features }: PredictorOptions,
  rng: Rng,
  tools: ModelTools = {},
): Promise<Predictor> {
  const values = known.map(({ value }) => value);
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
  if (new Set(values).size < 2)
    throw invalid(
      'predictor',
      `${values.length} values are known, all equal`,
      'it needs at least two different values',
    );
  const standard = values.map((value) => (value - mean) / deviation);
  const inUnits = (found: Prediction): Prediction => ({
    mean: mean + deviation * found.mean,
    variance: deviation ** 2 * found.variance,
  });
  if (model === 'graph-network') {
    if (features !== 'graph') throw invalid('predictor', `features=${features}`, 'model=graph-network reads the graph');
    const architectures = known.map(({ architecture }) => architecture);
    const fitted = await fitGraphNetworks(space, architectures, standard, rng, tools);
    return (architecture) => inUnits(fitted(checkArchitecture(space, architecture)));
  }
  const blocks = blocksOf(space, features);
  const raw = known.map(({ architecture }) => blocks(architecture));
  const scale = scaling(raw.map((row) => row.flat()));
  let start = 0;
  const spans = (raw[0] ?? []).flatMap((block): [number, number][] => {
    const from = start;
    start += block.length;
    return block.length === 0 ? [] : [[from, start]];
  });
  const fitted = await MODELS[model]({
    rows: raw.map((row) => scale(row.flat())),
    blocks: spans,
    targets: standard,
    rng,
    tools,
  });
  return (architecture) => inUnits(fitted(scale(blocks(checkArchitecture(space, architecture)).flat())));
}

/**
 * A predictor as an estimator: one look at a candidate, at negligible cost. Metrics are the predicted one, and the deviation
 * of the prediction as `predictedDeviation`. A candidate that is no member of the space fails.
 */
export function predictorEstimator(predict: Predictor, metric: string): Estimator {
  return {
    async estimate({ architecture }, { fidelity, signal, report }) {
      signal.throwIfAborted();
      const { mean, variance } = attempt(() => predict(architecture));
      const metrics = { [metric]: mean, predictedDeviation: Math.sqrt(variance) };
      const point = { step: fidelity.epochs, metrics, seconds: 0 };
      await report(point, undefined); // It ends whatever the answer.
      signal.throwIfAborted();
      return { state: 'complete', metrics, curve: [point], seconds: 0 };
    },
  };
}

function attempt<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof UserError ? new TrialFailure(messageOf(error), { cause: error }) : error;
  }
}

async function fitProcess({ rows, blocks, targets }: Training): Promise<Fitted> {
  const metric = rowMetric(blocks);
  const process = gaussianProcess(
    metric,
    fitHyperparameters(metric, rows.slice(0, MOST_FITTED), targets.slice(0, MOST_FITTED)),
  );
  for (const row of rows) process.add(row);
  const posterior = process.given(targets);
  return (row) => posterior.predict(row);
}

async function fitTrees({ rows, targets, rng }: Training): Promise<Fitted> {
  const table = { rows: rows.length, columns: rows[0]?.length ?? 0, data: rows.flat() };
  const forest = fitForest(table, targets, rng);
  return (row) => forest.predict(row);
}

async function fitEnsemble({ rows, targets, rng, tools }: Training): Promise<Fitted> {
  const engine = await engineOf('mlp-ensemble', tools);
  const sparse = (row: readonly number[]) =>
    new Map(row.flatMap((value, i): [number, number][] => (value === 0 ? [] : [[i, value]])));
  const ensemble = await trainMlpEnsemble(engine, rows.map(sparse), targets, rng, MLP);
  return (row) => {
    return predictionOf(ensemble.predict(sparse(row)));
  };
}
