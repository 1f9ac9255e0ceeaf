/** How sharply a loss bends in the architecture's parameters: the sign by which R-DARTS (Zela et al. 2020, arXiv:1909.09656) stops a search. */
import { eigenvalues } from '../estimate/proxies/spectrum.ts';
import type { EpochRecord } from '../train/checkpoint.ts';

/** The length of a step to each side: small against a parameter's range, large against the rounding of gradients. */
const DISTANCE = 0.1;

export interface EigenvalueRequest {
  /** The gradient of the loss at these parameters. */
  gradientAt(parameters: Float64Array): Promise<Float64Array>;
  readonly at: Float64Array;
  /** Where the iteration begins; not all zeros. */
  readonly direction: Float64Array;
  /** Each takes two gradients. */
  readonly iterations: number;
}

/**
 * The eigenvalue of largest magnitude of a loss's Hessian, by Lanczos' iteration on central finite differences of the gradient: with the
 * same gradients, it comes closer than power iteration does. 0 where the loss is linear.
 */
export async function dominantEigenvalue(request: EigenvalueRequest): Promise<number> {
  const { gradientAt, at, direction, iterations } = request;
  const basis: Float64Array[] = [];
  const [diagonal, beside]: [number[], number[]] = [[], []];
  let unit = scaled(direction, 1 / norm(direction));
  while (basis.length < Math.min(iterations, at.length)) {
    const here = unit;
    basis.push(here);
    const shifted = (by: number) => gradientAt(at.map((value, k) => value + by * (here[k] ?? 0)));
    const [ahead, behind] = [await shifted(DISTANCE), await shifted(-DISTANCE)];
    const product = ahead.map((value, k) => (value - (behind[k] ?? 0)) / (2 * DISTANCE));
    diagonal.push(dot(product, here));
    // Against all of them and twice: rounding would bring back what was taken away.
    let rest = product;
    for (const one of [...basis, ...basis]) {
      const along = dot(rest, one);
      rest = rest.map((value, k) => value - along * (one[k] ?? 0));
    }
    const length = norm(rest);
    if (length <= 1e-9 * norm(product)) break;
    beside.push(length);
    unit = scaled(rest, 1 / length);
  }
  return largest(eigenvalues(tridiagonal(diagonal, beside), diagonal.length));
}

/** The symmetric matrix, row-major, with these numbers on its diagonal and on both sides of it. */
function tridiagonal(diagonal: readonly number[], beside: readonly number[]): Float64Array {
  const n = diagonal.length;
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n];
    if (row === column) return diagonal[row] ?? 0;
    return Math.abs(row - column) === 1 ? (beside[Math.min(row, column)] ?? 0) : 0;
  });
}

const largest = (values: readonly number[]) => values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, k) => sum + value * (b[k] ?? 0), 0);
const norm = (values: Float64Array) => Math.sqrt(dot(values, values));
const scaled = (values: Float64Array, factor: number) => values.map((value) => value * factor);

/** Epochs that an eigenvalue is averaged over, and epochs between the two averages that are compared. */
const [WINDOW, BACK] = [5, 5];
/** A search stops where the average before is less than this share of the average now. */
const SHARE = 0.75;

/**
 * The epoch, from 1, whose genotype R-DARTS takes: that from before the smoothed dominant eigenvalue has grown by 1 / 0.75 within five
 * epochs. Undefined: it has not grown so yet. The first `warmup` epochs do not count.
 */
export function epochBeforeSharp(records: readonly Pick<EpochRecord, 'guards'>[], warmup = 0): number | undefined {
  const values = records.map(({ guards }) => Math.abs(guards?.eigenvalue ?? Number.NaN));
  const averageAt = (index: number) => {
    const window = values.slice(Math.max(warmup, index - WINDOW + 1), index + 1);
    return window.reduce((sum, value) => sum + value, 0) / window.length;
  };
  for (let index = warmup + BACK; index < values.length; index++)
    if (averageAt(index - BACK) < SHARE * averageAt(index)) return index - BACK + 1;
  return undefined;
}
