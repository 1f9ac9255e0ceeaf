/** What rules ask about the operands of a node. */
import { type NodeId, type OpKind, type OpOf, type Shape, sizeOf } from '../../ir.ts';
import { sameShape } from '../../ops/definition.ts';
import { broadcastShape } from '../../ops/strides.ts';
import type { Rewriter } from '../simplify.ts';

/** A node of this kind behind `id`. */
export function ofKind<K extends OpKind>(
  r: Rewriter,
  id: NodeId | undefined,
  kind: K,
): { readonly op: OpOf<K>; readonly inputs: readonly NodeId[]; readonly shape: Shape } | undefined {
  if (id === undefined) return undefined;
  const { op, inputs, shape } = r.node(id);
  return op.kind === kind ? { op: op as OpOf<K>, inputs, shape } : undefined;
}

/** The operands of a binary function that makes `id`. */
export function binaryOf(
  r: Rewriter,
  id: NodeId,
  ...fns: readonly OpOf<'binary'>['fn'][]
): readonly [a: NodeId, b: NodeId] | undefined {
  const found = ofKind(r, id, 'binary');
  return found !== undefined && fns.includes(found.op.fn) ? pair(found.inputs) : undefined;
}

/** The operand of a negation. */
export function negated(r: Rewriter, id: NodeId): NodeId | undefined {
  const found = ofKind(r, id, 'unary');
  return found?.op.fn === 'neg' ? found.inputs[0] : undefined;
}

/** The number that a tensor is everywhere, if it is known: a constant of one element, or a broadcast one. */
export function numberOf(r: Pick<Rewriter, 'node'>, id: NodeId): number | undefined {
  const { op, inputs } = r.node(id);
  if (op.kind === 'broadcastTo') return numberOf(r, inputs[0] ?? id);
  return op.kind === 'constant' && op.data.length === 1 ? op.data[0] : undefined;
}

export function isConstant(r: Rewriter, id: NodeId): boolean {
  return r.node(id).op.kind === 'constant';
}

export function pair(inputs: readonly NodeId[]): readonly [NodeId, NodeId] {
  const [a, b] = inputs;
  if (a === undefined || b === undefined) throw new RangeError(`two operands, found ${inputs.length}`);
  return [a, b];
}

/** Both orders of a commutative function's operands. */
export function eitherOrder(inputs: readonly NodeId[]): readonly (readonly [NodeId, NodeId])[] {
  const [a, b] = pair(inputs);
  return a === b
    ? [[a, b]]
    : [
        [a, b],
        [b, a],
      ];
}

/** The number of elements of a result of element-wise operators on these. */
export function joinedSize(r: Rewriter, ...ids: readonly NodeId[]): number {
  const shape = ids.reduce<Shape | undefined>((joined, id) => joined && broadcastShape(joined, r.shape(id)), []);
  return shape === undefined ? Number.POSITIVE_INFINITY : sizeOf(shape);
}

/** Whether element-wise operators on both give the shape of the first, and the second has fewer elements. */
export function isNarrower(r: Rewriter, small: NodeId, wide: NodeId): boolean {
  const shape = r.shape(wide);
  const joined = broadcastShape(shape, r.shape(small));
  return joined !== undefined && sameShape(joined, shape) && sizeOf(r.shape(small)) < sizeOf(shape);
}

/** Whether a tensor has one number for each of the C channels of an [N, C, H, W] beside it, or one for all. */
export function isByChannel(shape: Shape, channels: number): boolean {
  if (shape.length > 4) return false;
  const size = sizeOf(shape);
  return size === 1 || (size === channels && shape[shape.length - 3] === channels);
}
