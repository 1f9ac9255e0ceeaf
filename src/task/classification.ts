import { largest } from '../common/extremes.ts';
import { TRAINED_METRICS } from '../common/metrics.ts';
import * as ops from '../graph/ops.ts';
import { handDesigned } from './baselines.ts';
import { floatInput } from './inputs.ts';
import { classificationScorer, scorerOf } from './metrics.ts';
import { onlyOf, type TensorSpec } from './spec.ts';
import { byLabel, type TaskDefinition } from './task.ts';

const perClass = (outputs: number): TensorSpec => ({ shape: [outputs], dtype: 'float32', axes: ['class'] });

/** One of several classes. Raw targets are class numbers; the network gives logits, an exported model probabilities. */
export const classification: TaskDefinition = {
  metrics: [
    { metric: 'accuracy', ...TRAINED_METRICS.accuracy },
    { metric: 'precision', ...TRAINED_METRICS.precision },
    { metric: 'recall', ...TRAINED_METRICS.recall },
    { metric: 'f1', ...TRAINED_METRICS.f1 },
    { metric: 'loss', ...TRAINED_METRICS.loss },
  ],
  classes: true,
  standardized: false,
  outputsName: { one: 'class', many: 'classes' },
  meaning: 'probability of each label',
  spec: ({ input, outputs }) => ({
    inputs: { input: floatInput(input) },
    targets: { target: { shape: [], dtype: 'float32', axes: [] } },
    outputs: { probabilities: perClass(outputs) },
  }),
  encoding: {
    specs: ({ outputs }) => ({ targets: perClass(outputs) }),
    /** Class numbers to distributions: 1 − smoothing on the class, and smoothing shared by all of them (itself included). */
    fill(raw, encoded, { outputs }, smoothing) {
      const into = onlyOf(encoded).fill(smoothing / outputs);
      for (const [i, label] of onlyOf(raw).entries()) into[i * outputs + label] = 1 - smoothing + smoothing / outputs;
    },
    /** The cross-entropy is linear in the targets. */
    weigh(raw, encoded, { outputs }, weights) {
      const into = onlyOf(encoded);
      for (const [i, label] of onlyOf(raw).entries())
        for (let at = i * outputs; at < (i + 1) * outputs; at++) into[at] = (into[at] ?? 0) * (weights[label] ?? 1);
    },
  },
  /** The cross-entropy between the target distribution and the softmax of the logits. */
  loss(g, outputs, targets) {
    const agreement = ops.mul(g, onlyOf(targets), ops.logSoftmax(g, onlyOf(outputs))); // [B, K]
    return ops.neg(g, ops.reduceMean(g, ops.reduceSum(g, agreement, [1]), [0]));
  },
  scorer: ({ outputs }) => scorerOf(classificationScorer(outputs)),
  answer: {
    graph: (g, outputs) => ({ probabilities: ops.exp(g, ops.logSoftmax(g, onlyOf(outputs))) }),
    host(given, { outputs }) {
      const logits = onlyOf(given);
      const out = new Float64Array(logits.length);
      for (let start = 0; start < logits.length; start += outputs) {
        const row = logits.subarray(start, start + outputs);
        const top = largest(row);
        const total = row.reduce((sum, v) => sum + Math.exp(v - top), 0);
        row.forEach((v, i) => {
          out[start + i] = Math.exp(v - top) / total;
        });
      }
      return { probabilities: out };
    },
  },
  baselines: handDesigned,
  /** Among equal probabilities, the first class. */
  decode(answers, labels) {
    const values = onlyOf(answers);
    const best = values.reduce((largest, value, k) => (value > (values[largest] ?? 0) ? k : largest), 0);
    return { class: labels[best] ?? '', probabilities: byLabel(labels, values) };
  },
};
