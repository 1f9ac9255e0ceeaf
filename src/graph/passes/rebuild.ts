import type { Graph, Node, NodeId, Op, Shape } from '../ir.ts';

/** What a pass does with one node whose inputs are already those of the new graph. */
export interface Rebuilder {
  readonly nodes: readonly Node[];
  /** Appends a node to the new graph. */
  emit(node: Node): NodeId;
}

/**
 * Walks the nodes in order and builds a graph anew: `visit` answers, for each node, the node of the new graph that stands
 * for it, or undefined to leave it out. Outputs keep their names.
 */
export function rebuild(graph: Graph, visit: (node: Node, id: NodeId, to: Rebuilder) => NodeId | undefined): Graph {
  const nodes: Node[] = [];
  const to: Rebuilder = {
    nodes,
    emit(node) {
      nodes.push(Object.freeze(node));
      return nodes.length - 1;
    },
  };
  const replacement: (NodeId | undefined)[] = [];
  const renamed = (id: NodeId): NodeId => {
    const found = replacement[id];
    if (found === undefined) throw new Error(`a pass left out node ${id}, which is still used`);
    return found;
  };
  graph.nodes.forEach((node, id) => {
    // A node that is left out may stand behind others that are left out too.
    const known = node.inputs.every((from) => replacement[from] !== undefined);
    replacement.push(known ? visit({ ...node, inputs: node.inputs.map(renamed) }, id, to) : undefined);
  });
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, id]) => [name, renamed(id)]));
  return Object.freeze({ nodes: Object.freeze(nodes), outputs: Object.freeze(outputs) });
}

/** A node of which a pass knows the shape. */
export function made(op: Op, inputs: readonly NodeId[], shape: Shape, like: Node): Node {
  return { op, inputs, shape, dtype: like.dtype, path: like.path };
}
