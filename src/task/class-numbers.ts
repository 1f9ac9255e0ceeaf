/** Class numbers as targets, one for each sample or for each of its positions: what a task over them is made of. */
import { TRAINED_METRICS } from '../common/metrics.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { ArrayScorer } from './metrics.ts';

/** A target of this value is padding, where a task says that it has some: shorter sequences in a bucket of one length. */
export const PADDING = -1;

/**
 * The mean cross-entropy, [], of logits [N, K, ...] against class numbers, int32 [N, ...]. `padded`: targets of PADDING do not count;
 * the mean is over the others of the batch.
 */
export function crossEntropy(g: GraphBuilder, logits: NodeId, classes: NodeId, { padded = false } = {}): NodeId {
  const [n = 1, k = 1, ...positions] = g.shape(logits);
  const rank = 2 + positions.length;
  const numbers = ops.indices(
    g,
    Array.from({ length: k }, (_, i) => i),
    [1, ...positions.map(() => 1), k],
  );
  const truth = ops.equal(g, ops.reshape(g, classes, [n, ...positions, 1]), numbers); // [N, ..., K]
  // Classes last: so the products that make them leave them, and so ONNX Runtime's softmax wants them.
  const classesLast = ops.transpose(g, logits, [0, ...positions.map((_, i) => i + 2), 1]);
  const agreement = ops.reduceSum(g, ops.mul(g, truth, ops.logSoftmax(g, classesLast)), [rank - 1]); // [N, ...]
  const axes = [...g.shape(agreement).keys()];
  if (!padded) return ops.neg(g, ops.reduceMean(g, agreement, axes));
  const counted = ops.reduceSum(g, truth, [...g.shape(truth).keys()]);
  return ops.neg(g, ops.div(g, ops.reduceSum(g, agreement, axes), counted));
}

/** Probabilities [N, K, ...] of logits [N, K, ...]. */
export const probabilities = (g: GraphBuilder, logits: NodeId): NodeId => ops.exp(g, ops.logSoftmax(g, logits, 1));

/** The same on the host: rows of `classes` × `positions` logits each. */
export function probabilitiesOf(logits: Float32Array, classes: number, positions = 1): Float64Array {
  const shares = new Float64Array(logits.length);
  forEachPosition(logits, classes, positions, (at) => {
    const { total, top } = exponents(logits, classes, positions, at);
    for (let k = 0; k < classes; k++)
      shares[at + k * positions] = Math.exp((logits[at + k * positions] ?? 0) - top) / total;
  });
  return shares;
}

/** The number of the largest of `classes` values at each position, of one sample [classes, ...positions]. Ties go to the lower. */
export function largestClasses(values: readonly number[], classes: number): number[] {
  const positions = values.length / classes;
  return Array.from({ length: positions }, (_, at) => {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if ((values[at + k * positions] ?? 0) > (values[at + best * positions] ?? 0)) best = k;
    return best;
  });
}

/** The metrics of `classNumberScorer`. */
export const CLASS_METRICS = [
  { metric: 'accuracy', ...TRAINED_METRICS.accuracy },
  { metric: 'loss', ...TRAINED_METRICS.loss },
] as const;

/**
 * Accuracy and mean cross-entropy, over all positions of all samples. Logits [N, classes, positions], class numbers [N, positions].
 * `padded`: positions with the target PADDING do not count.
 */
export function classNumberScorer(classes: number, positions = 1, { padded = false } = {}): ArrayScorer {
  let [seen, correct, loss] = [0, 0, 0];
  return {
    add(logits, numbers, count) {
      if (logits.length !== count * classes * positions || numbers.length !== count * positions)
        throw new RangeError(`${logits.length} logits and ${numbers.length} targets for ${count} samples do not fit`);
      let next = 0;
      forEachPosition(logits, classes, positions, (at) => {
        const truth = numbers[next++] ?? Number.NaN;
        if (padded && truth === PADDING) return;
        seen++;
        if (!(truth >= 0 && truth < classes))
          throw new RangeError(`target ${truth} is not a class from 0 to ${classes - 1}`);
        const { best, top, total } = exponents(logits, classes, positions, at);
        loss += Math.log(total) + top - (logits[at + truth * positions] ?? Number.NaN);
        if (best === truth) correct++;
      });
    },
    result() {
      if (seen === 0) throw new RangeError('there are no samples to measure on');
      return { metrics: { accuracy: correct / seen, loss: loss / seen } };
    },
  };
}

function forEachPosition(
  logits: ArrayLike<number>,
  classes: number,
  positions: number,
  visit: (at: number) => void,
): void {
  for (let start = 0; start < logits.length; start += classes * positions)
    for (let at = start; at < start + positions; at++) visit(at);
}

/** The largest logit at one position, its class, and the sum of all exponentials relative to it. */
function exponents(logits: ArrayLike<number>, classes: number, positions: number, at: number) {
  const value = (k: number) => logits[at + k * positions] ?? Number.NaN;
  let best = 0;
  for (let k = 1; k < classes; k++) if (value(k) > value(best)) best = k;
  const top = value(best);
  let total = 0;
  for (let k = 0; k < classes; k++) total += Math.exp(value(k) - top);
  return { best, top, total };
}
