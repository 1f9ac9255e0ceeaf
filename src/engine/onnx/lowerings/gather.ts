import type { OpOf } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { batchedProduct, FLOAT, type Lowering, operand } from '../value.ts';

export const lowerGather: Lowering<OpOf<'gather'>> = ({ model }, { inputs }) =>
  model.node('Gather', [operand(inputs, 0).name, operand(inputs, 1).name], { axis: 0 });

/** Up to this many rows, a product with a one-hot matrix [positions, rows] is faster than adding row by row. */
const FEW_ROWS = 256;

/**
 * As a product with a one-hot matrix, or row by row. Both add in one order: `ScatterND` would be shorter, but adds in threads, in an
 * order that differs from run to run where an index comes twice.
 */
export const lowerScatterAdd: Lowering<OpOf<'scatterAdd'>> = (emitter, { op, inputs, shape }) => {
  const { model } = emitter;
  const [values, indices] = [operand(inputs, 0), operand(inputs, 1)];
  const width = sizeOf(values.shape.slice(indices.shape.length));
  // With an open batch the number of positions is worked out in the run.
  const positions = values.batchAxis === undefined && indices.batchAxis === undefined ? sizeOf(indices.shape) : -1;
  const column = model.view(indices.name, [positions, 1]);
  const rows = model.view(values.name, [positions, width]);
  if (op.rows <= FEW_ROWS) {
    const numbers = model.indices([1, op.rows], [...Array(op.rows).keys()]);
    const oneHot = model.node('Cast', [model.node('Equal', [column, numbers])], { to: FLOAT });
    return model.view(
      batchedProduct(emitter, { name: oneHot, shape: [0, op.rows] }, { name: rows, shape: [0, width] }, true, false),
      shape,
    );
  }
  // An expansion of 1 does not change the number of positions.
  const at = width === 1 ? column : model.node('Expand', [column, model.ints([1, width])]);
  const zeros = model.node('ConstantOfShape', [model.ints([op.rows, width])]);
  return model.view(model.node('ScatterElements', [zeros, at, rows], { axis: 0, reduction: 'add' }), shape);
};
