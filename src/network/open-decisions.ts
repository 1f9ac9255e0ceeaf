import type { InputsChoice, Module, Read } from '../space/tree/module.ts';
import { readsOf, sourcesOf } from '../space/tree/reads.ts';
import { childrenOf } from '../space/tree/walk.ts';
import type { OpenDecision } from './network.ts';

/** A `Read` whose inputs are open. */
export type OpenRead = Read & { readonly from: InputsChoice };

export const isOpenRead = (read: Read): read is OpenRead => 'kind' in read.from;

/** The choices still open, in the order of the walk, each name once. */
export function openChoices(network: Module): OpenDecision[] {
  return found(network, (module) => (module.kind === 'choice' ? [[module.name, Object.keys(module.options)]] : []));
}

/** The wiring still open, each name once; its options are the numbers of the nodes that may be read. */
export function openWirings(network: Module): OpenDecision[] {
  return found(network, (module) => openReads(module).map((read) => [read.from.name, optionsOf(read)]));
}

/** What a mixture weighs: the open choices, and the wiring that their options do not rank (`isRanked`). */
export function openDecisions(network: Module): OpenDecision[] {
  return found(network, (module) =>
    module.kind === 'choice'
      ? [[module.name, Object.keys(module.options)]]
      : openReads(module).flatMap((read) => (isRanked(read) ? [] : [[read.from.name, optionsOf(read)] as const])),
  );
}

/**
 * Whether the strongest operation of an edge says how strong the edge is: each edge has a choice of its own. A node that picks several
 * inputs is always ranked so: options of which one is taken cannot be weighed for it.
 */
export function isRanked({ from, edges }: OpenRead): boolean {
  if (from.count > 1) return true;
  const operations = edges.map(operationOf);
  return operations.every((one) => one !== undefined) && new Set(operations).size === edges.length;
}

/** The open choice that a module is, or the first one in its sequence. */
export function operationOf(module: Module | undefined): string | undefined {
  if (module?.kind === 'choice' && Object.keys(module.options).length > 1) return module.name;
  if (module?.kind !== 'sequential') return undefined;
  return module.children.map(operationOf).find((one) => one !== undefined);
}

/** The names of the earlier nodes of a `Read`, as options. */
export const optionsOf = (read: Read): readonly string[] => sourcesOf(read).map(String);

const openReads = (module: Module): readonly OpenRead[] =>
  module.kind === 'dag' ? module.nodes.flatMap(readsOf).filter(isOpenRead) : [];

function found(
  network: Module,
  decisionsOf: (module: Module) => readonly (readonly [name: string, options: readonly string[]])[],
): OpenDecision[] {
  const decisions = new Map<string, OpenDecision>();
  const visit = (module: Module): void => {
    for (const [name, options] of decisionsOf(module))
      if (options.length > 1 && !decisions.has(name)) decisions.set(name, { name, options });
    for (const child of childrenOf(module)) visit(child);
  };
  visit(network);
  return [...decisions.values()];
}
