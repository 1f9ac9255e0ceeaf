import type { Rng } from '../../common/random.ts';
import type { Prediction } from '../../model/gaussian-process.ts';
import { trainGraphNetworks } from '../../model/graph-network.ts';
import type { ModelTools } from '../../model/tools.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { cellGraph } from '../../space/tree/cell-graph.ts';
import { ofNetwork } from './features.ts';
import { engineOf, predictionOf, scaling } from './support.ts';

const NETWORKS = { members: 5, hidden: 32, steps: 300, learningRate: 0.01 } as const;

/**
 * An ensemble of graph networks on the cells; their read-out has the other decisions beside them, and the logarithms of the network's
 * parameters, FLOPs and so on. Targets have mean 0 and deviation 1; far outliers are cut, or the squared error would see nothing else.
 */
export async function fitGraphNetworks(
  space: Space,
  architectures: readonly Architecture[],
  targets: readonly number[],
  rng: Rng,
  tools: ModelTools,
): Promise<(architecture: Architecture) => Prediction> {
  const { shape, rowOf } = cellGraph(space);
  const engine = await engineOf('graph-network', tools);
  const costs = (architecture: Architecture) => ofNetwork(space, architecture).flat();
  const scale = scaling(architectures.map(costs));
  const beside = scale([]).length;
  const row = (architecture: Architecture) => {
    const { edges, nodes, features } = rowOf(architecture);
    return { edges, nodes, features: [...features, ...scale(costs(architecture))] };
  };
  const networks = await trainGraphNetworks(
    engine,
    { ...shape, features: shape.features + beside },
    architectures.map(row),
    withoutOutliers(targets),
    rng,
    NETWORKS,
  );
  return (architecture) => predictionOf(networks.predict(row(architecture)));
}

/** Targets within the fences of Tukey (1977): 1.5 times the distance of the quartiles beyond them. */
function withoutOutliers(targets: readonly number[]): number[] {
  const sorted = targets.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  const reach = 1.5 * (at(0.75) - at(0.25));
  return targets.map((target) => Math.min(at(0.75) + reach, Math.max(at(0.25) - reach, target)));
}
