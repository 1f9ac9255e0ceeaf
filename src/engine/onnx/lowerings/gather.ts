import type { OpOf } from '../../../graph/ir.ts';
import { sizeOf } from '../../../graph/ir.ts';
import { INT64, type Lowering, operand } from '../value.ts';

export const lowerGather: Lowering<OpOf<'gather'>> = ({ model }, { inputs }) =>
  model.node('Gather', [operand(inputs, 0).name, operand(inputs, 1).name], { axis: 0 });

/** [positions, ...row] added to zeros at [positions, 1]. */
export const lowerScatterAdd: Lowering<OpOf<'scatterAdd'>> = ({ model }, { inputs, shape }) => {
  const [values, indices] = [operand(inputs, 0), operand(inputs, 1)];
  const row = values.shape.slice(indices.shape.length);
  // With an open batch the number of positions is worked out in the run.
  const positions = values.batchAxis === undefined && indices.batchAxis === undefined ? sizeOf(indices.shape) : -1;
  const at = model.node('Cast', [model.view(indices.name, [positions, 1])], { to: INT64 });
  const zeros = model.node('ConstantOfShape', [model.ints(shape)]);
  const rows = model.view(values.name, [positions, ...row]);
  return model.node('ScatterND', [zeros, at, rows], { reduction: 'add' });
};
