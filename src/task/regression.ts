import * as ops from '../graph/ops.ts';
import { regressionScorer } from './metrics.ts';
import { byLabel, type TargetScale, type TaskData, type TaskDefinition } from './task.ts';

/** One or several numbers. The network gives them standardized; an exported model gives them in their own units. */
export const regression: TaskDefinition = {
  metrics: ['r2', 'mse', 'loss'],
  classes: false,
  standardized: true,
  outputsName: { one: 'target', many: 'targets' },
  exportedName: 'values',
  targetSize: ({ outputs }) => outputs,
  targets(raw, into, data) {
    const { mean, deviation } = scaleOf(data);
    for (let i = 0; i < raw.length; i++) {
      const t = i % data.outputs;
      into[i] = ((raw[i] ?? Number.NaN) - (mean[t] ?? Number.NaN)) / (deviation[t] ?? Number.NaN);
    }
  },
  /** Of the squared difference to the standardized targets, also over the targets. */
  loss(g, output, targets) {
    const difference = ops.sub(g, output, targets);
    return ops.reduceMean(g, ops.mul(g, difference, difference), [0, 1]);
  },
  restore(outputs, data) {
    const { mean, deviation } = scaleOf(data);
    for (let i = 0; i < outputs.length; i++) {
      const t = i % data.outputs;
      outputs[i] = (outputs[i] ?? Number.NaN) * (deviation[t] ?? Number.NaN) + (mean[t] ?? Number.NaN);
    }
  },
  scorer: (data) => regressionScorer(data.outputs, scaleOf(data).deviation),
  answer(g, output, { outputs, target }) {
    if (target === undefined) return output;
    const shape = [1, outputs];
    const scaled = ops.mul(g, output, ops.constant(g, target.deviation, shape));
    return ops.add(g, scaled, ops.constant(g, target.mean, shape));
  },
  answerOf: (outputs) => Float64Array.from(outputs),
  decode: (labels, values) => ({ values: byLabel(labels, values) }),
};

/** Throws Error when the dataset has no statistics of its targets. */
function scaleOf({ name, target }: TaskData): TargetScale {
  if (target === undefined) throw new Error(`dataset "${name}" is a regression without target statistics`);
  return target;
}
