/**
 * Gaussian process regression (Rasmussen & Williams 2006, algorithm 2.1) over points of any kind: a point is known by
 * its distances to the others, one for each group of features.
 */

/** How far two points are apart, group by group. */
export interface Metric<Point> {
  /** How many groups of features there are. */
  readonly groups: number;
  /**
   * Writes the distance in each group, from 0 to 1, into `out` from `at` on. Each must be conditionally negative
   * definite (Hamming, Jaccard, absolute difference are), so that exp(-distance / lengthscale) is a kernel.
   */
  distances(a: Point, b: Point, out: Float64Array, at: number): void;
}

/** k(a, b) = variance · Π over groups exp(-distance / lengthscale); observations have noise · variance on top. */
export interface Hyperparameters {
  /** One for each group; in units of the distance. */
  readonly lengthscales: readonly number[];
  /** As a share of the process's variance. */
  readonly noise: number;
}

/** Rows of equal length; a group's distance is the mean absolute difference of its columns, [start, end) each. */
export function rowMetric(columns: readonly (readonly [start: number, end: number])[]): Metric<ArrayLike<number>> {
  return {
    groups: columns.length,
    distances(a, b, out, at) {
      for (const [group, [start, end]] of columns.entries()) {
        let sum = 0;
        for (let i = start; i < end; i++) sum += Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
        out[at + group] = sum / Math.max(1, end - start);
      }
    },
  };
}

/** Tried for each group; the last makes a group of no account. */
const LENGTHSCALES = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 20];
const NOISES = [1e-4, 1e-2, 5e-2, 0.2];
/** Rounds of coordinate descent. */
const ROUNDS = 2;

/**
 * The hyperparameters of the greatest likelihood on a grid, by coordinate descent from the same start each time (one
 * lengthscale after the other, then the noise, in two rounds); the variance is the best for each (profile likelihood).
 * O(groups · points³), so callers give some hundred points at most. `targets` should have mean 0.
 */
export function fitHyperparameters<Point>(
  metric: Metric<Point>,
  points: readonly Point[],
  targets: ArrayLike<number>,
): Hyperparameters {
  const { groups } = metric;
  const between = pairwise(metric, points);
  let best: Hyperparameters = { lengthscales: new Array<number>(groups).fill(0.8), noise: 1e-2 };
  let loss = negativeLogLikelihood(between, points.length, targets, best);
  const consider = (one: Hyperparameters) => {
    const found = negativeLogLikelihood(between, points.length, targets, one);
    if (found < loss - 1e-9) [best, loss] = [one, found];
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (let group = 0; group < groups; group++) {
      for (const lengthscale of LENGTHSCALES) {
        consider({ ...best, lengthscales: best.lengthscales.with(group, lengthscale) });
      }
    }
    for (const noise of NOISES) consider({ ...best, noise });
  }
  return best;
}

/** Distances of all pairs i > j, each group's beside the others: pair i·(i-1)/2 + j. */
function pairwise<Point>(metric: Metric<Point>, points: readonly Point[]): Float64Array {
  const n = points.length;
  const out = new Float64Array(((n * (n - 1)) / 2) * metric.groups);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < i; j++, at += metric.groups) {
      metric.distances(points[i] as Point, points[j] as Point, out, at);
    }
  }
  return out;
}

/** Up to constants, with the variance at its best. */
function negativeLogLikelihood(
  between: Float64Array,
  n: number,
  targets: ArrayLike<number>,
  { lengthscales, noise }: Hyperparameters,
): number {
  const groups = lengthscales.length;
  const factor = new Float64Array((n * (n + 1)) / 2);
  const solved = new Float64Array(n);
  const row = new Float64Array(n);
  let [fit, logDeterminant] = [0, 0];
  for (let i = 0, pair = 0; i < n; i++) {
    for (let j = 0; j < i; j++, pair++) row[j] = kernel(between, pair * groups, lengthscales);
    const pivot = appendRow(factor, i, row, 1 + noise);
    const start = (i * (i + 1)) / 2;
    let sum = targets[i] ?? Number.NaN;
    for (let j = 0; j < i; j++) sum -= (factor[start + j] ?? Number.NaN) * (solved[j] ?? Number.NaN);
    solved[i] = sum / pivot;
    fit += (solved[i] ?? Number.NaN) ** 2;
    logDeterminant += Math.log(pivot);
  }
  return 0.5 * n * Math.log(Math.max(fit, 1e-12) / Math.max(1, n)) + logDeterminant;
}

function kernel(distances: Float64Array, at: number, lengthscales: readonly number[]): number {
  let sum = 0;
  for (let g = 0; g < lengthscales.length; g++)
    sum += (distances[at + g] ?? Number.NaN) / (lengthscales[g] ?? Number.NaN);
  return Math.exp(-sum);
}

