import type { Graph, NodeId } from '../ir.ts';

/** How often each node is read; being an output counts as much as two readers. */
export function useCounts({ nodes, outputs }: Graph): Int32Array {
  const uses = new Int32Array(nodes.length);
  for (const { inputs } of nodes) for (const from of inputs) uses[from] = (uses[from] ?? Number.NaN) + 1;
  for (const id of Object.values(outputs)) uses[id] = (uses[id] ?? Number.NaN) + 2;
  return uses;
}

/** The nodes that read each node, a node that reads it twice twice. */
export function readersOf({ nodes }: Graph): readonly (readonly NodeId[])[] {
  const readers: NodeId[][] = nodes.map(() => []);
  for (const [id, { inputs }] of nodes.entries()) for (const from of inputs) readers[from]?.push(id);
  return readers;
}
