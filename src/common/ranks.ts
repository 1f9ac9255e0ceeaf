/** Statistics of ranks: nothing is assumed of how values are distributed. */

/** Ranks from 1, in the order of `values`; equal values share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? Number.NaN) - (values[b] ?? Number.NaN));
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? Number.NaN] === values[order[from] ?? Number.NaN]) to++;
    for (const at of order.slice(from, to)) ranks[at] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** The largest number of values for which the exact distribution is computed; above it, the normal approximation is as good. */
const MOST_EXACT = 60;

/**
 * Two-sided p that paired differences are symmetric about 0 (Wilcoxon 1945, signed ranks). Differences of 0 are left out. Exact up to
 * 60 differences, with ties as well (over all signs of the shared ranks); above by the normal approximation with corrections for
 * ties and continuity. 1 without a difference. With n differences p is at least 2^(1 - n).
 */
export function signedRankTest(differences: readonly number[]): number {
  const nonzero = differences.filter((difference) => difference !== 0);
  const ranks = ranksOf(nonzero.map(Math.abs));
  const positive = ranks.reduce((sum, rank, i) => sum + ((nonzero[i] ?? Number.NaN) > 0 ? rank : 0), 0);
  const mean = ranks.reduce((sum, rank) => sum + rank, 0) / 2;
  if (ranks.length > MOST_EXACT) {
    const variance = ranks.reduce((sum, rank) => sum + rank ** 2, 0) / 4;
    return normalTail(positive - mean, Math.sqrt(variance), 'two-sided');
  }
  // Shared ranks are halves: twice a rank is whole.
  let chances = Float64Array.of(1);
  for (const rank of ranks) {
    const next = new Float64Array(chances.length + 2 * rank);
    for (const [sum, chance] of chances.entries()) {
      next[sum] = (next[sum] ?? Number.NaN) + chance / 2;
      next[sum + 2 * rank] = (next[sum + 2 * rank] ?? Number.NaN) + chance / 2;
    }
    chances = next;
  }
  return exactTail(chances, 2 * mean, 2 * positive, 'two-sided');
}

/** Against what a hypothesis is tested: a difference either way, or that the first values are the larger ones. */
type Alternative = 'two-sided' | 'greater';

/**
 * p that values of `a` are as often larger than values of `b` as smaller (Mann & Whitney 1947). Exact up to 60 values together, with
 * ties as well (over all ways to choose which are `a`'s); above by the normal approximation with corrections for ties and continuity.
 * 1 where one of the two has no values.
 */
export function rankSumTest(a: readonly number[], b: readonly number[], against: Alternative = 'two-sided'): number {
  const [n, total] = [a.length, a.length + b.length];
  if (n === 0 || n === total) return 1;
  const ranks = ranksOf([...a, ...b]);
  const found = ranks.slice(0, n).reduce((sum, rank) => sum + rank, 0);
  const mean = (n * (total + 1)) / 2;
  if (total > MOST_EXACT) {
    const spread = ranks.reduce((sum, rank) => sum + (rank - (total + 1) / 2) ** 2, 0);
    return normalTail(found - mean, Math.sqrt((n * (total - n) * spread) / (total * (total - 1))), against);
  }
  // chances[k][s]: that of the ranks so far k are a's, with the sum s / 2.
  const most = Math.round(2 * ranks.reduce((sum, rank) => sum + rank, 0));
  const chances = Array.from({ length: n + 1 }, () => new Float64Array(most + 1));
  (chances[0] as Float64Array)[0] = 1;
  for (const [seen, rank] of ranks.entries()) {
    for (let k = Math.min(n, seen + 1); k >= 0; k--) {
      const [mine, before] = [chances[k] as Float64Array, chances[k - 1]];
      // Of the ranks that are left, each is as likely to be one of a's.
      const [stay, take] = [1 - (n - k) / (total - seen), (n - k + 1) / (total - seen)];
      for (let sum = most; sum >= 0; sum--) {
        const taken = before === undefined || sum < 2 * rank ? 0 : (before[sum - 2 * rank] ?? Number.NaN);
        mine[sum] = (mine[sum] ?? Number.NaN) * stay + taken * take;
      }
    }
  }
  return exactTail(chances[n] as Float64Array, 2 * mean, 2 * found, against);
}

/**
 * Adjusted p values, in the order given: a claim whose adjusted p is below a level holds at that level together with all the others
 * (Holm 1979).
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] ?? Number.NaN) - (ps[b] ?? Number.NaN));
  const adjusted = new Array<number>(ps.length);
  let largest = 0;
  for (const [place, at] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (ps.length - place) * (ps[at] ?? Number.NaN)));
    adjusted[at] = largest;
  }
  return adjusted;
}

/** The chance of a sum at least as far from the mean as the one found, on either side or above. */
function exactTail(chances: Float64Array, mean: number, found: number, against: Alternative): number {
  const distanceOf = (sum: number) => (against === 'greater' ? sum - mean : Math.abs(sum - mean));
  const least = distanceOf(found) - 1e-9;
  return Math.min(
    1,
    chances.reduce((p, chance, sum) => (distanceOf(sum) >= least ? p + chance : p), 0),
  );
}

/** Normal approximation of the same; half a rank is taken off for continuity. */
function normalTail(distance: number, deviation: number, against: Alternative): number {
  if (deviation === 0) return 1;
  if (against === 'greater') return upperTail((distance - 0.5) / deviation);
  return Math.min(1, 2 * upperTail(Math.max(0, Math.abs(distance) - 0.5) / deviation));
}

/** P(Z > z) of the standard normal (Abramowitz & Stegun 1964, 26.2.17; error below 7.5e-8). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const density = Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
  return density * series.reduceRight((sum, coefficient) => (sum + coefficient) * t, 0);
}
