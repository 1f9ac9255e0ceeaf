import { invalid } from '../common/errors.ts';
import { TRAINED_METRICS } from '../common/metrics.ts';
import * as ops from '../graph/ops.ts';
import { handDesigned } from './baselines.ts';
import { floatInput } from './inputs.ts';
import { regressionScorer, scorerOf } from './metrics.ts';
import { onlyOf, type TensorSpec } from './spec.ts';
import { byLabel, type TargetScale, type TaskData, type TaskDefinition } from './task.ts';

const perTarget = (outputs: number): TensorSpec => ({ shape: [outputs], dtype: 'float32', axes: ['feature'] });

/** One or several numbers. The network gives them standardized; an exported model gives them in their own units. */
export const regression: TaskDefinition = {
  metrics: [
    { metric: 'r2', ...TRAINED_METRICS.r2 },
    { metric: 'mse', ...TRAINED_METRICS.mse },
    { metric: 'loss', ...TRAINED_METRICS.loss },
  ],
  classes: false,
  standardized: true,
  outputsName: { one: 'target', many: 'targets' },
  meaning: 'value of each target, in its own unit',
  spec: ({ input, outputs }) => ({
    inputs: { input: floatInput(input) },
    targets: { target: perTarget(outputs) },
    outputs: { values: perTarget(outputs) },
  }),
  encoding: {
    specs: ({ outputs }) => ({ targets: perTarget(outputs) }),
    fill(given, encoded, data) {
      const [raw, into] = [onlyOf(given), onlyOf(encoded)];
      const { mean, deviation } = scaleOf(data);
      for (let i = 0; i < raw.length; i++) {
        const t = i % data.outputs;
        into[i] = ((raw[i] as number) - (mean[t] as number)) / (deviation[t] as number);
      }
    },
  },
  /** The mean squared difference to the standardized targets, over samples and targets. */
  loss(g, outputs, targets) {
    const difference = ops.sub(g, onlyOf(outputs), onlyOf(targets));
    return ops.reduceMean(g, ops.mul(g, difference, difference), [0, 1]);
  },
  restore(given, data) {
    const outputs = onlyOf(given);
    const { mean, deviation } = scaleOf(data);
    for (let i = 0; i < outputs.length; i++) {
      const t = i % data.outputs;
      outputs[i] = (outputs[i] ?? Number.NaN) * (deviation[t] ?? Number.NaN) + (mean[t] ?? Number.NaN);
    }
  },
  scorer: (data) => scorerOf(regressionScorer(data.outputs, scaleOf(data).deviation)),
  answer: {
    graph(g, given, { outputs, target }) {
      const output = onlyOf(given);
      if (target === undefined) return { values: output };
      const shape = [1, outputs];
      const scaled = ops.mul(g, output, ops.constant(g, target.deviation, shape));
      return { values: ops.add(g, scaled, ops.constant(g, target.mean, shape)) };
    },
    host: (outputs) => ({ values: Float64Array.from(onlyOf(outputs)) }),
  },
  baselines: handDesigned,
  decode: (answers, labels) => ({ values: byLabel(labels, onlyOf(answers)) }),
};

/** Throws UserError when the dataset has no statistics of its targets: one of a user's own, or of an edited study. */
function scaleOf({ name, target }: TaskData): TargetScale {
  if (target === undefined)
    throw invalid(
      `data set "${name}"`,
      'is a regression without statistics of its targets',
      'info.target must have mean and deviation',
    );
  return target;
}
