import type { OpOf } from '../../../graph/ir.ts';
import { broadcastForm } from '../forms.ts';
import { MICROSOFT } from '../model.ts';
import { batchedProduct, type Emitter, type Lowering, operand, type Site } from '../value.ts';

export const lowerMatmul: Lowering<OpOf<'matmul'>> = (emitter, site) => {
  const { op, inputs, factor } = site;
  const { model } = emitter;
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  if (a.shape.length === 2) {
    return model.node(
      'Gemm',
      inputs.map(({ name }) => name),
      {
        transA: Number(op.transposeA),
        transB: Number(op.transposeB),
        ...(factor !== undefined && { alpha: { float: factor.product }, beta: { float: factor.summand } }),
      },
    );
  }
  const single = site.batchAxis === undefined && site.shape.slice(0, -2).every((n) => n === 1);
  const byVector = single && inputs.length === 2 ? productByVector(emitter, site) : undefined;
  if (byVector !== undefined) return byVector;
  const product = batchedProduct(emitter, a, b, op.transposeA, op.transposeB, factor?.product);
  return inputs.length === 2 ? product : model.node('Add', [product, operand(inputs, 2).name]);
};

/**
 * One product with a vector, which is a row whichever side the graph has it on, and so is the result: statistics of channels
 * are at hand as rows. Of two vectors, a column times a row. Undefined for any other product.
 */
function productByVector({ model, target }: Emitter, { op, inputs, shape }: Site<OpOf<'matmul'>>): string | undefined {
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  const [rows = 1, columns = 1] = shape.slice(-2);
  const inner = a.shape.at(op.transposeA ? -2 : -1) ?? 1;
  if (target !== 'cpu' || [rows, columns, inner].filter((n) => n === 1).length !== 1) return undefined;
  if (inner === 1) {
    const column = model.view(a.name, [rows, 1], a.shape);
    const row = broadcastForm(model, b, [1, columns]).name;
    return model.view(model.node('Mul', [column, row]), shape, [rows, columns]);
  }
  const [vector, matrix, turned] = columns === 1 ? [b, a, !op.transposeA] : [a, b, op.transposeB];
  const row = broadcastForm(model, vector, [1, inner]);
  const product = turned
    ? model.node('FusedMatMul', [row.name, matrix.name], { transA: 0, transB: 1 }, { domain: MICROSOFT })
    : model.node('MatMul', [row.name, matrix.name]);
  return model.view(product, shape, [...matrix.shape.slice(0, -2), ...row.shape.slice(0, -1), rows * columns]);
}
