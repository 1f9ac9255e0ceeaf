import { brand, NetsmithError } from '../../common/errors.ts';
/**
 * The shapes of all values of an exported graph, computed before ONNX Runtime sees it: an untrusted or damaged graph may
 * otherwise take all memory, or run for hours. Knows the operators that exports consist of, and refuses every other one.
 */
import type { Shape } from '../../graph/ir.ts';
import { sizeOf } from '../../graph/ir.ts';

/** A graph that has been checked. */
export interface CheckedGraph {
  /** The file again, without anything that was not checked: what ONNX Runtime is given. */
  readonly model: Uint8Array;
  /** How many samples to run at a time. */
  readonly batch: number;
  /** Multiply-accumulates of one sample, in convolutions and matrix products. */
  readonly flops: number;
}

/** A node as a file has it: `ints` of an attribute are one or several whole numbers. */
export interface FileNode {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly ints: Readonly<Record<string, readonly number[]>>;
}

/** A value's shape; a token is of int32. `ints` are whole numbers in the file: a shape, axes, bounds, or the rows to take. */
export interface FileValue {
  readonly type: 'float' | 'int' | 'bool' | 'token';
  readonly shape: Shape;
  readonly ints?: readonly number[];
}

/** What a run takes, in numbers written and in multiply-accumulates. */
export interface GraphCosts {
  readonly elements: number;
  readonly products: number;
  /** Those of convolutions and matrix products alone: what `flops` of a network counts. */
  readonly flops: number;
}

/** What is wrong with a graph, in words that end `its graph ...`. */
export class GraphError extends NetsmithError {
  static {
    brand(GraphError, 'GraphError');
  }
  override readonly name = 'GraphError';
  readonly code = 'invalid-graph';
}

const wrong = (what: string): never => {
  throw new GraphError(what);
};

/** One value is never larger than this many numbers, whatever the batch: 4 GiB of float32. */
const MAX_ELEMENTS = 2 ** 30;

/**
 * Values by name after all nodes, given those of inputs and initializers, and what they cost. Throws GraphError for a node that
 * no export has, or whose operands do not fit it.
 */
export function inferShapes(
  nodes: readonly FileNode[],
  given: ReadonlyMap<string, FileValue>,
): { readonly values: ReadonlyMap<string, FileValue>; readonly costs: GraphCosts } {
  const values = new Map(given);
  let [elements, products, flops] = [0, 0, 0];
  for (const node of nodes) {
    const operands = node.inputs.map((name) => values.get(name) ?? wrong('reads a value that no node makes before'));
    const rule = Object.hasOwn(RULES, node.type) ? RULES[node.type] : undefined;
    if (rule === undefined) return wrong(`has an operator that no export of Netsmith has`);
    const [name, ...others] = node.outputs;
    if (name === undefined || name === '' || others.length > 0 || values.has(name))
      return wrong('names its values wrongly');
    const made = rule(operands, node.ints);
    const size = sizeOf(made.shape);
    if (made.shape.length > 8 || made.shape.some((n) => !Number.isSafeInteger(n) || n < 0) || !(size <= MAX_ELEMENTS))
      return wrong('makes a value of an impossible size');
    elements += size;
    const own = productsOf(node, operands, made.shape);
    products += own;
    if (MULTIPLYING.includes(node.type)) flops += own;
    values.set(name, made);
  }
  return { values, costs: { elements, products, flops } };
}

type Ints = FileNode['ints'];
type Rule = (operands: readonly FileValue[], ints: Ints) => FileValue;

function operand(operands: readonly FileValue[], index: number, type: FileValue['type'] = 'float'): FileValue {
  const found = operands[index];
  return found?.type === type ? found : wrong('gives an operator an operand that it does not take');
}

/** At least `least` and at most `most` operands. */
function counted(least: number, most: number, rule: Rule): Rule {
  return (operands, ints) =>
    operands.length >= least && operands.length <= most
      ? rule(operands, ints)
      : wrong('gives an operator another number of operands than it takes');
}