/** Added to the diagonal where rounding has left nothing of it. */
const JITTER = 1e-9;

/**
 * Row i of the Cholesky factor, given row i of the matrix left of its diagonal; `factor` holds the lower triangle row
 * by row. Returns the diagonal element. O(i²).
 */
function appendRow(factor: Float64Array, i: number, row: Float64Array, diagonal: number): number {
  const start = (i * (i + 1)) / 2;
  let rest = diagonal;
  for (let j = 0, other = 0; j < i; j++, other += j) {
    let sum = row[j] ?? Number.NaN;
    for (let k = 0; k < j; k++) sum -= (factor[start + k] ?? Number.NaN) * (factor[other + k] ?? Number.NaN);
    const value = sum / (factor[other + j] ?? Number.NaN);
    factor[start + j] = value;
    rest -= value * value;
  }
  const pivot = Math.sqrt(Math.max(rest, JITTER));
  factor[start + i] = pivot;
  return pivot;
}

/** What is believed of a point: the mean, and the variance of the function there (without noise). */
export interface Prediction {
  readonly mean: number;
  readonly variance: number;
}

/** A process given observations. */
export interface Posterior<Point> {
  /** The variance of the process far from all observations. */
  readonly prior: number;
  /** O(n). */
  mean(point: Point): number;
  /** O(n²). */
  predict(point: Point): Prediction;
}

/** A process whose points come one after the other. */
export interface GaussianProcess<Point> {
  readonly points: readonly Point[];
  /** O(n²): a row is added to the Cholesky factor. */
  add(point: Point): void;
  /** Forgets all points but the first `count`. */
  truncate(count: number): void;
  /** The posterior given these values of all the points, until points are added or forgotten. O(n²). */
  given(targets: ArrayLike<number>): Posterior<Point>;
}

/** A Gaussian process of mean 0 with these hyperparameters; its variance is the most likely one, given the targets. */
export function gaussianProcess<Point>(
  metric: Metric<Point>,
  { lengthscales, noise }: Hyperparameters,
): GaussianProcess<Point> {
  const points: Point[] = [];
  let factor = new Float64Array(64);
  const apart = new Float64Array(metric.groups);

  const covariances = (point: Point): Float64Array => {
    const row = new Float64Array(points.length);
    for (let j = 0; j < points.length; j++) {
      metric.distances(point, points[j] as Point, apart, 0);
      row[j] = kernel(apart, 0, lengthscales);
    }
    return row;
  };

  return {
    points,
    add(point) {
      const n = points.length;
      const needed = ((n + 1) * (n + 2)) / 2;
      if (factor.length < needed) {
        const larger = new Float64Array(2 * needed);
        larger.set(factor);
        factor = larger;
      }
      appendRow(factor, n, covariances(point), 1 + noise);
      points.push(point);
    },
    truncate(count) {
      points.length = Math.min(points.length, count);
    },
    given(targets) {
      const n = points.length;
      const weights = forward(factor, n, targets);
      let square = 0;
      for (const w of weights) square += w * w;
      const prior = n === 0 ? 1 : Math.max(square / n, 1e-12);
      backward(factor, n, weights);
      const meanOf = (row: Float64Array): number => {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += (row[j] ?? Number.NaN) * (weights[j] ?? Number.NaN);
        return sum;
      };
      return {
        prior,
        mean: (point) => meanOf(covariances(point)),
        predict(point) {
          const row = covariances(point);
          const solved = forward(factor, n, row);
          let explained = 0;
          for (const v of solved) explained += v * v;
          return { mean: meanOf(row), variance: prior * Math.max(1 - explained, JITTER) };
        },
      };
    },
  };
}

/** Solves L x = b. */
function forward(factor: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(n);
  for (let i = 0, start = 0; i < n; i++, start += i) {
    let sum = b[i] ?? Number.NaN;
    for (let k = 0; k < i; k++) sum -= (factor[start + k] ?? Number.NaN) * (x[k] ?? Number.NaN);
    x[i] = sum / (factor[start + i] ?? Number.NaN);
  }
  return x;
}

/** Solves Lᵀ x = b in place. */
function backward(factor: Float64Array, n: number, x: Float64Array): void {
  for (let i = n - 1; i >= 0; i--) {
    const start = (i * (i + 1)) / 2;
    const value = (x[i] ?? Number.NaN) / (factor[start + i] ?? Number.NaN);
    x[i] = value;
    for (let k = 0; k < i; k++) x[k] = (x[k] ?? Number.NaN) - value * (factor[start + k] ?? Number.NaN);
  }
}
