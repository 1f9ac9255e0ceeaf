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
  graph.nodes.forEach((node, id) => {
    // A node that is left out may stand behind others that are left out too.
    const known = node.inputs.every((from) => replacement[from] !== undefined);
    const inputs = known ? node.inputs.map(renamed) : [];
    replacement.push(known ? g.within(node.path, () => visit({ ...node, inputs }, id, g, renamed)) : undefined);
  });
  return finish(g, Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, renamed(id)])));
}
