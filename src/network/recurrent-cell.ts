import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { ActivationFunction } from '../space/tree/module.ts';
import { activate } from './activation.ts';
import { pointwise } from './dense.ts';
import { closed, type Lower, type Lowering, sequenceShape } from './lowering.ts';
import { drop } from './regularization.ts';
import { productOverTime, unroll } from './unroll.ts';

/** x + σ(c) · (fn(a) − x); c and a are the halves of `gates` along axis 1. */
function gate(g: GraphBuilder, x: NodeId, gates: NodeId, fn: ActivationFunction | 'identity'): NodeId {
  const shape = g.shape(gates);
  const width = (shape[1] ?? 0) / 2;
  const half = (from: number) =>
    ops.slice(
      g,
      gates,
      shape.map((_, axis) => (axis === 1 ? from : 0)),
      shape.with(1, from + width),
    );
  const [c, a] = [half(0), half(width)];
  const value = fn === 'identity' ? a : activate(g, fn, a);
  return ops.add(g, x, ops.mul(g, ops.sigmoid(g, c), ops.sub(g, value, x)));
}

export const lowerHighway: Lower<'highway'> = (l, module, x) => {
  const { g } = l;
  const [, features = 1, ...rest] = g.shape(x);
  const fn = closed<ActivationFunction | 'identity'>(module.fn);
  const read = drop(l, x, closed(module.dropout), g.shape(x));
  const weight = weightOf(l, 'weight', features, features);
  if (rest.length === 0) return gate(g, x, ops.matmul(g, read, weight, { transposeB: true }), fn);
  return gate(g, x, pointwise(l, read, weight), fn);
};

/** The product of the weights with x is one for all steps. */
export const lowerRecurrentCell: Lower<'recurrentCell'> = (l, module, x) => {
  const { g } = l;
  const [n, c] = sequenceShape(l, x);
  const units = module.units === 'same' ? c : closed(module.units);
  const rate = closed(module.dropout);
  const fromInput = productOverTime(l, x, weightOf(l, 'input/weight', units, c));
  const hidden = weightOf(l, 'hidden/weight', units, units);
  return unroll(l, x, { units, states: ['hidden'] }, (time, [state]) => {
    const recalled = ops.matmul(g, drop(l, state, rate, [n, units]), hidden, { transposeB: true });
    const entered = gate(g, state, ops.add(g, fromInput(time), recalled), 'tanh');
    const next = l.child('body', module.body, entered);
    if (String(g.shape(next)) !== String([n, units]))
      throw l.error(`its body gives [${g.shape(next)}]`, `it must give the next state, [${n}, ${units}]`);
    return [next];
  });
};

/** Of a gate and a candidate. Starts in ±1/√units, as in PyTorch's recurrent layers; ENAS and DARTS have ±0.04 at 850 units, where that is ±0.034. */
function weightOf(l: Lowering, name: string, units: number, columns: number): NodeId {
  return l.parameter(name, [2 * units, columns], { kind: 'uniform', limit: 1 / Math.sqrt(units) });
}
