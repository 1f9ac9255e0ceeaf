/** How sharply a loss bends in the architecture's parameters: the sign by which R-DARTS (Zela et al. 2020, arXiv:1909.09656) stops a search. */
import type { EpochRecord } from '../train/checkpoint.ts';

/** The length of a step to each side: small against a parameter's range, large against the rounding of gradients. */
const DISTANCE = 0.1;

export interface EigenvalueRequest {
  /** The gradient of the loss at these parameters. */
  gradientAt(parameters: Float64Array): Promise<Float64Array>;
  readonly at: Float64Array;
  /** Where the power iteration begins; not all zeros. */
  readonly direction: Float64Array;
  /** Each takes two gradients. */
  readonly iterations: number;
}

/**
 * The eigenvalue of largest magnitude of a loss's Hessian, by power iteration on central finite differences of the gradient: the Rayleigh
 * quotient of the last direction. 0 where the loss is linear.
 */
export async function dominantEigenvalue({
  gradientAt,
  at,
  direction,
  iterations,
}: EigenvalueRequest): Promise<number> {
  let unit = normalized(direction);
  let eigenvalue = 0;
  for (let i = 0; i < iterations; i++) {
    const here = unit;
    const shifted = (by: number) => gradientAt(at.map((value, k) => value + by * (here[k] ?? 0)));
    const [ahead, behind] = [await shifted(DISTANCE), await shifted(-DISTANCE)];
    const product = ahead.map((value, k) => (value - (behind[k] ?? 0)) / (2 * DISTANCE));
    eigenvalue = product.reduce((sum, value, k) => sum + value * (here[k] ?? 0), 0);
    if (product.every((value) => value === 0)) return 0;
    unit = normalized(product);
  }
  return eigenvalue;
}

function normalized(values: Float64Array): Float64Array {
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

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
