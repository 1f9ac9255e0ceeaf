/**
 * One function per operator: what the rest of the house writes graphs with. They normalize their arguments (negative
 * axes count from the end) and leave out what does nothing; shapes are checked by the builder.
 */
import type { BinaryFunction, ConvGeometry, DType, NodeId, OpOf, PoolGeometry, Shape, UnaryFunction } from '../ir.ts';
import { sizeOf } from '../ir.ts';
import { type GraphBuilder, sameShape } from './definition.ts';

/** A tensor fed at each run. A name can be used once in a graph. */
export function input(g: GraphBuilder, name: string, shape: Shape, dtype: DType = 'float32'): NodeId {
  return g.add({ kind: 'input', name, shape, ...(dtype === 'int32' && { dtype }) }, []);
}

/** Whole numbers as indices: row-major data of the given shape, a vector without one. */
export function indices(g: GraphBuilder, data: readonly number[], shape: Shape = [data.length]): NodeId {
  return g.add({ kind: 'constant', shape, data, dtype: 'int32' }, []);
}

/** int32 to float32. */
export function cast(g: GraphBuilder, x: NodeId): NodeId {
  return g.dtype(x) === 'float32' ? x : g.add({ kind: 'cast' }, [x]);
}

/** A scalar (no shape given), row-major data of the given shape, or one number filling that shape. */
export function constant(g: GraphBuilder, data: number | readonly number[], shape?: Shape): NodeId {
  if (typeof data !== 'number') return g.add({ kind: 'constant', shape: shape ?? [data.length], data }, []);
  const fits = shape !== undefined && sizeOf(shape) === 1;
  const value = g.add({ kind: 'constant', shape: fits ? shape : [], data: [data] }, []);
  return shape === undefined ? value : broadcastTo(g, value, shape);
}

export function unary(g: GraphBuilder, fn: UnaryFunction, x: NodeId): NodeId {
  return g.add({ kind: 'unary', fn }, [x]);
}
export const relu = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'relu', x);
export const sigmoid = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'sigmoid', x);
export const tanh = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'tanh', x);
export const exp = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'exp', x);
export const log = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'log', x);
export const sqrt = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'sqrt', x);
export const erf = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'erf', x);
export const neg = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'neg', x);
export const abs = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'abs', x);
export const step = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'step', x);
export const zerosLike = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'zerosLike', x);
export const stopGradient = (g: GraphBuilder, x: NodeId): NodeId => unary(g, 'stopGradient', x);

/** min(max(x, low), high); either bound may be infinite. */
export function clip(g: GraphBuilder, x: NodeId, low: number, high: number): NodeId {
  return g.add({ kind: 'clip', low, high }, [x]);
}

/** Operands broadcast as in NumPy. */
export function binary(g: GraphBuilder, fn: BinaryFunction, a: NodeId, b: NodeId): NodeId {
  return g.add({ kind: 'binary', fn }, [a, b]);
}
export const add = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'add', a, b);
export const sub = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'sub', a, b);
export const mul = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'mul', a, b);
export const div = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'div', a, b);
export const maximum = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'max', a, b);
export const minimum = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => binary(g, 'min', a, b);

/** x times a number. */
export function scale(g: GraphBuilder, x: NodeId, factor: number): NodeId {
  return factor === 1 ? x : mul(g, x, constant(g, factor));
}

/** Over the given axes, in any order; negative ones count from the end. */
export function reduce(
  g: GraphBuilder,
  fn: OpOf<'reduce'>['fn'],
  x: NodeId,
  axes: readonly number[],
  keepDims = false,
): NodeId {
  if (axes.length === 0) return x;
  const rank = g.shape(x).length;
  const sorted = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  return g.add({ kind: 'reduce', fn, axes: sorted, keepDims }, [x]);
}
export const reduceSum = (g: GraphBuilder, x: NodeId, axes: readonly number[], keepDims = false): NodeId =>
  reduce(g, 'sum', x, axes, keepDims);
export const reduceMean = (g: GraphBuilder, x: NodeId, axes: readonly number[], keepDims = false): NodeId =>
  reduce(g, 'mean', x, axes, keepDims);
export const reduceMax = (g: GraphBuilder, x: NodeId, axes: readonly number[], keepDims = false): NodeId =>
  reduce(g, 'max', x, axes, keepDims);

/** log(softmax(x)) along an axis, the last by default; negative ones count from the end. */
export function logSoftmax(g: GraphBuilder, x: NodeId, axis = -1): NodeId {
  return g.add({ kind: 'logSoftmax', axis: axis < 0 ? axis + g.shape(x).length : axis }, [x]);
}

/** softmax(x) along an axis, the last by default. */
export const softmax = (g: GraphBuilder, x: NodeId, axis = -1): NodeId => exp(g, logSoftmax(g, x, axis));

/** 1 where a equals b, else 0; both float32 or both int32. */
export const equal = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => g.add({ kind: 'compare', fn: 'equal' }, [a, b]);
/** 1 where a is less than b, else 0; both float32 or both int32. */
export const less = (g: GraphBuilder, a: NodeId, b: NodeId): NodeId => g.add({ kind: 'compare', fn: 'less' }, [a, b]);

/** a where the mask is 1, b where it is 0. */
export function where(g: GraphBuilder, mask: NodeId, a: NodeId, b: NodeId): NodeId {
  return g.add({ kind: 'where' }, [mask, a, b]);
}

