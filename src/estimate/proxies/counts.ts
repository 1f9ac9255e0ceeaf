/** Proxies that need no numbers of the network, only its tree. */
import type { DatasetInfo } from '../../data/dataset.ts';
import { networkCosts } from '../../network/costs.ts';
import type { Module } from '../../space/tree/module.ts';
import { readsOf, sourcesOf } from '../../space/tree/reads.ts';
import { mapChildren } from '../../space/tree/resolve.ts';
import { spaceTask } from '../../task/index.ts';
import type { TaskDefinition } from '../../task/task.ts';

/** Parameters and multiply-accumulates of one sample's inference, as `networkCosts` counts them. No pass at all. */
export function costScores(
  network: Module,
  info: DatasetInfo,
  own?: TaskDefinition,
): { readonly params: number; readonly flops: number } {
  const { params, flops } = networkCosts(network, spaceTask(info, own));
  return { params, flops };
}

/**
 * How far identities reach: the mean, over all identities on the edges of cells, of the nodes that an edge passes by (Cavagnero et al. 2023, the
 * third metric of FreeREA); 0 without any. Differs: edges of every cell count, an identity as a residual's shortcut as passing by one.
 */
export function skipReach(network: Module): number {
  const reaches: number[] = [];
  const visit = (module: Module): Module => {
    if (module.kind === 'residual' && isIdentity(module.shortcut)) reaches.push(1);
    if (module.kind === 'dag') {
      for (const [i, node] of module.nodes.entries()) {
        const to = module.entries.length + i;
        for (const read of readsOf(node))
          for (const source of sourcesOf(read)) {
            const edge = read.edges[source];
            if (edge !== undefined && isIdentity(edge)) reaches.push(to - source - 1);
          }
      }
    }
    return mapChildren(module, visit);
  };
  visit(network);
  return reaches.length === 0 ? 0 : reaches.reduce((sum, reach) => sum + reach, 0) / reaches.length;
}

/** An identity, or a choice that has been made for one. */
function isIdentity(module: Module): boolean {
  if (module.kind !== 'choice') return module.kind === 'identity';
  const options = Object.values(module.options);
  return options.length === 1 && options.every(isIdentity);
}
