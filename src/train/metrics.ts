import type { Metrics } from '../common/metrics.ts';

/** What a classifier did on a set of samples. */
export interface ClassificationResult {
  /** accuracy, precision, recall, f1 (macro averages), loss (cross-entropy, nats). */
  readonly metrics: Metrics;
  /** Counts: `confusion[truth][predicted]`. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Compares logits with the truth. Ties among logits go to the lower class.
 *
 * Precision, recall and F1 are macro averages as scikit-learn's `average='macro', zero_division=0` gives them: over the
 * classes that occur in the truth or among the predictions, a class without a correct prediction counting 0; a class
 * that occurs in neither is left out. The loss is the mean of -log softmax at the true class, summed in float64; it is
 * NaN where a logit is, so a caller that reports it must check it.
 *
 * @param logits [N, classes], row-major
 * @param labels class numbers, N of them
 * @throws RangeError when there are no samples, when the sizes disagree, or for a label outside 0 .. classes - 1
 */
export function classificationMetrics(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): ClassificationResult {
  const count = checkedCount(logits.length, labels.length, classes, 1);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  let correct = 0;
  for (let n = 0; n < count; n++) {
    const truth = labels[n] as number;
    const row = confusion[truth];
    if (row === undefined)
      throw new RangeError(`label ${truth} of sample ${n} is not a class from 0 to ${classes - 1}`);
    const at = n * classes;
    let best = 0;
    for (let k = 1; k < classes; k++) if ((logits[at + k] as number) > (logits[at + best] as number)) best = k;
    const largest = logits[at + best] as number;
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp((logits[at + k] as number) - largest);
    loss += Math.log(sum) + largest - (logits[at + truth] as number);
    row[best] = (row[best] as number) + 1;
    if (best === truth) correct++;
  }
  const scores = macroScores(confusion);
  return { metrics: { accuracy: correct / count, ...scores, loss: loss / count }, confusion };
}

function macroScores(confusion: readonly (readonly number[])[]) {
  let [precision, recall, f1, present] = [0, 0, 0, 0];
  confusion.forEach((row, k) => {
    const hits = row[k] as number;
    const truths = row.reduce((sum, n) => sum + n, 0);
    const predicted = confusion.reduce((sum, other) => sum + (other[k] as number), 0);
    if (truths + predicted === 0) return;
    present++;
    precision += predicted === 0 ? 0 : hits / predicted;
    recall += truths === 0 ? 0 : hits / truths;
    f1 += (2 * hits) / (truths + predicted);
  });
  return { precision: precision / present, recall: recall / present, f1: f1 / present };
}

/**
 * Mean squared error and R² of predictions, both in the units of the targets; with several targets the mean over them
 * (scikit-learn's `uniform_average`). R² of a target that is constant is 1 when every prediction is exact, otherwise 0
 * (scikit-learn's `force_finite`). NaN where a prediction is.
 *
 * @param predictions [N, outputs], row-major
 * @param targets [N, outputs]
 * @throws RangeError when there are no samples or the sizes disagree
 */
export function regressionMetrics(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
  outputs: number,
): { readonly mse: number; readonly r2: number } {
  const count = checkedCount(predictions.length, targets.length, outputs, outputs);
  let [mse, r2] = [0, 0];
  for (let t = 0; t < outputs; t++) {
    let mean = 0;
    for (let n = 0; n < count; n++) mean += targets[n * outputs + t] as number;
    mean /= count;
    let [residual, total] = [0, 0];
    for (let n = 0; n < count; n++) {
      const target = targets[n * outputs + t] as number;
      residual += (target - (predictions[n * outputs + t] as number)) ** 2;
      total += (target - mean) ** 2;
    }
    mse += residual / count / outputs;
    r2 += (total > 0 || Number.isNaN(residual) ? 1 - residual / total : residual === 0 ? 1 : 0) / outputs;
  }
  return { mse, r2 };
}

function checkedCount(predicted: number, truths: number, perPrediction: number, perTruth: number): number {
  const count = truths / perTruth;
  if (count === 0) throw new RangeError('there are no samples to measure on');
  if (predicted !== count * perPrediction) {
    throw new RangeError(`${predicted} predicted values for ${count} samples; ${perPrediction} are needed for each`);
  }
  return count;
}
