import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ArrayScorer, classificationScorer, regressionScorer } from './metrics.ts';

/** Adds samples in batches of `size`. */
function scored(
  scorer: ArrayScorer,
  outputs: readonly number[],
  targets: readonly number[],
  count: number,
  size = count,
) {
  const [width, wanted] = [outputs.length / count, targets.length / count];
  for (let from = 0; from < count; from += size) {
    const to = Math.min(count, from + size);
    scorer.add(outputs.slice(from * width, to * width), targets.slice(from * wanted, to * wanted), to - from);
  }
  return scorer.result();
}
const classified = (logits: readonly number[], labels: readonly number[], classes: number, size?: number) =>
  scored(classificationScorer(classes), logits, labels, labels.length, size);
const regressed = (predictions: readonly number[], targets: readonly number[], outputs: number, size?: number) =>
  scored(regressionScorer(outputs, [1, 1]), predictions, targets, targets.length / outputs, size).metrics;

const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-12, `${actual} is not ${expected}`);

/** Logits whose largest entry is the given class. */
const decided = (classes: number, predictions: readonly number[]) =>
  predictions.flatMap((p) => Array.from({ length: classes }, (_, k) => (k === p ? 1 : 0)));

test('macro precision, recall and F1 are as scikit-learn gives them with zero_division=0', () => {
  const truths = [0, 0, 0, 1, 1, 2];
  const { metrics, confusion } = classified(decided(4, [0, 0, 1, 1, 0, 1]), truths, 4);
  assert.deepEqual(confusion, [
    [2, 1, 0, 0],
    [1, 1, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 0],
  ]);
  // Class 3 occurs nowhere and is left out; class 2 is never predicted and counts 0.
  near(metrics.accuracy, 3 / 6);
  near(metrics.precision, (2 / 3 + 1 / 3 + 0) / 3);
  near(metrics.recall, (2 / 3 + 1 / 2 + 0) / 3);
  near(metrics.f1, (2 / 3 + 2 / 5 + 0) / 3);
});

test('the loss is the mean cross-entropy, also for logits that would overflow exp', () => {
  near(classified([0, 0, 0, 0], [1, 0], 2).metrics.loss, Math.log(2));
  near(classified([1000, 0], [1], 2).metrics.loss, 1000);
  near(classified([1, 2, 3], [2], 3).metrics.loss, -Math.log(Math.exp(3) / (Math.E + Math.exp(2) + Math.exp(3))));
  assert.ok(Number.isNaN(classified([Number.NaN, 0], [0], 2).metrics.loss));
});

test('a label that is no class, no samples and a wrong size are refused', () => {
  assert.throws(() => classified([0, 1], [2], 2), /label 2 of sample 0 is not a class from 0 to 1/);
  assert.throws(() => classificationScorer(2).result(), /no samples/);
  assert.throws(() => classified([0, 1, 2], [0], 2), /3 predicted values for 1 samples/);
});

test('mean squared error and R² average over the targets', () => {
  // Target 0: 1, 3 predicted 1, 2; target 1: 10, 20 predicted 10, 20.
  const { mse, r2 } = regressed([1, 10, 2, 20], [1, 10, 3, 20], 2);
  near(mse, (0.5 + 0) / 2);
  near(r2, (1 - 1 / 2 + 1) / 2);
});

test('R² of a constant target is 1 when exact and 0 otherwise', () => {
  near(regressed([5, 5], [5, 5], 1).r2, 1);
  near(regressed([5, 6], [5, 5], 1).r2, 0);
  assert.ok(Number.isNaN(regressed([Number.NaN, 6], [5, 5], 1).r2));
});

test('samples that are added in batches score as all of them together', () => {
  const values = (count: number, step: number) => Array.from({ length: count }, (_, i) => 1000 + Math.sin(i * step));
  const [outputs, targets] = [values(34, 1.3), values(34, 1.31)];
  const labels = Array.from({ length: 17 }, (_, i) => (i * 7) % 2);
  const together = { ...classified(outputs, labels, 2).metrics, ...regressed(outputs, targets, 2) };
  const apart = { ...classified(outputs, labels, 2, 4).metrics, ...regressed(outputs, targets, 2, 5) };
  for (const [metric, value] of Object.entries(together)) near(apart[metric], value);
});
