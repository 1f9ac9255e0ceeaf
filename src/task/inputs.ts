import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId, Shape } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Nodes, TensorSpec } from './spec.ts';
import { onlyOf } from './spec.ts';
import type { StepTask, TaskData } from './task.ts';

/** What the network reads, of the raw inputs [N, ...]. */
export function prepareInputs(g: GraphBuilder, task: StepTask, inputs: Nodes, data: TaskData): NodeId {
  if (task.prepare !== undefined) return task.prepare(g, inputs, data);
  const x = onlyOf(inputs);
  return g.dtype(x) === 'int32' ? x : standardize(g, x, data);
}

/** (x - mean) / deviation, for each channel or feature. */
export function standardize(g: GraphBuilder, x: NodeId, { mean, deviation }: TaskData): NodeId {
  if (mean === undefined || deviation === undefined) return x;
  const shape = g.shape(x).map((size, axis) => (axis === 1 ? size : 1)); // [1, C, 1, 1] or [1, F]
  const inverse = ops.constant(
    g,
    deviation.map((one) => 1 / one),
    shape,
  );
  return ops.mul(g, ops.sub(g, x, ops.constant(g, mean, shape)), inverse);
}

/** Images, sequences of channels, or features: the input of data that a reader found. */
export function floatInput(shape: Shape): TensorSpec {
  const axes = shape.length === 1 ? (['feature'] as const) : (['channel', 'height', 'width'] as const);
  return { shape, dtype: 'float32', axes: shape.length === 2 ? ['channel', 'time'] : axes };
}
