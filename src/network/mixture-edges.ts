import type { Module, Read } from '../space/tree/module.ts';
import { readsOf, sourcesOf } from '../space/tree/reads.ts';
import { childrenOf } from '../space/tree/walk.ts';
import type { OpenDecision } from './network.ts';
import { isOpenRead, isRanked, operationOf, optionsOf } from './open-decisions.ts';

/** The nodes of a supernet's cells that weigh the edges that come in. */
export interface IncomingRows {
  /** One for each different `Read`, its options the numbers of the nodes that it reads. Where the wiring is open, that is its name. */
  readonly decisions: readonly OpenDecision[];
  /** The row of a dag's `Read`; undefined: nothing is weighed there. */
  nameOf(read: Read): string | undefined;
}

/**
 * Edge normalization of PC-DARTS (Xu et al. 2020, section 3.3): a node with several incoming edges, of which one at least has a choice
 * of operations, weighs them. Nodes of the same number whose edges have the same decisions are one, as the normal cells of DARTS are.
 * Wiring that is not ranked by its operations has weights already (`openDecisions`).
 */
export function incomingRows(network: Module): IncomingRows {
  const byKey = new Map<string, OpenDecision>();
  const names = new Set<string>();
  const ofReads = new Map<Read, string | undefined>();

  function rowOf(read: Read): string | undefined {
    const to = read.edges.length;
    const sources = sourcesOf(read);
    const operations = sources.map((i) => operationOf(read.edges[i]));
    const [decision] = operations.filter((one) => one !== undefined);
    if (sources.length < 2 || decision === undefined) return undefined;
    if (isOpenRead(read) && !isRanked(read)) return undefined;
    const wiring = isOpenRead(read) ? read.from.name : undefined;
    const key = JSON.stringify([to, wiring, sources, operations]);
    const usual = wiring ?? `${decision.slice(0, decision.lastIndexOf('/') + 1)}${to}<-`;
    const name = byKey.get(key)?.name ?? (names.has(usual) ? `${usual} ${operations.join(', ')}` : usual);
    names.add(name);
    byKey.set(key, { name, options: optionsOf(read) });
    return name;
  }

  function visit(module: Module): void {
    if (module.kind === 'dag')
      for (const read of module.nodes.flatMap(readsOf)) if (!ofReads.has(read)) ofReads.set(read, rowOf(read));
    for (const child of childrenOf(module)) visit(child);
  }
  visit(network);
  return { decisions: [...byKey.values()], nameOf: (read) => ofReads.get(read) };
}
