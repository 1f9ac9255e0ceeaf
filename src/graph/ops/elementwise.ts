import { type BinaryFunction, type NodeId, type OpOf, type Shape, sizeOf, type UnaryFunction } from '../ir.ts';
import { add, constant, div, exp, mul, neg, scale, step, sub, sumTo, where } from './construct.ts';
import {
  arity,
  at,
  type Definition,
  expectDtypes,
  type GraphBuilder,
  notCounted,
  refuse,
  sameDtype,
  sameShape,
  type Tensor,
} from './definition.ts';
import { erf } from './erf.ts';
import { broadcastShape, broadcastStrides, offsets } from './strides.ts';

interface UnaryRule {
  readonly value: (x: number) => number;
  /** d fn(x) / dx times the upstream gradient, from x and y = fn(x); undefined: zero everywhere. */
  readonly gradient?: (g: GraphBuilder, upstream: NodeId, x: NodeId, y: NodeId) => NodeId;
}

const UNARY: Readonly<Record<UnaryFunction, UnaryRule>> = {
  relu: {
    // Written so that NaN stays NaN.
    value: (x) => (x <= 0 ? 0 : x),
    // y is positive where x is, and x need not be kept for it.
    gradient: (g, dy, _x, y) => mul(g, dy, step(g, y)),
  },
  sigmoid: {
    // Never exponentiates a positive number, so that it neither overflows nor loses the small tail.
    value: (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
    gradient: (g, dy, _x, y) => mul(g, dy, mul(g, y, sub(g, constant(g, 1), y))),
  },
  tanh: { value: Math.tanh, gradient: (g, dy, _x, y) => mul(g, dy, sub(g, constant(g, 1), mul(g, y, y))) },
  exp: { value: Math.exp, gradient: (g, dy, _x, y) => mul(g, dy, y) },
  log: { value: Math.log, gradient: (g, dy, x) => div(g, dy, x) },
  sqrt: { value: Math.sqrt, gradient: (g, dy, _x, y) => div(g, scale(g, dy, 0.5), y) },
  erf: {
    value: erf,
    gradient: (g, dy, x) => mul(g, dy, scale(g, exp(g, neg(g, mul(g, x, x))), 2 / Math.sqrt(Math.PI))),
  },
  neg: { value: (x) => -x, gradient: (g, dy) => neg(g, dy) },
  abs: { value: Math.abs, gradient: (g, dy, x) => mul(g, dy, sub(g, step(g, x), step(g, neg(g, x)))) },
  step: { value: (x) => (x > 0 ? 1 : 0) },
  zerosLike: { value: () => 0 },
  stopGradient: { value: (x) => x },
};

export const unaryDefinition: Definition<OpOf<'unary'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    return at(inputs, 0);
  },
  flops: notCounted,
  differentiable: (op) => UNARY[op.fn].gradient !== undefined,
  gradient: (g, { op, inputs, upstream, output }) => [UNARY[op.fn].gradient?.(g, upstream, at(inputs, 0), output)],
  kernel(op, inputs) {
    const x = at(inputs, 0).data;
    if (op.fn === 'stopGradient') return x;
    const { value } = UNARY[op.fn];
    const y = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = value(x[i] ?? Number.NaN);
    return y;
  },
};

export const clipDefinition: Definition<OpOf<'clip'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    if (!(op.low <= op.high)) refuse(op, inputs, `low is at most high, found ${op.low} and ${op.high}`);
    return at(inputs, 0);
  },
  flops: notCounted,
  gradient(g, { op, inputs, upstream }) {
    const x = at(inputs, 0);
    const above = op.low === -Infinity ? upstream : mul(g, upstream, step(g, sub(g, x, constant(g, op.low))));
    return [op.high === Infinity ? above : mul(g, above, step(g, sub(g, constant(g, op.high), x)))];
  },
  kernel(op, inputs) {
    const x = at(inputs, 0).data;
    const y = new Float64Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = Math.min(Math.max(x[i] ?? Number.NaN, op.low), op.high);
    return y;
  },
};

interface BinaryRule {
  readonly value: (a: number, b: number) => number;
  /** The gradients by a and by b before the sum over broadcast axes. */
  readonly a: (g: GraphBuilder, upstream: NodeId, a: NodeId, b: NodeId) => NodeId;
  readonly b: (g: GraphBuilder, upstream: NodeId, a: NodeId, b: NodeId) => NodeId;
}

/** 1 where p > q, 1/2 where they are equal, else 0. */
function wins(g: GraphBuilder, p: NodeId, q: NodeId): NodeId {
  const difference = sub(g, p, q);
  const sign = sub(g, step(g, difference), step(g, neg(g, difference)));
  return scale(g, add(g, sign, constant(g, 1)), 0.5);
}

