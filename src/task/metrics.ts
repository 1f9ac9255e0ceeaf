import type { Metrics } from '../common/metrics.ts';
import { type Arrays, type FloatArrays, onlyOf } from './spec.ts';

/** Compares what a network gives with the truth, a batch at a time. */
export interface Scorer {
  /**
   * `count` samples, row-major. `outputs` are in their original units, `given` as the network gives them; `targets` are
   * raw. Throws RangeError when the sizes disagree or a target cannot be.
   */
  add(outputs: FloatArrays, targets: Arrays, count: number, given: FloatArrays): void;
  /** The metrics of all samples that were added. Throws RangeError when there are none. */
  result(): Measured;
}

/** The same of one output and one target. */
export interface ArrayScorer {
  add(outputs: ArrayLike<number>, targets: ArrayLike<number>, count: number): void;
  result(): Measured;
}

/** The scorer of a task that has one output and one target. */
export function scorerOf(scorer: ArrayScorer): Scorer {
  return {
    add: (outputs, targets, count) => scorer.add(onlyOf(outputs), onlyOf(targets), count),
    result: () => scorer.result(),
  };
}

/** How well a network does on some samples. */
export interface Measured {
  /** By name; `loss` is what training minimizes, without smoothing. */
  readonly metrics: Metrics;
  /** For a classifier: counts, `confusion[truth][predicted]`. */
  readonly confusion?: readonly (readonly number[])[];
}

/**
 * Compares logits [N, classes] with class numbers [N]. Ties among logits go to the lower class.
 *
 * Precision, recall and F1 are macro averages as scikit-learn's `average='macro', zero_division=0` gives them: over the
 * classes that occur in the truth or among the predictions, a class without a correct prediction counting 0; a class
 * that occurs in neither is left out. The loss is the mean of -log softmax at the true class, summed in float64; it is
 * NaN where a logit is, so a caller that reports it must check it.
 */
export function classificationScorer(classes: number): ArrayScorer {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let [samples, loss, correct] = [0, 0, 0];
  return {
    add(logits, labels, count) {
      checkSizes(logits.length, labels.length, count, classes, 1);
      for (let n = 0; n < count; n++) {
        const truth = labels[n] ?? Number.NaN;
        const row = confusion[truth];
        if (row === undefined)
          throw new RangeError(`label ${truth} of sample ${samples + n} is not a class from 0 to ${classes - 1}`);
        const at = n * classes;
        let best = 0;
        for (let k = 1; k < classes; k++)
          if ((logits[at + k] ?? Number.NaN) > (logits[at + best] ?? Number.NaN)) best = k;
        const largest = logits[at + best] ?? Number.NaN;
        let sum = 0;
        for (let k = 0; k < classes; k++) sum += Math.exp((logits[at + k] ?? Number.NaN) - largest);
        loss += Math.log(sum) + largest - (logits[at + truth] ?? Number.NaN);
        row[best] = (row[best] ?? Number.NaN) + 1;
        if (best === truth) correct++;
      }
      samples += count;
    },
    result() {
      checkSome(samples);
      return { metrics: { accuracy: correct / samples, ...macroScores(confusion), loss: loss / samples }, confusion };
    },
  };
}

function macroScores(confusion: readonly (readonly number[])[]) {
  let [precision, recall, f1, present] = [0, 0, 0, 0];
  confusion.forEach((row, k) => {
    const hits = row[k] ?? Number.NaN;
    const truths = row.reduce((sum, n) => sum + n, 0);
    const predicted = confusion.reduce((sum, other) => sum + (other[k] ?? Number.NaN), 0);
    if (truths + predicted === 0) return;
    present++;
    precision += predicted === 0 ? 0 : hits / predicted;
    recall += truths === 0 ? 0 : hits / truths;
    f1 += (2 * hits) / (truths + predicted);
  });
  return { precision: precision / present, recall: recall / present, f1: f1 / present };
}

/**
 * Mean squared error and R² of predictions [N, outputs], both in the units of the targets; with several targets the mean
 * over them (scikit-learn's `uniform_average`). R² of a target that is constant is 1 when every prediction is exact,
 * otherwise 0 (scikit-learn's `force_finite`). The loss is the squared error in units of `deviation`. NaN where a
 * prediction is. The variance is summed by Welford's method, so that samples need not be kept.
 */
export function regressionScorer(outputs: number, deviation: readonly number[]): ArrayScorer {
  const residual = new Float64Array(outputs);
  const mean = new Float64Array(outputs);
  const total = new Float64Array(outputs);
  let samples = 0;
  return {
    add(predictions, targets, count) {
      checkSizes(predictions.length, targets.length, count, outputs, outputs);
      for (let i = 0; i < count * outputs; i++) {
        const t = i % outputs;
        const seen = samples + Math.floor(i / outputs) + 1;
        const target = targets[i] ?? Number.NaN;
        residual[t] = (residual[t] ?? Number.NaN) + (target - (predictions[i] ?? Number.NaN)) ** 2;
        const before = target - (mean[t] ?? Number.NaN);
        mean[t] = (mean[t] ?? Number.NaN) + before / seen;
        total[t] = (total[t] ?? Number.NaN) + before * (target - (mean[t] ?? Number.NaN));
      }
      samples += count;
    },
    result() {
      checkSome(samples);
      let [loss, mse, r2] = [0, 0, 0];
      for (let t = 0; t < outputs; t++) {
        const [error, spread] = [residual[t] ?? Number.NaN, total[t] ?? Number.NaN];
        loss += error / (deviation[t] ?? Number.NaN) ** 2 / samples / outputs;
        mse += error / samples / outputs;
        r2 += (spread > 0 || Number.isNaN(error) ? 1 - error / spread : error === 0 ? 1 : 0) / outputs;
      }
      return { metrics: { loss, mse, r2 } };
    },
  };
}

function checkSome(samples: number): void {
  if (samples === 0) throw new RangeError('there are no samples to measure on');
}

function checkSizes(predicted: number, truths: number, count: number, perPrediction: number, perTruth: number): void {
  if (predicted !== count * perPrediction)
    throw new RangeError(`${predicted} predicted values for ${count} samples; ${perPrediction} are needed for each`);
  if (truths !== count * perTruth)
    throw new RangeError(`${truths} target values for ${count} samples; ${perTruth} are needed for each`);
}
