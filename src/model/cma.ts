/**
 * CMA-ES: a normal distribution that moves to better points and takes the shape of the function there. Hansen 2016, "The CMA Evolution
 * Strategy: A Tutorial" (arXiv:1604.00772), with the parameters of its table 1. Differs: weights of the worse half are 0, not negative.
 * Pure functions on plain data. n: dimensions.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Rng } from '../common/random.ts';

export type Distribution = {
  /** [n] */
  readonly mean: readonly number[];
  /** Step size: the points are of N(mean, sigma² · covariance). */
  readonly sigma: number;
  /** [n, n], symmetric. */
  readonly covariance: readonly (readonly number[])[];
  /** [n] each: paths of the mean, for the covariance and the step size. */
  readonly covariancePath: readonly number[];
  readonly sigmaPath: readonly number[];
  /** Updates until now. */
  readonly updates: number;
};

/** The number of points between two updates that the tutorial suggests: 4 + 3 ln n. */
export const pointsFor = (dimensions: number): number => 4 + Math.floor(3 * Math.log(dimensions));

/** A ball of radius `sigma` around a point. */
export function startAt(mean: readonly number[], sigma: number): Distribution {
  const zeros = mean.map(() => 0);
  const covariance = mean.map((_, i) => mean.map((__, j) => Number(i === j)));
  return { mean, sigma, covariance, covariancePath: zeros, sigmaPath: zeros, updates: 0 };
}

interface Axes {
  /** [n, n], a column for each axis. */
  readonly directions: Matrix;
  /** [n], standard deviations along them. */
  readonly lengths: readonly number[];
}

/** The axes of a covariance, which each point needs: O(n³) once. */
const known = new WeakMap<object, Axes>();

function axesOf({ covariance }: Distribution): Axes {
  const found = known.get(covariance);
  if (found !== undefined) return found;
  const decomposed = new EigenvalueDecomposition(new Matrix(covariance.map((row) => [...row])), {
    assumeSymmetric: true,
  });
  const lengths = decomposed.realEigenvalues.map((value) => Math.sqrt(Math.max(value, 1e-20)));
  const axes = { directions: decomposed.eigenvectorMatrix, lengths };
  known.set(covariance, axes);
  return axes;
}

/** Standard deviation along the longest axis. */
export function spreadOf(distribution: Distribution): number {
  return distribution.sigma * Math.max(...axesOf(distribution).lengths);
}

/** A random point. [n]. O(n²). */
export function pointOf(distribution: Distribution, stream: Rng): readonly number[] {
  const { directions, lengths } = axesOf(distribution);
  const along = lengths.map((length) => length * stream.normal());
  return distribution.mean.map((value, i) => value + distribution.sigma * dot(directions.getRow(i), along));
}

/** The distribution after an update by points, the best first. Of m points the better half counts. O(n² m + n³). */
export function updated(distribution: Distribution, ranked: readonly (readonly number[])[]): Distribution {
  const { mean, sigma, covariance, updates } = distribution;
  const n = mean.length;
  const { weights, mass } = weightsFor(ranked.length);
  const rates = ratesFor(n, mass);
  const steps = ranked
    .slice(0, weights.length)
    .map((point) => point.map((value, i) => (value - (mean[i] ?? 0)) / sigma));
  const step = mean.map((_, i) => weights.reduce((sum, w, k) => sum + w * (steps[k]?.[i] ?? 0), 0));
  const { directions, lengths } = axesOf(distribution);
  const along = lengths.map((length, k) => dot(directions.getColumn(k), step) / length);
  const keep = Math.sqrt(rates.sigma * (2 - rates.sigma) * mass);
  const sigmaPath = distribution.sigmaPath.map(
    (p, i) => (1 - rates.sigma) * p + keep * dot(directions.getRow(i), along),
  );
  const length = Math.sqrt(dot(sigmaPath, sigmaPath));
  const expected = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
  const settled = length / Math.sqrt(1 - (1 - rates.sigma) ** (2 * (updates + 1)));
  const isShort = Number(settled < (1.4 + 2 / (n + 1)) * expected);
  const push = isShort * Math.sqrt(rates.path * (2 - rates.path) * mass);
  const covariancePath = distribution.covariancePath.map((p, i) => (1 - rates.path) * p + push * (step[i] ?? 0));
  const old = 1 - rates.one - rates.many + rates.one * (1 - isShort) * rates.path * (2 - rates.path);
  const next = covariance.map((row, i) =>
    row.map((value, j) => {
      const many = weights.reduce((sum, w, k) => sum + w * (steps[k]?.[i] ?? 0) * (steps[k]?.[j] ?? 0), 0);
      const one = (covariancePath[i] ?? 0) * (covariancePath[j] ?? 0);
      return old * value + rates.one * one + rates.many * many + 0;
    }),
  );
  return {
    mean: mean.map((value, i) => value + sigma * (step[i] ?? 0) + 0),
    sigma: sigma * Math.exp((rates.sigma / rates.damping) * (length / expected - 1)),
    covariance: next,
    covariancePath: covariancePath.map((p) => p + 0), // Not -0: JSON has none.
    sigmaPath: sigmaPath.map((p) => p + 0),
    updates: updates + 1,
  };
}

/** Positive weights of the better half that add up to 1, and their variance effective selection mass. */
function weightsFor(points: number): { readonly weights: readonly number[]; readonly mass: number } {
  const raw = Array.from(
    { length: Math.max(1, Math.floor(points / 2)) },
    (_, i) => Math.log((points + 1) / 2) - Math.log(i + 1),
  );
  const sum = raw.reduce((all, w) => all + w, 0);
  const weights = raw.map((w) => w / sum);
  return { weights, mass: 1 / weights.reduce((all, w) => all + w * w, 0) };
}

function ratesFor(n: number, mass: number) {
  const sigma = (mass + 2) / (n + mass + 5);
  const one = 2 / ((n + 1.3) ** 2 + mass);
  return {
    ...{ sigma, one },
    damping: 1 + 2 * Math.max(0, Math.sqrt((mass - 1) / (n + 1)) - 1) + sigma,
    path: (4 + mass / n) / (n + 4 + (2 * mass) / n),
    many: Math.min(1 - one, (2 * (mass - 2 + 1 / mass)) / ((n + 2) ** 2 + mass)),
  };
}

function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