const BINARY: Readonly<Record<BinaryFunction, BinaryRule>> = {
  add: { value: (a, b) => a + b, a: (_g, dy) => dy, b: (_g, dy) => dy },
  sub: { value: (a, b) => a - b, a: (_g, dy) => dy, b: (g, dy) => neg(g, dy) },
  mul: { value: (a, b) => a * b, a: (g, dy, _a, b) => mul(g, dy, b), b: (g, dy, a) => mul(g, dy, a) },
  div: {
    value: (a, b) => a / b,
    a: (g, dy, _a, b) => div(g, dy, b),
    b: (g, dy, a, b) => neg(g, div(g, mul(g, dy, a), mul(g, b, b))),
  },
  max: {
    value: Math.max,
    a: (g, dy, a, b) => mul(g, dy, wins(g, a, b)),
    b: (g, dy, a, b) => mul(g, dy, wins(g, b, a)),
  },
  min: {
    value: Math.min,
    a: (g, dy, a, b) => mul(g, dy, wins(g, b, a)),
    b: (g, dy, a, b) => mul(g, dy, wins(g, a, b)),
  },
};

/** The reference of an operator on two broadcast operands. */
function pairwise(value: (a: number, b: number) => number, inputs: readonly Tensor[], shape: Shape): Float64Array {
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  if (sameShape(a.shape, b.shape)) {
    const y = new Float64Array(a.data.length);
    for (let i = 0; i < y.length; i++) y[i] = value(a.data[i] ?? Number.NaN, b.data[i] ?? Number.NaN);
    return y;
  }
  const fromA = offsets(shape, broadcastStrides(a.shape, shape));
  const fromB = offsets(shape, broadcastStrides(b.shape, shape));
  const y = new Float64Array(fromA.length);
  for (let i = 0; i < y.length; i++) {
    y[i] = value(a.data[fromA[i] as number] ?? Number.NaN, b.data[fromB[i] as number] ?? Number.NaN);
  }
  return y;
}

export const binaryDefinition: Definition<OpOf<'binary'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const shape = broadcastShape(at(inputs, 0), at(inputs, 1));
    return shape ?? refuse(op, inputs, 'aligned at the last axis, sizes are equal or 1');
  },
  flops: notCounted,
  gradient(g, { op, inputs, upstream, wants }) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    if (op.fn === 'mul' && a === b) return [wants(0) ? mul(g, upstream, scale(g, a, 2)) : undefined];
    const rule = BINARY[op.fn];
    return [
      wants(0) ? sumTo(g, rule.a(g, upstream, a, b), g.shape(a)) : undefined,
      wants(1) ? sumTo(g, rule.b(g, upstream, a, b), g.shape(b)) : undefined,
    ];
  },
  kernel: (op, inputs, shape) => pairwise(BINARY[op.fn].value, inputs, shape),
};

export const compareDefinition: Definition<OpOf<'compare'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const shape = broadcastShape(at(inputs, 0), at(inputs, 1));
    return shape ?? refuse(op, inputs, 'aligned at the last axis, sizes are equal or 1');
  },
  dtype(op, inputs) {
    sameDtype(op, inputs);
    return 'float32';
  },
  flops: notCounted,
  differentiable: () => false,
  gradient: () => [],
  kernel: (op, inputs, shape) =>
    pairwise(op.fn === 'equal' ? (a, b) => Number(a === b) : (a, b) => Number(a < b), inputs, shape),
};

/** The shape of three operands broadcast together. */
function commonShape(op: OpOf<'where'>, inputs: readonly Shape[]): Shape {
  const [mask, a, b] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const values = broadcastShape(a, b);
  const common = values && broadcastShape(mask, values);
  return common ?? refuse(op, inputs, 'aligned at the last axis, sizes are equal or 1');
}

export const whereDefinition: Definition<OpOf<'where'>> = {
  shape(op, inputs) {
    arity(op, inputs, 3);
    return commonShape(op, inputs);
  },
  flops: notCounted,
  differentiable: (_op, input) => input > 0,
  gradient(g, { inputs, upstream, wants }) {
    const [mask, a, b] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    const zero = constant(g, 0);
    return [
      undefined,
      wants(1) ? sumTo(g, where(g, mask, upstream, zero), g.shape(a)) : undefined,
      wants(2) ? sumTo(g, where(g, mask, zero, upstream), g.shape(b)) : undefined,
    ];
  },
  kernel(_op, inputs, shape) {
    const [mask, a, b] = inputs.map(({ data, shape: own }) => ({
      data,
      from: offsets(shape, broadcastStrides(own, shape)),
    }));
    if (mask === undefined || a === undefined || b === undefined) throw new RangeError('where takes 3 inputs');
    return Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
      const { data, from } = mask.data[mask.from[i] ?? Number.NaN] === 0 ? b : a;
      return data[from[i] as number] ?? Number.NaN;
    });
  },
};

export const castDefinition: Definition<OpOf<'cast'>> = {
  shape(op, inputs) {
    arity(op, inputs, 1);
    return at(inputs, 0);
  },
  dtype(op, inputs) {
    expectDtypes(op, inputs, ['int32']);
    return 'float32';
  },
  flops: notCounted,
  differentiable: () => false,
  gradient: () => [],
  kernel: (_op, inputs) => at(inputs, 0).data,
};
