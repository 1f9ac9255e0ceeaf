import { largest, smallest } from '../common/extremes.ts';
import { type CurveForecast, type CurvePoint, studentTail } from './learning-curve.ts';
import { fitRidge } from './ridge.ts';

/** Ended curves that are learned from, the latest. */
const LEARNED = 50;
/** In units of squared features; the last one leaves nothing but the mean rise. */
const PENALTIES = [0.01, 0.1, 1, 1e6];

/**
 * Extrapolates a learning curve by a regression on curves that have ended. Baker et al. 2018, "Accelerating Neural Architecture Search
 * using Performance Prediction": the final value from the first values and their differences.
 *
 * Differs: ridge regression in place of ν-SVR, on four numbers of a curve up to its last step s in place of all of them: its value
 * there, and its rise since the first report, since step s / 2 and since the report before; the target is the rise from s to the end; the penalty is chosen by
 * leaving out one curve at a time. No features of the architecture, so few trials suffice. Errors of the curves left out are the deviation,
 * with Student's distribution.
 *
 * `points`: at least two. `ended`: at least three curves, each with a point at or before the last step of `points` and one at the end.
 * O(ended²).
 */
export function forecastFrom(points: readonly CurvePoint[], ended: readonly (readonly CurvePoint[])[]): CurveForecast {
  const step = largest(points.map((point) => point.step));
  const known = ended.slice(-LEARNED);
  const values = known.flatMap((curve) => curve.map(({ value }) => value));
  const spread = largest(values) - smallest(values) || 1;
  const inputs = known.map((curve) => featuresAt(curve, step, spread));
  const rises = known.map((curve) => (last(curve, Number.POSITIVE_INFINITY) - last(curve, step)) / spread);
  const without = <T>(list: readonly T[], i: number) => list.filter((_, k) => k !== i);
  const tried = PENALTIES.map((penalty) => {
    const errors = inputs.map((input, i) => {
      const predict = fitRidge(without(inputs, i), without(rises, i), penalty);
      return (rises[i] ?? Number.NaN) - predict(input);
    });
    return { penalty, square: errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length };
  });
  const best = tried.reduce((a, b) => (b.square < a.square ? b : a));
  const rise = fitRidge(inputs, rises, best.penalty)(featuresAt(points, step, spread));
  const mean = last(points, step) + spread * rise;
  // Curves that agree exactly would make a forecast that is sure.
  const deviation = spread * Math.sqrt(best.square + 1e-6);
  return { mean, deviation, above: (value) => studentTail((value - mean) / deviation, known.length - 1) };
}

/** In units of the spread. */
function featuresAt(curve: readonly CurvePoint[], step: number, spread: number): number[] {
  const now = last(curve, step);
  const before = [0, step / 2, step - 1].map((earlier) => last(curve, earlier));
  return [now, ...before.map((value) => now - value)].map((value) => value / spread);
}

/** The value at the last point up to a step; of the first point, where all come later. */
function last(curve: readonly CurvePoint[], step: number): number {
  const first = curve.reduce((a, b) => (b.step < a.step ? b : a));
  return curve.reduce((a, b) => (b.step <= step && b.step >= a.step ? b : a), first).value;
}