const float = (shape: Shape): FileValue => ({ type: 'float', shape });

/** The contents of an operand that is a vector of whole numbers. */
function intsOf(operands: readonly FileValue[], index: number): readonly number[] {
  return operand(operands, index, 'int').ints ?? wrong('has a shape that is not in the file');
}

const same: Rule = (operands) => float(operand(operands, 0).shape);

function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [m, n] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    return m === n || n === 1 ? m : m === 1 ? n : wrong('joins values whose shapes do not fit');
  });
}

const binary: Rule = (operands) => float(broadcast(operand(operands, 0).shape, operand(operands, 1).shape));
const compared: Rule = (operands, ints) => ({ ...binary(operands, ints), type: 'bool' });
/** Numbers, or tokens. */
const equal: Rule = (operands) => {
  const type = operands[0]?.type === 'token' ? 'token' : 'float';
  return { type: 'bool', shape: broadcast(operand(operands, 0, type).shape, operand(operands, 1, type).shape) };
};

function axisOf(axis: number | undefined, rank: number): number {
  const at = axis === undefined ? Number.NaN : axis < 0 ? axis + rank : axis;
  return Number.isInteger(at) && at >= 0 && at < rank ? at : wrong('names an axis that a value does not have');
}

const reduce: Rule = (operands, { keepdims: [keep] = [1] }) => {
  const { shape } = operand(operands, 0);
  const axes = new Set(
    operands.length === 1 ? shape.keys() : intsOf(operands, 1).map((axis) => axisOf(axis, shape.length)),
  );
  return float(shape.flatMap((n, axis) => (!axes.has(axis) ? [n] : keep === 0 ? [] : [1])));
};

/** Along one axis, how often a window of `kernel` fits. */
function windows(size: number, kernel: number, stride: number, before: number, after: number, dilation = 1): number {
  if (![kernel, stride, dilation].every((n) => n >= 1) || before < 0 || after < 0)
    return wrong('has an impossible window');
  const fits = Math.floor((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
  return fits >= 1 ? fits : wrong('has a window that is larger than its image');
}

function images(x: FileValue, kernel: readonly number[], channels: number, ints: Ints): FileValue {
  const [n, , height, width] = x.shape;
  if (n === undefined || height === undefined || width === undefined || x.shape.length !== 4 || kernel.length !== 2)
    return wrong('treats something as images that is none');
  const { strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0] } = ints;
  if (strides.length !== 2 || dilations.length !== 2 || pads.length !== 4) return wrong('has an impossible window');
  const side = (size: number, axis: 0 | 1) =>
    windows(size, kernel[axis] ?? 0, strides[axis] ?? 0, pads[axis] ?? 0, pads[axis + 2] ?? 0, dilations[axis] ?? 0);
  return float([n, channels, side(height, 0), side(width, 1)]);
}

const conv: Rule = (operands, ints) => {
  const [x, w] = [operand(operands, 0), operand(operands, 1)];
  const [filters, inner, ...kernel] = w.shape;
  const [group = 0] = ints.group ?? [1];
  if (
    filters === undefined ||
    inner === undefined ||
    group < 1 ||
    filters % group !== 0 ||
    x.shape[1] !== inner * group
  )
    return wrong('has a convolution that does not fit its input');
  if (ints.kernel_shape !== undefined && ints.kernel_shape.join() !== kernel.join())
    return wrong('has a convolution whose kernel has another size than it says');
  if (operands.length === 3 && operand(operands, 2).shape.join() !== `${filters}`)
    return wrong('has a convolution whose bias does not fit');
  return images(x, kernel, filters, ints);
};

const convTranspose: Rule = (operands, ints) => {
  const [x, w] = [operand(operands, 0), operand(operands, 1)];
  const [inputs, filters = 0, ...kernel] = w.shape;
  const { strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], output_padding: added = [0, 0] } = ints;
  const [group = 0] = ints.group ?? [1];
  const [n, channels, ...sides] = x.shape;
  if (n === undefined || sides.length !== 2 || kernel.length !== 2)
    return wrong('treats something as images that is none');
  if (channels !== inputs || group < 1 || (inputs ?? 0) % group !== 0)
    return wrong('has a convolution that does not fit its input');
  if (ints.kernel_shape !== undefined && ints.kernel_shape.join() !== kernel.join())
    return wrong('has a convolution whose kernel has another size than it says');
  if (operands.length === 3 && operand(operands, 2).shape.join() !== `${filters * group}`)
    return wrong('has a convolution whose bias does not fit');
  const made = sides.map((size, axis) => {
    const [k = 0, stride = 0, dilation = 0] = [kernel[axis], strides[axis], dilations[axis]];
    const cut = (pads[axis] ?? 0) + (pads[axis + 2] ?? 0);
    const side = (size - 1) * stride + dilation * (k - 1) + 1 - cut + (added[axis] ?? 0);
    return stride >= 1 && dilation >= 1 && side >= 1 ? side : wrong('has an impossible window');
  });
  return float([n, filters * group, ...made]);
};

