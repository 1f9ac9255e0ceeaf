import { largest } from '../common/extremes.ts';
import * as ops from '../graph/ops.ts';
import { classificationScorer } from './metrics.ts';
import { byLabel, type TaskDefinition } from './task.ts';

/** One of several classes. Raw targets are class numbers; the network gives logits, an exported model probabilities. */
export const classification: TaskDefinition = {
  metrics: ['accuracy', 'precision', 'recall', 'f1', 'loss'],
  classes: true,
  standardized: false,
  outputsName: { one: 'class', many: 'classes' },
  exportedName: 'probabilities',
  targetSize: () => 1,
  /** Class numbers to distributions: 1 − smoothing on the class, and smoothing shared by all of them (itself included). */
  targets(raw, into, { outputs }, smoothing) {
    into.fill(smoothing / outputs);
    for (const [i, label] of raw.entries()) into[i * outputs + label] = 1 - smoothing + smoothing / outputs;
  },
  /** Of the cross-entropy between the target distribution and the softmax of the logits. */
  loss(g, output, targets) {
    const agreement = ops.mul(g, targets, ops.logSoftmax(g, output)); // [B, K]
    return ops.neg(g, ops.reduceMean(g, ops.reduceSum(g, agreement, [1]), [0]));
  },
  restore() {},
  scorer: ({ outputs }) => classificationScorer(outputs),
  answer: (g, output) => ops.exp(g, ops.logSoftmax(g, output)),
  answerOf(logits, { outputs }) {
    const out = new Float64Array(logits.length);
    for (let start = 0; start < logits.length; start += outputs) {
      const row = logits.subarray(start, start + outputs);
      const top = largest(row);
      const total = row.reduce((sum, v) => sum + Math.exp(v - top), 0);
      row.forEach((v, i) => {
        out[start + i] = Math.exp(v - top) / total;
      });
    }
    return out;
  },
  /** Of several equal probabilities, the first class. */
  decode(labels, values) {
    const best = values.reduce((largest, value, k) => (value > (values[largest] ?? 0) ? k : largest), 0);
    return { class: labels[best] ?? '', probabilities: byLabel(labels, values) };
  },
};
