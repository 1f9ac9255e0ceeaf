/** Rules that reduce before they compute: what is the same along the reduced axes moves out of the sum. */
import { type NodeId, type OpOf, type Shape, sizeOf } from '../../ir.ts';
import { sameShape } from '../../ops/definition.ts';
import { add, broadcastTo, mul, neg, reduce, reduceSum, reshape, scale } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { binaryOf, eitherOrder, negated, numberOf, ofKind } from './operands.ts';

/** The tensor as it stands beside the reduced one, if it is the same all along the reduced axes of a tensor of `shape`. */
function alongReduced(r: Rewriter, id: NodeId, shape: Shape, { axes, keepDims }: OpOf<'reduce'>): NodeId | undefined {
  const own = r.shape(id);
  const aligned = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  if (axes.some((axis) => aligned[axis] !== 1) || sizeOf(own) === sizeOf(shape)) return undefined;
  if (keepDims) return id;
  return reshape(r, id, sizeOf(own) === 1 ? [] : aligned.filter((_, axis) => !axes.includes(axis)));
}

/** sum(x · s) is sum(x) · s. */
const factorOut: Rule<'reduce'> = (r, op, [x = -1]) => {
  if (op.fn === 'max' || !r.once(x)) return undefined;
  const minus = negated(r, x);
  if (minus !== undefined) return neg(r, reduce(r, op.fn, minus, op.axes, op.keepDims));
  const shape = r.shape(x);
  for (const [wide, s] of eitherOrder(binaryOf(r, x, 'mul') ?? [x, x])) {
    if (wide === s || !sameShape(r.shape(wide), shape)) continue;
    const factor = alongReduced(r, s, shape, op);
    if (factor !== undefined) return mul(r, reduce(r, op.fn, wide, op.axes, op.keepDims), factor);
  }
  return undefined;
};

/** sum(x + s) is sum(x) + n · s, where n numbers are summed. */
const summandOut: Rule<'reduce'> = (r, op, [x = -1]) => {
  if (op.fn === 'max' || !r.once(x)) return undefined;
  const shape = r.shape(x);
  for (const [wide, s] of eitherOrder(binaryOf(r, x, 'add') ?? [x, x])) {
    if (wide === s || !sameShape(r.shape(wide), shape)) continue;
    const summand = alongReduced(r, s, shape, op);
    if (summand === undefined) continue;
    const reduced = reduce(r, op.fn, wide, op.axes, op.keepDims);
    return add(r, reduced, op.fn === 'sum' ? scale(r, summand, countOf(shape, op)) : summand);
  }
  return undefined;
};

const countOf = (shape: Shape, { axes }: OpOf<'reduce'>): number => sizeOf(axes.map((axis) => shape[axis] ?? 1));

/** The sum of x · y over all axes of images is first taken by channel, as other sums of such products are. */
const byChannelFirst: Rule<'reduce'> = (r, { fn, axes, keepDims }, [x = -1]) => {
  const factors = fn === 'sum' && axes.length === 4 && !keepDims ? binaryOf(r, x, 'mul') : undefined;
  if (factors === undefined || !factors.every((id) => sameShape(r.shape(id), r.shape(x)))) return undefined;
  if (sizeOf(r.shape(x)) === r.shape(x)[1]) return undefined;
  return reduceSum(r, reduceSum(r, x, [0, 2, 3]), [0]);
};

/** The sum of a tensor broadcast along the summed axes is that tensor, n times. */
const ofBroadcast: Rule<'reduce'> = (r, op, [x = -1]) => {
  const wide = ofKind(r, x, 'broadcastTo');
  const [source] = wide?.inputs ?? [];
  if (wide === undefined || source === undefined) return undefined;
  const narrow = alongReduced(r, source, wide.shape, op);
  if (narrow === undefined) return undefined;
  const scaled = op.fn === 'sum' ? scale(r, narrow, countOf(wide.shape, op)) : narrow;
  const reduced = wide.shape.map((n, axis) => (op.axes.includes(axis) ? 1 : n));
  return broadcastTo(r, scaled, op.keepDims ? reduced : reduced.filter((_, axis) => !op.axes.includes(axis)));
};

/** The sum over n numbers, times 1/n, is their mean; a mean times n a sum. */
const meanOrSum: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'mul') return undefined;
  for (const [inner, outer] of eitherOrder(inputs)) {
    const found = r.once(inner) ? ofKind(r, inner, 'reduce') : undefined;
    const [factor, [x]] = [numberOf(r, outer), found?.inputs ?? []];
    if (found === undefined || x === undefined || factor === undefined || r.shape(outer).length > 0) continue;
    const count = countOf(r.shape(x), found.op);
    const { fn: own, axes, keepDims } = found.op;
    if (own === 'sum' && isClose(factor, 1 / count)) return reduce(r, 'mean', x, axes, keepDims);
    if (own === 'mean' && isClose(factor, count)) return reduce(r, 'sum', x, axes, keepDims);
  }
  return undefined;
};

/** Equal but for the rounding of a division. */
const isClose = (a: number, b: number): boolean => Math.abs(a / b - 1) < 1e-14;

export const reductionRules: Rules = {
  reduce: [factorOut, summandOut, ofBroadcast, byChannelFirst],
  binary: [meanOrSum],
};