const pool: Rule = (operands, ints) => {
  const x = operand(operands, 0);
  const { kernel_shape: kernel = [], pads = [] } = ints;
  if (pads.some((n, i) => n >= (kernel[i % 2] ?? 0))) return wrong('has an impossible window');
  return images(x, kernel, x.shape[1] ?? 0, ints);
};

const gemm: Rule = (operands, { transA: [turnA] = [0], transB: [turnB] = [0] }) => {
  const [a, b] = [operand(operands, 0).shape, operand(operands, 1).shape];
  if (a.length !== 2 || b.length !== 2) return wrong('multiplies what are no matrices');
  const [rows, inner] = turnA ? a.toReversed() : a;
  const [other, columns] = turnB ? b.toReversed() : b;
  if (inner !== other) return wrong('multiplies matrices that do not fit');
  const shape = [rows ?? 0, columns ?? 0];
  if (operands.length === 3 && broadcast(operand(operands, 2).shape, shape).join() !== shape.join())
    return wrong('has a linear layer whose bias does not fit');
  return float(shape);
};

const matmul: Rule = (operands) => {
  const [a, b] = [operand(operands, 0).shape, operand(operands, 1).shape];
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) return wrong('multiplies matrices that do not fit');
  return float([...broadcast(a.slice(0, -2), b.slice(0, -2)), a.at(-2) ?? 0, b.at(-1) ?? 0]);
};

const reshape: Rule = (operands) => {
  const { shape } = operand(operands, 0);
  const wanted = intsOf(operands, 1).map((n, axis) =>
    n === 0 ? (shape[axis] ?? wrong('has an impossible shape')) : n,
  );
  const known = wanted.filter((n) => n !== -1).reduce((product, n) => product * n, 1);
  const open = wanted.length - wanted.filter((n) => n !== -1).length;
  if (open > 1 || wanted.some((n) => n < -1)) return wrong('has an impossible shape');
  const made = wanted.map((n) => (n === -1 ? sizeOf(shape) / known : n));
  return sizeOf(made) === sizeOf(shape) ? float(made) : wrong('changes a shape to one of another size');
};

const slice: Rule = (operands) => {
  const { type, shape, ints } = operands[0]?.type === 'int' ? operand(operands, 0, 'int') : operand(operands, 0);
  const [starts, ends] = [intsOf(operands, 1), intsOf(operands, 2)];
  const axes = operands.length < 4 ? [...starts.keys()] : intsOf(operands, 3);
  if (starts.length !== ends.length || axes.length !== starts.length) return wrong('cuts a value wrongly');
  const made = [...shape];
  for (const [i, named] of axes.entries()) {
    const axis = axisOf(named, shape.length);
    const size = shape[axis] ?? 0;
    const within = (n = 0) => Math.min(size, Math.max(0, n < 0 ? n + size : n));
    made[axis] = Math.max(0, within(ends[i]) - within(starts[i]));
  }
  if (type === 'int') return { type, shape: made, ints: (ints ?? []).slice(starts[0], ends[0]) };
  return float(made);
};

