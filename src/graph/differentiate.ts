import { type NodeId, sizeOf } from './ir.ts';
import { add, constant, definitionOf, type GraphBuilder, zerosLike } from './ops.ts';

/**
 * Reverse-mode differentiation: appends the gradients of `output`, which has one element, by each of `wrt`, and returns
 * their nodes, each of the shape of what it is the gradient by; zeros where the output does not depend on it. A wanted
 * node may lie anywhere, also before another wanted one. The result is made of IR operators alone, so that `gradients`
 * applies to it again: second derivatives are gradients of a sum over first ones.
 *
 * Only branches between `wrt` and `output` are walked. New nodes carry the builder's path at the call.
 */
export function gradients(g: GraphBuilder, output: NodeId, wrt: readonly NodeId[]): NodeId[] {
  const shape = g.shape(output);
  if (sizeOf(shape) !== 1) throw new Error(`gradients of [${shape.join(',')}]: the output has one element`);
  const reached = reachedFrom(g, wrt, output);
  const sums = new Map<NodeId, NodeId>([[output, constant(g, 1, shape)]]);
  for (let id = output; id >= 0; id--) {
    const upstream = sums.get(id);
    const node = g.nodes[id];
    if (upstream === undefined || node === undefined || reached[id] !== 1) continue;
    const { op, inputs } = node;
    const definition = definitionOf(op.kind);
    const wants = (i: number) => reached[inputs[i] ?? -1] === 1 && (definition.differentiable?.(op, i) ?? true);
    if (!inputs.some((_, i) => wants(i))) continue;
    const shares = definition.gradient(g, { op, inputs, output: id, upstream, wants });
    inputs.forEach((from, i) => {
      const share = shares[i];
      if (share === undefined || !wants(i)) return;
      const sum = sums.get(from);
      sums.set(from, sum === undefined ? share : add(g, sum, share));
    });
  }
  return wrt.map((id) => (reached[id] === 1 ? sums.get(id) : undefined) ?? zerosLike(g, id));
}

/** 1 for each node up to `last` whose value changes with one of `wrt`. */
function reachedFrom(g: GraphBuilder, wrt: readonly NodeId[], last: NodeId): Uint8Array {
  const reached = new Uint8Array(last + 1);
  const wanted = new Set(wrt);
  for (let id = 0; id <= last; id++) {
    const node = g.nodes[id];
    if (node === undefined) continue;
    const { differentiable } = definitionOf(node.op.kind);
    const follows = node.inputs.some((from, i) => reached[from] === 1 && (differentiable?.(node.op, i) ?? true));
    if (wanted.has(id) || follows) reached[id] = 1;
  }
  return reached;
}
