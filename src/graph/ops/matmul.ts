import { type OpOf, type Shape, sizeOf } from '../ir.ts';
import { matmul, reduceSum } from './construct.ts';
import { arity, at, type Definition, refuse, sameShape } from './definition.ts';

/** Rows and columns of a matrix (the last two axes) as it takes part in the product. */
function effective(shape: Shape, transposed: boolean): [rows: number, columns: number] {
  const [m, n] = [at(shape, shape.length - 2), at(shape, shape.length - 1)];
  return transposed ? [n, m] : [m, n];
}

export const matmulDefinition: Definition<OpOf<'matmul'>> = {
  shape(op, inputs) {
    arity(op, inputs, 2, 3);
    const [a, b, bias] = [at(inputs, 0), at(inputs, 1), inputs[2]];
    if (a.length < 2 || b.length < 2) refuse(op, inputs, 'both have at least two axes');
    const lead = a.slice(0, -2);
    if (!sameShape(lead, b.slice(0, -2))) refuse(op, inputs, 'the leading axes are equal');
    const [m, ka] = effective(a, op.transposeA);
    const [kb, n] = effective(b, op.transposeB);
    if (ka !== kb) {
      refuse(op, inputs, `(transposeA ${op.transposeA}, transposeB ${op.transposeB}) ${ka} columns meet ${kb} rows`);
    }
    if (bias !== undefined && !sameShape(bias, [n])) refuse(op, inputs, `the bias is [${n}]`);
    return [...lead, m, n];
  },
  flops(op, inputs, output) {
    const [, k] = effective(at(inputs, 0), op.transposeA);
    return sizeOf(output) * (k + (inputs.length > 2 ? 1 : 0));
  },
  gradient(g, { op, inputs, upstream, wants }) {
    const [a, b] = [at(inputs, 0), at(inputs, 1)];
    const { transposeA, transposeB } = op;
    const byA = () =>
      transposeA
        ? matmul(g, b, upstream, { transposeA: transposeB, transposeB: true })
        : matmul(g, upstream, b, { transposeB: !transposeB });
    const byB = () =>
      transposeB
        ? matmul(g, upstream, a, { transposeA: true, transposeB: transposeA })
        : matmul(g, a, upstream, { transposeA: !transposeA });
    const rows = g.shape(upstream).slice(0, -1);
    return [
      wants(0) ? byA() : undefined,
      wants(1) ? byB() : undefined,
      wants(2) ? reduceSum(g, upstream, [...rows.keys()]) : undefined,
    ];
  },
  kernel(op, inputs, shape) {
    const [a, b, bias] = [at(inputs, 0), at(inputs, 1), inputs[2]];
    const [m, k] = effective(a.shape, op.transposeA);
    const [, n] = effective(b.shape, op.transposeB);
    const [aRow, aColumn] = op.transposeA ? [1, m] : [k, 1];
    const [bRow, bColumn] = op.transposeB ? [1, k] : [n, 1];
    const y = new Float64Array(sizeOf(shape));
    for (let batch = 0; batch < y.length / (m * n); batch++) {
      for (let i = 0; i < m; i++) {
        const row = (batch * m + i) * n;
        if (bias !== undefined) y.set(bias.data, row);
        for (let p = 0; p < k; p++) {
          const left = a.data[batch * m * k + i * aRow + p * aColumn] ?? Number.NaN;
          const right = batch * k * n + p * bRow;
          for (let j = 0; j < n; j++) {
            y[row + j] = (y[row + j] ?? Number.NaN) + left * (b.data[right + j * bColumn] ?? Number.NaN);
          }
        }
      }
    }
    return y;
  },
};
