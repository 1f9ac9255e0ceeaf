/** Losses of gradient boosting, as functions of the scores that trees add up to. */
import { largest } from '../../common/extremes.ts';
import type { Derivatives } from './histogram.ts';

export type BoostingLoss = 'squared-error' | 'log-loss';

/** Scores are held by output: [scores, rows]. */
export interface Loss {
  /** Scores of each row: as many trees are grown in a round. */
  readonly scores: number;
  /** The scores that are best for all rows alike. */
  base(): number[];
  /** By score `k`; `update` has been called since the scores changed. The arrays are used again by the next call. */
  derivatives(k: number): Derivatives;
  update(scores: Float64Array): void;
}

/** `targets`: [rows, outputs] of numbers, or class numbers [rows]. `outputs`: numbers for each row, or classes. */
export function lossOf(kind: BoostingLoss, targets: ArrayLike<number>, rows: number, outputs: number): Loss {
  if (kind === 'squared-error') return squaredError(targets, rows, outputs);
  return outputs === 2 ? logistic(targets, rows) : softmax(targets, rows, outputs);
}

/** The mean over the rows, also over several numbers of a row. */
export function meanLoss(
  kind: BoostingLoss,
  scores: Float64Array,
  targets: ArrayLike<number>,
  rows: number,
  outputs: number,
): number {
  let sum = 0;
  if (kind === 'squared-error') {
    for (let k = 0; k < outputs; k++)
      for (let i = 0; i < rows; i++)
        sum += ((targets[i * outputs + k] as number) - (scores[k * rows + i] as number)) ** 2;
    return sum / rows / outputs;
  }
  const row = new Float64Array(outputs);
  for (let i = 0; i < rows; i++) {
    if (outputs === 2) row[1] = scores[i] as number;
    else for (let k = 0; k < outputs; k++) row[k] = scores[k * rows + i] as number;
    const top = largest(row);
    let total = 0;
    for (let k = 0; k < outputs; k++) total += Math.exp((row[k] as number) - top);
    sum += Math.log(total) + top - (row[targets[i] as number] ?? Number.NaN);
  }
  return sum / rows;
}

function squaredError(targets: ArrayLike<number>, rows: number, outputs: number): Loss {
  const gradients = new Float32Array(rows);
  let scores: ArrayLike<number> = [];
  return {
    scores: outputs,
    base: () =>
      Array.from({ length: outputs }, (_, k) => {
        let sum = 0;
        for (let i = 0; i < rows; i++) sum += targets[i * outputs + k] as number;
        return sum / rows;
      }),
    update(now) {
      scores = now;
    },
    derivatives(k) {
      for (let i = 0; i < rows; i++)
        gradients[i] = (scores[k * rows + i] as number) - (targets[i * outputs + k] as number);
      return { gradients, hessians: undefined };
    },
  };
}

/** How often each class comes, none never: the logarithm of its share is finite. */
export function classShares(targets: ArrayLike<number>, rows: number, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let i = 0; i < rows; i++) {
    const of = targets[i] as number;
    counts[of] = (counts[of] ?? 0) + 1;
  }
  return counts.map((count) => (count + 1e-3) / (rows + classes * 1e-3));
}

function logistic(targets: ArrayLike<number>, rows: number): Loss {
  const [gradients, hessians] = [new Float32Array(rows), new Float32Array(rows)];
  let scores: ArrayLike<number> = [];
  return {
    scores: 1,
    base() {
      const [other = 1, share = 1] = classShares(targets, rows, 2);
      return [Math.log(share / other)];
    },
    update(now) {
      scores = now;
    },
    derivatives() {
      for (let i = 0; i < rows; i++) {
        const p = 1 / (1 + Math.exp(-(scores[i] as number)));
        gradients[i] = p - (targets[i] as number);
        hessians[i] = p * (1 - p);
      }
      return { gradients, hessians };
    },
  };
}

function softmax(targets: ArrayLike<number>, rows: number, classes: number): Loss {
  const [gradients, hessians] = [new Float32Array(rows), new Float32Array(rows)];
  const shares = new Float32Array(classes * rows);
  return {
    scores: classes,
    base: () => classShares(targets, rows, classes).map(Math.log),
    update(scores) {
      for (let i = 0; i < rows; i++) {
        let top = Number.NEGATIVE_INFINITY;
        for (let k = 0; k < classes; k++) top = Math.max(top, scores[k * rows + i] as number);
        let total = 0;
        for (let k = 0; k < classes; k++) {
          const e = Math.exp((scores[k * rows + i] as number) - top);
          shares[k * rows + i] = e;
          total += e;
        }
        for (let k = 0; k < classes; k++) shares[k * rows + i] = (shares[k * rows + i] as number) / total;
      }
    },
    derivatives(k) {
      for (let i = 0; i < rows; i++) {
        const p = shares[k * rows + i] as number;
        gradients[i] = p - Number(targets[i] === k);
        hessians[i] = p * (1 - p);
      }
      return { gradients, hessians };
    },
  };
}
