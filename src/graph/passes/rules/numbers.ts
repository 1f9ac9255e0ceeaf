/** Rules about numbers that are known when the graph is made. */
import { type NodeId, type Op, type OpKind, type OpOf, sizeOf } from '../../ir.ts';
import { broadcastShape } from '../../ops/strides.ts';
import { add, broadcastTo, constant, definitionOf, exp, mul, neg, scale, sub } from '../../ops.ts';
import type { Rewriter, Rule, Rules } from '../simplify.ts';
import { binaryOf, eitherOrder, isConstant, negated, numberOf, ofKind, pair } from './operands.ts';

/** Larger constants would make the model too large. */
const LARGEST = 4096;

/** An operator on constants alone is a constant; a broadcast stays, since its operand says as much in fewer numbers. */
function evaluate(r: Rewriter, op: Op, inputs: readonly NodeId[]): NodeId | undefined {
  if (inputs.length === 0 || !inputs.every((id) => isConstant(r, id) && r.dtype(id) === 'float32')) return undefined;
  const definition = definitionOf<OpKind>(op.kind);
  const shape = definition.shape(op, inputs.map(r.shape));
  if (sizeOf(shape) > LARGEST) return undefined;
  const tensors = inputs.map((id) => {
    const { data } = r.node(id).op as OpOf<'constant'>;
    return { shape: r.shape(id), data: Float64Array.from(data) };
  });
  const data = [...definition.kernel(op, tensors, shape)];
  return data.every(Number.isFinite) ? constant(r, data, shape) : undefined;
}

/** x + 0, x - 0, x · 1, x · -1 and x / 1; a division by a number is a multiplication. */
const neutral: Rule<'binary'> = (r, { fn }, inputs) => {
  const [a, b] = pair(inputs);
  const shape = broadcastShape(r.shape(a), r.shape(b)) ?? [];
  const [left, right] = [numberOf(r, a), numberOf(r, b)];
  switch (fn) {
    case 'add':
      if (right === 0) return broadcastTo(r, a, shape);
      return left === 0 ? broadcastTo(r, b, shape) : undefined;
    case 'sub':
      if (right === 0) return broadcastTo(r, a, shape);
      return left === 0 ? broadcastTo(r, neg(r, b), shape) : undefined;
    case 'mul':
      if (right === 1) return broadcastTo(r, a, shape);
      if (left === 1) return broadcastTo(r, b, shape);
      if (right === -1) return broadcastTo(r, neg(r, a), shape);
      return left === -1 ? broadcastTo(r, neg(r, b), shape) : undefined;
    case 'div':
      return right === undefined || right === 0 ? undefined : broadcastTo(r, scale(r, a, 1 / right), shape);
    case 'max':
    case 'min':
      return undefined;
  }
};

/** x + x is 2x. */
const doubled: Rule<'binary'> = (r, { fn }, inputs) => {
  const [a, b] = pair(inputs);
  return fn === 'add' && a === b ? scale(r, a, 2) : undefined;
};

/** (x + 1) + 2 is x + 3, (2x) · 3 is 6x. */
const joined: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'add' && fn !== 'mul') return undefined;
  const join = fn === 'add' ? add : mul;
  for (const [inner, outer] of eitherOrder(inputs)) {
    const factors = isConstant(r, outer) ? binaryOf(r, inner, fn) : undefined;
    for (const [x, known] of factors === undefined ? [] : eitherOrder(factors)) {
      if (isConstant(r, known) && r.once(inner)) return join(r, x, join(r, known, outer));
    }
  }
  return undefined;
};

/** c · exp(-x) is exp(ln c - x), and c · (y · exp(-x)) is y · exp(ln c - x): one pass over memory less, or two. */
const intoExponent: Rule<'binary'> = (r, { fn }, inputs) => {
  if (fn !== 'mul') return undefined;
  for (const [inner, known] of eitherOrder(inputs)) {
    const factor = numberOf(r, known);
    if (factor === undefined || !(factor > 0) || !r.once(inner)) continue;
    const raised = (id: NodeId) => {
      const found = r.once(id) ? ofKind(r, id, 'unary') : undefined;
      const [exponent = -1] = found?.op.fn === 'exp' ? found.inputs : [];
      if (exponent < 0 || !r.once(exponent)) return undefined;
      const minus = negated(r, exponent);
      if (minus !== undefined) return exp(r, sub(r, constant(r, Math.log(factor)), minus));
      const [before, x = -1] = binaryOf(r, exponent, 'sub') ?? [];
      const summand = before === undefined ? undefined : numberOf(r, before);
      return summand === undefined ? undefined : exp(r, sub(r, constant(r, summand + Math.log(factor)), x));
    };
    const alone = raised(inner);
    if (alone !== undefined) return alone;
    for (const [power, y] of eitherOrder(binaryOf(r, inner, 'mul') ?? [inner, inner])) {
      const found = power === y ? undefined : raised(power);
      if (found !== undefined) return mul(r, y, found);
    }
  }
  return undefined;
};

const isStopped: Rule<'unary'> = (r, { fn }, [x = -1]) => {
  const inner = ofKind(r, x, 'unary');
  return fn === 'stopGradient' && inner?.op.fn === 'stopGradient' ? x : undefined;
};

export const numberRules: Rules = {
  unary: [evaluate, isStopped],
  clip: [evaluate],
  binary: [evaluate, neutral, doubled, joined, intoExponent],
  reduce: [evaluate],
  logSoftmax: [evaluate],
  reshape: [evaluate],
  transpose: [evaluate],
  slice: [evaluate],
  pad: [evaluate],
  concat: [evaluate],
  matmul: [evaluate],
};