const pad: Rule = (operands) => {
  const { shape } = operand(operands, 0);
  const pads = intsOf(operands, 1);
  if (pads.length !== 2 * shape.length || pads.some((n) => n < 0)) return wrong('pads a value wrongly');
  return float(shape.map((n, axis) => n + (pads[axis] ?? 0) + (pads[axis + shape.length] ?? 0)));
};

const concat: Rule = (operands, ints) => {
  const { shape } = operand(operands, 0);
  const axis = axisOf(ints.axis?.[0], shape.length);
  const others = (of: Shape) => of.map((n, i) => (i === axis ? 0 : n)).join();
  const parts = operands.map((_, i) => operand(operands, i).shape);
  if (parts.some((part) => others(part) !== others(shape))) return wrong('joins values whose shapes do not fit');
  return float(shape.map((n, i) => (i === axis ? parts.reduce((sum, part) => sum + (part[i] ?? 0), 0) : n)));
};

const transpose: Rule = (operands, { perm = [] }) => {
  const { shape } = operand(operands, 0);
  if (perm.toSorted((a, b) => a - b).join() !== [...shape.keys()].join())
    return wrong('turns axes that a value does not have');
  return float(perm.map((axis) => shape[axis] ?? 0));
};

const softmax: Rule = (operands, { axis: [named] = [-1] }) => {
  const { shape } = operand(operands, 0);
  axisOf(named, shape.length);
  return float(shape);
};

const select: Rule = (operands) =>
  float(
    broadcast(operand(operands, 0, 'bool').shape, broadcast(operand(operands, 1).shape, operand(operands, 2).shape)),
  );

/** Rows of a table by their numbers. */
const gather: Rule = (operands, { axis: [axis] = [0] }) => {
  const [rows = 0, ...row] = operand(operands, 0).shape;
  const { shape, ints = [] } = operand(operands, 1, 'token');
  if (!ints.every((at) => at >= 0 && at < rows)) return wrong('takes rows that are not there');
  return axis === 0 ? float([...shape, ...row]) : wrong('takes rows along another axis');
};

/** Sums of decision trees over rows of features: see check-trees.ts. */
const trees: Rule = (operands, ints) => {
  const [rows, columns, ...more] = operand(operands, 0).shape;
  const [width, made] = [ints.features?.[0], ints.outputs?.[0]];
  if (made === undefined || width === undefined) return wrong('has an operator that no export of Netsmith has');
  return rows === undefined || columns === undefined || more.length > 0 || columns < width
    ? wrong('has trees that do not fit their input')
    : float([rows, made]);
};

/** Whole numbers, of two vectors of one length or of one number, or numbers. */
const arithmetic =
  (fn: (a: number, b: number) => number): Rule =>
  (operands, ints) => {
    if (operands[0]?.type !== 'int') return binary(operands, ints);
    const [a, b] = [intsOf(operands, 0), intsOf(operands, 1)];
    const [size] = broadcast([a.length], [b.length]);
    const at = (values: readonly number[], i: number) => values[values.length === 1 ? 0 : i] ?? 0;
    const made = Array.from({ length: size ?? 0 }, (_, i) => fn(at(a, i), at(b, i)));
    return { type: 'int', shape: [made.length], ints: made };
  };

const one = counted(1, 1, same);
const two = counted(2, 2, binary);
const comparison = counted(2, 2, compared);
const reduction = counted(1, 2, reduce);

