import type { Node, NodeId } from './ir.ts';
import { definitionOf } from './ops.ts';

/**
 * The multiply-accumulates of one node: convolutions and matrix products, a bias counted once an output; everything else
 * is 0, as the field counts them.
 */
export function flopsOf(nodes: readonly Node[], id: NodeId): number {
  const node = nodes[id];
  if (node === undefined) throw new RangeError(`no node ${id} among ${nodes.length}`);
  const shapes = node.inputs.map((from) => nodes[from]?.shape ?? []);
  return definitionOf(node.op.kind).flops(node.op, shapes, node.shape);
}

/** The multiply-accumulates of all nodes, those that no output needs included. */
export function totalFlops(nodes: readonly Node[]): number {
  return nodes.reduce((sum, _, id) => sum + flopsOf(nodes, id), 0);
}