/** [length, length]: 1 where a position (row) sees another (column): itself and the window - 1 before it; else 0. */
export function causalMask(g: GraphBuilder, length: number, window = length): NodeId {
  const sees = Array.from({ length: length ** 2 }, (_, i) => {
    const back = Math.floor(i / length) - (i % length);
    return back >= 0 && back < window ? 1 : 0;
  });
  return constant(g, sees, [length, length]);
}

/** The rows of a table [rows, ...] at the indices (int32): [...shape of the indices, ...shape of a row]. */
export function gather(g: GraphBuilder, table: NodeId, at: NodeId): NodeId {
  return g.add({ kind: 'gather' }, [table, at]);
}

/** The sum of the values at each index, [rows, ...]: what `gather` has as its gradient. */
export function scatterAdd(g: GraphBuilder, values: NodeId, at: NodeId, rows: number): NodeId {
  return g.add({ kind: 'scatterAdd', rows }, [values, at]);
}

export function broadcastTo(g: GraphBuilder, x: NodeId, shape: Shape): NodeId {
  return sameShape(g.shape(x), shape) ? x : g.add({ kind: 'broadcastTo', shape }, [x]);
}

export function reshape(g: GraphBuilder, x: NodeId, shape: Shape): NodeId {
  return sameShape(g.shape(x), shape) ? x : g.add({ kind: 'reshape', shape }, [x]);
}

/** Axis i of the result is axis perm[i] of x. */
export function transpose(g: GraphBuilder, x: NodeId, perm: readonly number[]): NodeId {
  const idle = perm.length === g.shape(x).length && perm.every((from, to) => from === to);
  return idle ? x : g.add({ kind: 'transpose', perm }, [x]);
}

/** One start and end (exclusive) for each axis. */
export function slice(g: GraphBuilder, x: NodeId, starts: readonly number[], ends: readonly number[]): NodeId {
  const idle = starts.every((start) => start === 0) && sameShape(g.shape(x), ends) && starts.length === ends.length;
  return idle ? x : g.add({ kind: 'slice', starts, ends }, [x]);
}

/** Zeros before and after, for each axis. */
export function pad(g: GraphBuilder, x: NodeId, before: readonly number[], after: readonly number[]): NodeId {
  const rank = g.shape(x).length;
  const idle = before.length === rank && after.length === rank && [...before, ...after].every((n) => n === 0);
  return idle ? x : g.add({ kind: 'pad', before, after }, [x]);
}

export function concat(g: GraphBuilder, xs: readonly NodeId[], axis: number): NodeId {
  const [first] = xs;
  if (first !== undefined && xs.length === 1) return first;
  const rank = first === undefined ? 0 : g.shape(first).length;
  return g.add({ kind: 'concat', axis: axis < 0 ? axis + rank : axis }, xs);
}

/** The option whose number `index`, of shape [], is; the options have one shape. */
export function select(g: GraphBuilder, index: NodeId, options: readonly NodeId[]): NodeId {
  const [first] = options;
  const alike = first !== undefined && options.every((option) => option === first);
  return alike ? first : g.add({ kind: 'select' }, [index, ...options]);
}

export interface MatmulOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** [columns], added to each row. */
  readonly bias?: NodeId;
}

/** op(a)·op(b) + bias over the last two axes; the leading ones are equal. */
export function matmul(g: GraphBuilder, a: NodeId, b: NodeId, options: MatmulOptions = {}): NodeId {
  const { transposeA = false, transposeB = false, bias } = options;
  return g.add({ kind: 'matmul', transposeA, transposeB }, bias === undefined ? [a, b] : [a, b, bias]);
}

/** x [N, C, H, W], w [O, C/groups, kH, kW], bias [O] -> [N, O, oH, oW]. */
export function conv(g: GraphBuilder, x: NodeId, w: NodeId, geometry: ConvGeometry, bias?: NodeId): NodeId {
  const { stride, dilation, pads, groups } = geometry;
  return g.add({ kind: 'conv', stride, dilation, pads, groups }, bias === undefined ? [x, w] : [x, w, bias]);
}

/**
 * The transposed convolution, which is the gradient of conv by its input: y [N, O, oH, oW], w [O, C/groups, kH, kW] -> [N, C, H, W]
 * of the given shape, which `conv` with this geometry turns into y's.
 */
export function convTranspose(g: GraphBuilder, y: NodeId, w: NodeId, geometry: ConvGeometry, shape: Shape): NodeId {
  const { stride, dilation, pads, groups } = geometry;
  return g.add({ kind: 'convInputGrad', shape, stride, dilation, pads, groups }, [y, w]);
}

/** x [N, C, H, W] -> [N, C, oH, oW]; padding never wins. */
export function maxPool(g: GraphBuilder, x: NodeId, { kernel, stride, pads }: PoolGeometry): NodeId {
  return g.add({ kind: 'maxPool', kernel, stride, pads }, [x]);
}

/** x [N, C, H, W] -> [N, C, oH, oW]; padding is not counted. */
export function avgPool(g: GraphBuilder, x: NodeId, { kernel, stride, pads }: PoolGeometry): NodeId {
  return g.add({ kind: 'avgPool', kernel, stride, pads }, [x]);
}

/** Sums over the axes along which a tensor of `shape` was broadcast to become of x's shape: broadcasting's gradient. */
export function sumTo(g: GraphBuilder, x: NodeId, shape: Shape): NodeId {
  const from = g.shape(x);
  const lead = from.length - shape.length;
  const axes = from.flatMap((n, axis) => (axis < lead || (shape[axis - lead] === 1 && n !== 1) ? [axis] : []));
  return reshape(g, reduceSum(g, x, axes), shape);
}