/** By ONNX's names of operators: all that `lowerings/` emits for an exported network. */
const RULES: Readonly<Record<string, Rule>> = {
  ...{ Abs: one, Erf: one, Exp: one, HardSigmoid: one, Identity: one, Log: one, Neg: one, Relu: one, Sigmoid: one },
  ...{ Sqrt: one, Tanh: one, Clip: counted(1, 3, same) },
  ...{ Softmax: counted(1, 1, softmax), LogSoftmax: counted(1, 1, softmax) },
  Cast: counted(1, 1, ([x], { to: [type] = [] as readonly number[] }) =>
    // 1 is ONNX's number for float32.
    float(x === undefined || x.type === 'int' || type !== 1 ? wrong('casts a value wrongly') : x.shape),
  ),
  Add: counted(
    2,
    2,
    arithmetic((a, b) => a + b),
  ),
  Mul: counted(
    2,
    2,
    arithmetic((a, b) => a * b),
  ),
  ...{ Sub: two, Div: two, Max: two, Min: two },
  ...{ Greater: comparison, GreaterOrEqual: comparison, Less: comparison, Equal: counted(2, 2, equal) },
  Where: counted(3, 3, select),
  ...{ ReduceSum: reduction, ReduceMean: reduction, ReduceMax: reduction },
  ...{
    Conv: counted(2, 3, conv),
    ConvTranspose: counted(2, 3, convTranspose),
    AveragePool: counted(1, 1, pool),
    MaxPool: counted(1, 1, pool),
  },
  Gather: counted(2, 2, gather),
  TreeEnsembleRegressor: counted(1, 1, trees),
  ...{ Gemm: counted(2, 3, gemm), MatMul: counted(2, 2, matmul) },
  ...{ Reshape: counted(2, 2, reshape), Slice: counted(3, 4, slice), Pad: counted(2, 2, pad) },
  ...{ Concat: counted(1, 10_000, concat), Transpose: counted(1, 1, transpose) },
  Shape: counted(1, 1, (operands) => {
    const { shape } = operand(operands, 0, operands[0]?.type === 'token' ? 'token' : 'float');
    return { type: 'int', shape: [shape.length], ints: shape };
  }),
  ConstantOfShape: counted(1, 1, (operands) => float(intsOf(operands, 0))),
  Expand: counted(2, 2, (operands) => float(broadcast(operand(operands, 0).shape, intsOf(operands, 1)))),
};

/** The attributes that the rules know; every other one is refused. */
export const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  ...{ Cast: ['to'], Clip: [], HardSigmoid: ['alpha', 'beta'], Softmax: ['axis'], LogSoftmax: ['axis'] },
  Transpose: ['perm'],
  ...{ ReduceSum: ['keepdims'], ReduceMean: ['keepdims'], ReduceMax: ['keepdims'], Concat: ['axis'] },
  Gather: ['axis'],
  Conv: ['strides', 'dilations', 'pads', 'group', 'kernel_shape'],
  ConvTranspose: ['strides', 'dilations', 'pads', 'group', 'kernel_shape', 'output_padding'],
  AveragePool: ['kernel_shape', 'strides', 'pads', 'count_include_pad'],
  ...{ MaxPool: ['kernel_shape', 'strides', 'pads'], Gemm: ['transA', 'transB'] },
};

/** Multiply-accumulates of one node; a window's additions count as much. */
const MULTIPLYING: readonly string[] = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];

function productsOf({ type, ints }: FileNode, operands: readonly FileValue[], made: Shape): number {
  const [first, second] = operands.map(({ shape }) => shape);
  if (type === 'Conv') return sizeOf(made) * sizeOf((second ?? []).slice(1));
  if (type === 'ConvTranspose') return sizeOf(first ?? []) * sizeOf((second ?? []).slice(1));
  if (type === 'Gemm') return sizeOf(made) * (sizeOf(first ?? []) / Math.max(1, made[0] ?? 1));
  if (type === 'TreeEnsembleRegressor') return (made[0] ?? 1) * (ints.steps?.[0] ?? 0);
  if (type === 'MatMul') return sizeOf(made) * (first?.at(-1) ?? 1);
  return sizeOf(made);
}
