import { createGraph, finish } from '../builder.ts';
import type { Graph, Node, NodeId } from '../ir.ts';
import type { GraphBuilder } from '../ops.ts';

/**
 * What a pass does with one node whose inputs are already those of the new graph: adds its replacement to `g`, where new
 * nodes get this node's path, and answers its id there; undefined leaves the node out. `renamed` gives the replacement of an
 * earlier node of the old graph.
 */
export type Visit = (node: Node, id: NodeId, g: GraphBuilder, renamed: (old: NodeId) => NodeId) => NodeId | undefined;

/** Walks the nodes in order and builds a new graph. Outputs keep their names. */
export function rebuild(graph: Graph, visit: Visit): Graph {
  const g = createGraph();
  const replacement: (NodeId | undefined)[] = [];
  const renamed = (id: NodeId): NodeId => {
    const found = replacement[id];
    if (found === undefined) throw new Error(`a pass left out node ${id}, which is still used`);
    return found;
  };
  for (const [id, node] of graph.nodes.entries()) {
    const { op, shape, dtype, path } = node;
    // A node that is left out may stand behind others that are left out too.
    const known = node.inputs.every((from) => replacement[from] !== undefined);
    const own = known ? { op, inputs: node.inputs.map(renamed), shape, dtype, path } : undefined;
    replacement.push(own && g.within(path, () => visit(own, id, g, renamed)));
  }
  return finish(g, Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, renamed(id)])));
}
