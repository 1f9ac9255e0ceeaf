import type { OpOf } from '../../../graph/ir.ts';
import { type Lowering, operand } from '../value.ts';

export const REDUCE = { sum: 'ReduceSum', mean: 'ReduceMean', max: 'ReduceMax' } as const satisfies Record<
  OpOf<'reduce'>['fn'],
  string
>;

/** Sums over [0, 2, 3], batch norm's, run at memory speed on the CPU: no detour by pooling is worth it (docs/engine.md). */
export const lowerReduce: Lowering<OpOf<'reduce'>> = ({ model }, { op, inputs }) => {
  const x = operand(inputs, 0).name;
  // To ONNX, no axes means all of them.
  if (op.axes.length === 0) return x;
  return model.node(REDUCE[op.fn], [x, model.ints(op.axes)], { keepdims: Number(op.keepDims) });
};

export const lowerLogSoftmax: Lowering<OpOf<'logSoftmax'>> = ({ model }, { op, inputs }) =>
  model.node('LogSoftmax', [operand(inputs, 0).name], { axis: op.axis });
