import type { NodeId } from '../graph/ir.ts';
import type { GraphBuilder } from '../graph/ops.ts';
import * as ops from '../graph/ops.ts';
import { closed, type Lower, sequenceShape } from './lowering.ts';
import { drop } from './regularization.ts';
import { productOverTime, type States, unroll } from './unroll.ts';

/** The k-th gate before its nonlinearity, [N, units]: its part from the input, that from the hidden state, and their sum. */
interface Gates {
  input(k: number): NodeId;
  hidden(k: number): NodeId;
  sum(k: number): NodeId;
}

interface Cell {
  readonly gates: number;
  readonly states: readonly [string, ...string[]];
  step(g: GraphBuilder, gates: Gates, before: States): States;
}

/** As PyTorch's RNN, GRU and LSTM have them, gates in the same order. */
const CELLS: Readonly<Record<'rnn' | 'gru' | 'lstm', Cell>> = {
  /** Elman 1990, with tanh. */
  rnn: { gates: 1, states: ['hidden'], step: (g, gates) => [ops.tanh(g, gates.sum(0))] },
  /** Cho et al. 2014. Differs, as PyTorch: the reset gate multiplies the product with the hidden state, not the state. */
  gru: {
    gates: 3,
    states: ['hidden'],
    step(g, gates, [hidden]) {
      const [reset, update] = [ops.sigmoid(g, gates.sum(0)), ops.sigmoid(g, gates.sum(1))];
      const candidate = ops.tanh(g, ops.add(g, gates.input(2), ops.mul(g, reset, gates.hidden(2))));
      // (1 − update) · candidate + update · hidden
      return [ops.add(g, candidate, ops.mul(g, update, ops.sub(g, hidden, candidate)))];
    },
  },
  /** Hochreiter & Schmidhuber 1997, with a forget gate (Gers et al. 2000). */
  lstm: {
    gates: 4,
    states: ['hidden', 'cell'],
    step(g, gates, [, cell = 0]) {
      const [input, forget, output] = [gates.sum(0), gates.sum(1), gates.sum(3)];
      const added = ops.mul(g, ops.sigmoid(g, input), ops.tanh(g, gates.sum(2)));
      const next = ops.add(g, ops.mul(g, ops.sigmoid(g, forget), cell), added);
      return [ops.mul(g, ops.sigmoid(g, output), ops.tanh(g, next)), next];
    },
  },
};

/** The products with the input are one for all steps. Parameters start in ±1/√units, as in PyTorch. */
export const lowerRecurrent: Lower<'recurrent'> = (l, module, x) => {
  const { g } = l;
  const [, c] = sequenceShape(l, x);
  const { gates, states, step } = CELLS[closed(module.cell)];
  const units = module.units === 'same' ? c : closed(module.units);
  const rows = gates * units;
  const initializer = { kind: 'uniform', limit: 1 / Math.sqrt(units) } as const;
  const role = module.reverse ? undefined : 'forward';
  const tensor = (name: string, ...columns: readonly number[]) =>
    l.parameter(name, [rows, ...columns], initializer, role);
  const fromInput = productOverTime(l, x, tensor('input/weight', c), tensor('input/bias'));
  const weight = drop(l, tensor('hidden/weight', units), closed(module.weightDrop), [rows, units]);
  const bias = tensor('hidden/bias');
  return unroll(l, x, { units, states, reverse: module.reverse }, (time, before) => {
    const recalled = ops.matmul(g, before[0], weight, { transposeB: true, bias });
    return step(g, gatesOf(g, fromInput(time), recalled, units), before);
  });
};

function gatesOf(g: GraphBuilder, input: NodeId, hidden: NodeId, units: number): Gates {
  const gate = (all: NodeId, k: number) => ops.slice(g, all, [0, k * units], [g.shape(all)[0] ?? 1, (k + 1) * units]);
  const sum = ops.add(g, input, hidden);
  return { input: (k) => gate(input, k), hidden: (k) => gate(hidden, k), sum: (k) => gate(sum, k) };
}
