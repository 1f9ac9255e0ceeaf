import { networkCosts } from '../../network/costs.ts';
import type { Architecture, Decision, Space } from '../../space/space.ts';
import { cellsOf, decisionsOf } from '../../space/tree/cells.ts';
import { decisions } from '../../space/tree/decisions.ts';
import { encodeAdjacency, encodeOneHot, encodePath } from '../../space/tree/encode.ts';
import type { Module } from '../../space/tree/module.ts';
import { resolve } from '../../space/tree/resolve.ts';

export type FeatureKind = 'one-hot' | 'path' | 'graph';

/** With more decisions, all of them are one block. */
const MOST_BLOCKS = 16;
/** In large cells, only paths of at most this many operations count, as White et al. 2021 (section 3) truncate them. */
const LONGEST_PATH = 3;
/** Modules that are counted. */
const KINDS: readonly Module['kind'][] = ['conv', 'pool', 'linear', 'activation', 'batchNorm', 'layerNorm', 'residual'];

/**
 * An architecture in blocks of numbers, the same blocks for all of a space; each is what belongs together: a decision, a cell,
 * a number of the whole network.
 *
 * one-hot: every decision. path: the sequences of operations through each cell (BANANAS, White et al. 2021), and the decisions
 * that are no part of a cell. graph: the operations on each cell's edges and the other decisions, and of the network as it is built
 * the logarithms of parameters, FLOPs and activations and of how many modules it has of a kind. A space without cells has no paths
 * and no edges: all its decisions stand for themselves.
 */
export function blocksOf(space: Space, kind: FeatureKind): (architecture: Architecture) => readonly number[][] {
  const cells = kind === 'one-hot' ? [] : cellsOf(space);
  const inCells = new Set(cells.flatMap(decisionsOf));
  let start = 0;
  const columns = decisions(space).map((decision) => {
    const from = start;
    start += widthOf(decision);
    return { decision, from, to: start };
  });
  const free = columns.filter(({ decision }) => !inCells.has(decision.name));

  return (architecture) => {
    const row = encodeOneHot(space, architecture);
    const alone = free.map(({ from, to }) => row.slice(from, to));
    const ofDecisions = alone.length > MOST_BLOCKS ? [alone.flat()] : alone;
    if (kind === 'one-hot') return ofDecisions;
    const longest = LONGEST_PATH;
    const encode = () =>
      kind === 'path' ? encodePath(space, architecture, { longest }) : encodeAdjacency(space, architecture);
    const ofCells = cells.length === 0 ? [] : [encode()];
    return [...ofDecisions, ...ofCells, ...(kind === 'graph' ? ofNetwork(space, architecture) : [])];
  };
}

/** As many columns as the decision has in a one-hot encoding. */
function widthOf({ domain }: Decision): number {
  if (domain.kind === 'values') return domain.values.length;
  return domain.kind === 'inputs' ? domain.from : 1;
}

/** Numbers of the whole network, each as a block. */
export function ofNetwork(space: Space, architecture: Architecture): number[][] {
  const { params, flops, activationBytes, layers } = networkCosts(resolve(space, architecture), space.task);
  const counts = KINDS.map((kind) => layers.filter((layer) => layer.kind === kind).length);
  return [params, flops, activationBytes, ...counts].map((value) => [Math.log1p(value)]);
}
