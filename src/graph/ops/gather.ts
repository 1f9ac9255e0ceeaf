import { type OpOf, type Shape, sizeOf } from '../ir.ts';
import { gather, scatterAdd } from './construct.ts';
import { arity, at, type Definition, expectDtypes, notCounted, positive, refuse, sameShape } from './definition.ts';

/** `index`, if it is the number of one of `rows` rows. Throws RangeError otherwise, as ONNX Runtime does. */
function checked(index: number | undefined, rows: number): number {
  if (index === undefined || !(index >= 0 && index < rows)) throw new RangeError(`index ${index} of ${rows} rows`);
  return index;
}

const rowOf = (table: Shape): Shape => table.slice(1);

export const gatherDefinition: Definition<OpOf<'gather'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const table = at(inputs, 0);
    if (table.length === 0) refuse(op, inputs, 'the table has at least one axis');
    return [...at(inputs, 1), ...rowOf(table)];
  },
  dtype(op, inputs) {
    expectDtypes(op, inputs, ['float32', 'int32']);
    return 'float32';
  },
  flops: notCounted,
  differentiable: (_op, input) => input === 0,
  gradient(g, { inputs, upstream }) {
    return [scatterAdd(g, upstream, at(inputs, 1), at(g.shape(at(inputs, 0)), 0)), undefined];
  },
  kernel(_op, inputs, shape) {
    const [table, indices] = [at(inputs, 0), at(inputs, 1)];
    const width = sizeOf(rowOf(table.shape));
    const y = new Float64Array(sizeOf(shape));
    indices.data.forEach((index, i) => {
      const from = checked(index, at(table.shape, 0)) * width;
      y.set(table.data.subarray(from, from + width), i * width);
    });
    return y;
  },
};

export const scatterAddDefinition: Definition<OpOf<'scatterAdd'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2);
    const [values, indices] = [at(inputs, 0), at(inputs, 1)];
    if (!sameShape(values.slice(0, indices.length), indices))
      refuse(op, inputs, 'the values begin with the axes of the indices');
    return positive(op, inputs, [op.rows, ...values.slice(indices.length)]);
  },
  dtype(op, inputs) {
    expectDtypes(op, inputs, ['float32', 'int32']);
    return 'float32';
  },
  flops: notCounted,
  differentiable: (_op, input) => input === 0,
  gradient: (g, { inputs, upstream }) => [gather(g, upstream, at(inputs, 1)), undefined],
  kernel(op, inputs, shape) {
    const [values, indices] = [at(inputs, 0), at(inputs, 1)];
    const width = sizeOf(rowOf(shape));
    const y = new Float64Array(sizeOf(shape));
    indices.data.forEach((index, i) => {
      const to = checked(index, op.rows) * width;
      for (let k = 0; k < width; k++)
        y[to + k] = (y[to + k] ?? Number.NaN) + (values.data[i * width + k] ?? Number.NaN);
    });
    return y;
  },
};
