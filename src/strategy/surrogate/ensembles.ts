/** The ensembles that BANANAS can learn by. */
import type { Rng } from '../../common/random.ts';
import { trainGraphNetworks } from '../../model/graph-network.ts';
import { trainMlpEnsemble } from '../../model/mlp-ensemble.ts';
import type { ModelEngine } from '../../model/tools.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { cellGraph } from '../../space/tree/cell-graph.ts';
import { featuresOf } from './features.ts';

export const ENSEMBLES = ['mlp-ensemble', 'graph-network'] as const;

/** What each member predicts of an architecture. */
export type Predict = (architecture: Architecture) => Float64Array;

/** Trains an ensemble. `targets` have mean 0 and deviation 1. */
export type TrainEnsemble = (
  engine: ModelEngine,
  architectures: readonly Architecture[],
  targets: ArrayLike<number>,
  rng: Rng,
  members: number,
) => Promise<Predict>;

const ON_PATHS = { hidden: 32, steps: 100, learningRate: 0.01 };
const ON_GRAPHS = { hidden: 16, steps: 150, learningRate: 0.02 };

/** Throws UserError for a graph network on a space without cells. */
export function ensembleFor(model: (typeof ENSEMBLES)[number], space: Space): TrainEnsemble {
  if (model === 'graph-network') {
    const { shape, rowOf } = cellGraph(space);
    return async (engine, architectures, targets, rng, members) => {
      const rows = architectures.map(rowOf);
      const networks = await trainGraphNetworks(engine, shape, rows, targets, rng, { ...ON_GRAPHS, members });
      return (architecture) => networks.predict(rowOf(architecture));
    };
  }
  const { rowOf } = featuresOf(space, 'path');
  return async (engine, architectures, targets, rng, members) => {
    const rows = architectures.map(rowOf);
    const networks = await trainMlpEnsemble(engine, rows, targets, rng, { ...ON_PATHS, members });
    return (architecture) => networks.predict(rowOf(architecture));
  };
}
