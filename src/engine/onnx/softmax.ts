import type { Graph, NodeId } from '../../graph/ir.ts';
import { useCounts } from '../../graph/passes/uses.ts';

export interface Softmax {
  readonly from: NodeId;
  readonly axis: number;
  /** Its logarithm, which need not be made. */
  readonly logarithm: NodeId;
}

/** By node, the exponentials of log-softmaxes that have no other reader: each becomes one `Softmax`. */
export function findSoftmaxes(graph: Graph): ReadonlyMap<NodeId, Softmax> {
  const { nodes } = graph;
  const uses = useCounts(graph);
  return new Map(
    nodes.flatMap(({ op, inputs: [logarithm = -1] }, id) => {
      const inner = nodes[logarithm];
      if (op.kind !== 'unary' || op.fn !== 'exp' || inner?.op.kind !== 'logSoftmax' || uses[logarithm] !== 1) return [];
      return [[id, { from: inner.inputs[0] ?? -1, axis: inner.op.axis, logarithm }] as const];
    }),
  );
}
