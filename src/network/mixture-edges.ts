import type { Module } from '../space/tree/module.ts';
import { childrenOf } from '../space/tree/walk.ts';
import type { ModuleOf } from './lowering.ts';
import type { OpenDecision } from './network.ts';

/** The nodes of a supernet's cells that weigh the edges that come in. */
export interface IncomingRows {
  /** One for each different node, its options the numbers of the nodes that it reads. Where the node's wiring is open, that is its name. */
  readonly decisions: readonly OpenDecision[];
  /** The row of a dag's node, by its place among the nodes after the inputs; undefined: nothing is weighed there. */
  nameOf(dag: ModuleOf<'dag'>, node: number): string | undefined;
}

/**
 * Edge normalization of PC-DARTS (Xu et al. 2020, section 3.3): a node with several incoming edges, of which one at least has a choice
 * of operations, weighs them. Nodes of the same number whose edges have the same decisions are one, as the normal cells of DARTS are.
 */
export function incomingRows(network: Module): IncomingRows {
  const byKey = new Map<string, OpenDecision>();
  const names = new Set<string>();
  const ofDag = new Map<Module, readonly (string | undefined)[]>();

  function rowOf(dag: ModuleOf<'dag'>, node: number): string | undefined {
    const to = dag.entries.length + node;
    const { from, edges } = dag.nodes[node] ?? { from: [], edges: [] };
    const sources = 'kind' in from ? Array.from({ length: to }, (_, i) => i) : from;
    const operations = sources.map((i) => operationOf(edges[i]));
    const [decision] = operations.filter((one) => one !== undefined);
    if (sources.length < 2 || decision === undefined) return undefined;
    const wiring = 'kind' in from ? from.name : undefined;
    const key = JSON.stringify([to, wiring, sources, operations]);
    const usual = wiring ?? `${decision.slice(0, decision.lastIndexOf('/') + 1)}${to}<-`;
    const name = byKey.get(key)?.name ?? (names.has(usual) ? `${usual} ${operations.join(', ')}` : usual);
    names.add(name);
    byKey.set(key, { name, options: sources.map(String) });
    return name;
  }

  function visit(module: Module): void {
    if (module.kind === 'dag' && !ofDag.has(module)) {
      ofDag.set(
        module,
        module.nodes.map((_, i) => rowOf(module, i)),
      );
    }
    for (const child of childrenOf(module)) visit(child);
  }
  visit(network);
  return { decisions: [...byKey.values()], nameOf: (dag, node) => ofDag.get(dag)?.[node] };
}

/** The open choice that a module is, or the first one in its sequence. */
function operationOf(module: Module | undefined): string | undefined {
  if (module?.kind === 'choice' && Object.keys(module.options).length > 1) return module.name;
  if (module?.kind !== 'sequential') return undefined;
  return module.children.map(operationOf).find((one) => one !== undefined);
}
