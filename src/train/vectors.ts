/** Many tensors end to end in one vector: a few operators on a long vector cost less than many on short ones. */
import type { GraphBuilder } from '../graph/builder.ts';
import { type NodeId, type Shape, sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';

/** Tensors of any shape as one vector. */
export function pack(g: GraphBuilder, nodes: readonly NodeId[]): NodeId {
  return ops.concat(
    g,
    nodes.map((node) => ops.reshape(g, node, [sizeOf(g.shape(node))])),
    0,
  );
}

/** The tensors of these shapes that lie end to end in a vector. */
export function unpack(g: GraphBuilder, vector: NodeId, parts: readonly { readonly shape: Shape }[]): NodeId[] {
  let start = 0;
  return parts.map(({ shape }) => {
    const end = start + sizeOf(shape);
    const part = ops.reshape(g, ops.slice(g, vector, [start], [end]), shape);
    start = end;
    return part;
  });
}
