import type { OpOf } from '../../../graph/ir.ts';
import { joinVectors } from '../forms.ts';
import { type Lowering, operand, reshape } from '../value.ts';

/** The target shape has 1 where the batch is open: broadcasting keeps what the operand has there. */
export const lowerBroadcastTo: Lowering<OpOf<'broadcastTo'>> = ({ model }, { op, inputs, batchAxis }) => {
  const shape = op.shape.map((n, axis) => (axis === batchAxis ? 1 : n));
  return model.node('Expand', [operand(inputs, 0).name, model.ints(shape)]);
};

export const lowerReshape: Lowering<OpOf<'reshape'>> = (emitter, { inputs, shape, batchAxis }) =>
  reshape(emitter, operand(inputs, 0).name, shape, batchAxis);

export const lowerTranspose: Lowering<OpOf<'transpose'>> = ({ model }, { op, inputs }) =>
  model.node('Transpose', [operand(inputs, 0).name], { perm: op.perm });

export const lowerSlice: Lowering<OpOf<'slice'>> = ({ model }, { op, inputs }) => {
  const x = operand(inputs, 0);
  const axes = [...x.shape.keys()].filter((axis) => op.starts[axis] !== 0 || op.ends[axis] !== x.shape[axis]);
  if (axes.length === 0) return x.name;
  const along = (values: readonly number[]) => model.ints(axes.map((axis) => values[axis] ?? Number.NaN));
  return model.node('Slice', [x.name, along(op.starts), along(op.ends), model.ints(axes)]);
};

export const lowerPad: Lowering<OpOf<'pad'>> = ({ model }, { op, inputs }) => {
  const x = operand(inputs, 0).name;
  const pads = [...op.before, ...op.after];
  return pads.every((n) => n === 0) ? x : model.node('Pad', [x, model.ints(pads)]);
};

export const lowerConcat: Lowering<OpOf<'concat'>> = ({ model }, { op, inputs, shape, batchAxis }) => {
  const names = inputs.map(({ name }) => name);
  if (shape.length === 1 && batchAxis === undefined) return joinVectors(model, inputs, shape);
  return model.node('Concat', names, { axis: op.axis });
};

/** A chain of `Where`, which has every option computed. */
export const lowerSelect: Lowering<OpOf<'select'>> = ({ model }, { inputs }) => {
  const [index, ...options] = inputs.map(({ name }) => name);
  const last = options.pop() ?? '';
  return options.reduceRight((rest, option, k) => {
    // Between the whole numbers, so that rounding does not matter.
    const below = model.node('Less', [index ?? '', model.floats([], [k + 0.5])]);
    return model.node('Where', [below, option, rest]);
  }, last);
};
