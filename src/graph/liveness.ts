import type { Graph } from './ir.ts';

/** Which nodes the outputs need. */
export function neededNodes(graph: Graph): Uint8Array {
  const needed = new Uint8Array(graph.nodes.length);
  for (const id of Object.values(graph.outputs)) needed[id] = 1;
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (needed[id] === 1) for (const from of graph.nodes[id]?.inputs ?? []) needed[from] = 1;
  }
  return needed;
}

/**
 * For each node the last node that reads it: itself where none does, `nodes.length` for the outputs. Nodes that are not
 * needed read nothing when `needed` is given.
 */
export function lastUses(graph: Graph, needed?: Uint8Array): Int32Array {
  const last = Int32Array.from(graph.nodes, (_, id) => id);
  graph.nodes.forEach((node, id) => {
    if (needed === undefined || needed[id] === 1) for (const from of node.inputs) last[from] = id;
  });
  for (const id of Object.values(graph.outputs)) last[id] = graph.nodes.length;
  return last;
}
