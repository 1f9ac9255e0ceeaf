import type { NodeId } from '../graph/ir.ts';
import type { GraphBuilder } from '../graph/ops.ts';
import * as ops from '../graph/ops.ts';
import { pointwise } from './dense.ts';
import { closed, type Lower, sequenceShape } from './lowering.ts';
import { drop } from './regularization.ts';

/** What a cell carries from one time step to the next; what is absent is zero. */
interface Carried {
  readonly hidden?: NodeId;
  readonly cell?: NodeId;
}

/** The k-th gate before its nonlinearity, [N, units]: its part from the input, that from the hidden state, and their sum. */
interface Gates {
  input(k: number): NodeId;
  hidden(k: number): NodeId;
  sum(k: number): NodeId;
}

interface Cell {
  readonly gates: number;
  step(g: GraphBuilder, gates: Gates, before: Carried): Carried & { readonly hidden: NodeId };
}

/** As PyTorch's RNN, GRU and LSTM have them, gates in the same order. */
const CELLS: Readonly<Record<'rnn' | 'gru' | 'lstm', Cell>> = {
  /** Elman 1990, with tanh. */
  rnn: { gates: 1, step: (g, gates) => ({ hidden: ops.tanh(g, gates.sum(0)) }) },
  /** Cho et al. 2014. Differs, as PyTorch: the reset gate multiplies the product with the hidden state, not the state. */
  gru: {
    gates: 3,
    step(g, gates, { hidden }) {
      const [reset, update] = [ops.sigmoid(g, gates.sum(0)), ops.sigmoid(g, gates.sum(1))];
      const candidate = ops.tanh(g, ops.add(g, gates.input(2), ops.mul(g, reset, gates.hidden(2))));
      // (1 − update) · candidate + update · hidden
      const rest = hidden === undefined ? ops.neg(g, candidate) : ops.sub(g, hidden, candidate);
      return { hidden: ops.add(g, candidate, ops.mul(g, update, rest)) };
    },
  },
  /** Hochreiter & Schmidhuber 1997, with a forget gate (Gers et al. 2000). */
  lstm: {
    gates: 4,
    step(g, gates, { cell }) {
      const [input, forget, output] = [gates.sum(0), gates.sum(1), gates.sum(3)];
      const added = ops.mul(g, ops.sigmoid(g, input), ops.tanh(g, gates.sum(2)));
      const next = cell === undefined ? added : ops.add(g, ops.mul(g, ops.sigmoid(g, forget), cell), added);
      return { hidden: ops.mul(g, ops.sigmoid(g, output), ops.tanh(g, next)), cell: next };
    },
  },
};

/** Unrolled over time; the products with the input are one for all steps. Parameters start in ±1/√units, as in PyTorch. */
export const lowerRecurrent: Lower<'recurrent'> = (l, module, x) => {
  const { g } = l;
  const [n, c, t] = sequenceShape(l, x);
  const kind = closed(module.cell);
  const { gates, step } = CELLS[kind];
  const units = module.units === 'same' ? c : closed(module.units);
  const rows = gates * units;
  const initializer = { kind: 'uniform', limit: 1 / Math.sqrt(units) } as const;
  const tensor = (name: string, ...columns: readonly number[]) => l.parameter(name, [rows, ...columns], initializer);
  const fromInput = pointwise(l, x, tensor('input/weight', c), tensor('input/bias')); // [N, G·units, T]
  const filled = l.filled(x);
  const weight = drop(l, tensor('hidden/weight', units), closed(module.weightDrop), [rows, units]);
  const bias = tensor('hidden/bias');

  const hidden = l.stateIn('hidden', [n, units]);
  const cell = kind === 'lstm' ? l.stateIn('cell', [n, units]) : undefined;
  let carried: Carried = { ...(hidden !== undefined && { hidden }), ...(cell !== undefined && { cell }) };
  const outputs = Array.from({ length: t }, (_, i) => {
    const time = module.reverse ? t - 1 - i : i;
    const now = ops.slice(g, fromInput, [0, 0, time], [n, rows, time + 1]);
    // A hidden state of zeros leaves only the bias.
    const recalled =
      carried.hidden === undefined
        ? ops.reshape(g, bias, [1, rows])
        : ops.matmul(g, carried.hidden, weight, { transposeB: true, bias });
    const stepped = step(g, gatesOf(g, ops.reshape(g, now, [n, rows]), recalled, units), carried);
    const next =
      filled === undefined ? stepped : kept(g, stepped, carried, ops.slice(g, filled, [0, 0, time], [n, 1, time + 1]));
    carried = next;
    return ops.reshape(g, next.hidden, [n, units, 1]);
  });
  if (carried.hidden !== undefined) l.stateOut('hidden', carried.hidden);
  if (carried.cell !== undefined) l.stateOut('cell', carried.cell);
  return ops.concat(g, module.reverse ? outputs.toReversed() : outputs, 2);
};

/** What a cell carries on: behind the end of a sample, what it had there. `filled` is [N, 1, 1]. */
function kept(g: GraphBuilder, after: ReturnType<Cell['step']>, before: Carried, filled: NodeId) {
  const mask = ops.reshape(g, filled, [g.shape(filled)[0] ?? 1, 1]);
  const either = (now: NodeId, then: NodeId = ops.constant(g, 0)) => ops.where(g, mask, now, then);
  return {
    hidden: either(after.hidden, before.hidden),
    ...(after.cell !== undefined && { cell: either(after.cell, before.cell) }),
  };
}

function gatesOf(g: GraphBuilder, input: NodeId, hidden: NodeId, units: number): Gates {
  const gate = (all: NodeId, k: number) => ops.slice(g, all, [0, k * units], [g.shape(all)[0] ?? 1, (k + 1) * units]);
  const sum = ops.add(g, input, hidden);
  return { input: (k) => gate(input, k), hidden: (k) => gate(hidden, k), sum: (k) => gate(sum, k) };
}
