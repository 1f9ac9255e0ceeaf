/** How well one measurement orders what another one measured. */
import { rng } from './random.ts';
import { ranksOf } from './ranks.ts';

/** In [-1, 1]; NaN where one of the two is constant or there are fewer than 2 values. */
export type Correlation = (a: readonly number[], b: readonly number[]) => number;

/** Pearson's correlation of the ranks, equal values sharing the mean of theirs (Spearman 1904). */
export const spearman: Correlation = (a, b) => pearson(ranksOf(a), ranksOf(b));

/** Pairs in the same order less pairs in opposite order, over all that are tied in neither (tau-b; Kendall 1945). O(n²). */
export const kendall: Correlation = (a, b) => {
  let [agreement, untiedA, untiedB] = [0, 0, 0];
  for (let i = 1; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [x, y] = [
        Math.sign((a[i] ?? Number.NaN) - (a[j] ?? Number.NaN)),
        Math.sign((b[i] ?? Number.NaN) - (b[j] ?? Number.NaN)),
      ];
      agreement += x * y;
      untiedA += x * x;
      untiedB += y * y;
    }
  }
  return agreement / Math.sqrt(untiedA * untiedB);
};

/**
 * The middle 95 % of the correlation over samples drawn from the pairs with replacement (percentile bootstrap; Efron 1979).
 * Samples in which one of the two is constant are left out.
 */
export function bootstrapInterval(
  correlation: Correlation,
  a: readonly number[],
  b: readonly number[],
  samples = 1000,
): readonly [low: number, high: number] {
  const random = rng('bootstrap', a.length, samples);
  const found = Array.from({ length: samples }, () => {
    const drawn = a.map(() => random.int(a.length));
    const of = (values: readonly number[]) => drawn.map((i) => values[i] ?? Number.NaN);
    return correlation(of(a), of(b));
  });
  const sorted = found.filter(Number.isFinite).sort((x, y) => x - y);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const [p, q] = [x - ma, (b[i] ?? Number.NaN) - mb];
    ab += p * q;
    aa += p * p;
    bb += q * q;
  }
  return ab / Math.sqrt(aa * bb);
}
