import type { OpOf } from '../../../graph/ir.ts';
import { batchedProduct, type Lowering, operand } from '../value.ts';

export const lowerMatmul: Lowering<OpOf<'matmul'>> = (emitter, { op, inputs }) => {
  const { model } = emitter;
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  if (a.shape.length === 2) {
    return model.node(
      'Gemm',
      inputs.map(({ name }) => name),
      {
        transA: Number(op.transposeA),
        transB: Number(op.transposeB),
      },
    );
  }
  const product = batchedProduct(emitter, a, b, op.transposeA, op.transposeB);
  return inputs.length === 2 ? product : model.node('Add', [product, operand(inputs, 2).name]);
};
