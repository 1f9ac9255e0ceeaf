/** Tests of the claim that one method beats another. */

/**
 * One-sided p of the Wilcoxon-Mann-Whitney rank test that values of `a` tend to be larger than values of `b`: normal
 * approximation with correction for ties and continuity, good from about 10 values each (Mann & Whitney 1947).
 */
export function rankTest(a: readonly number[], b: readonly number[]): number {
  const [n, m] = [a.length, b.length];
  const all = [...a, ...b].sort((x, y) => x - y);
  const sizes = [...Map.groupBy(all, (value) => value).values()].map((group) => group.length);
  let u = 0;
  for (const x of a) for (const y of b) u += x > y ? 1 : x === y ? 0.5 : 0;
  const total = n + m;
  const ties = sizes.reduce((sum, size) => sum + (size ** 3 - size), 0) / (total * (total - 1));
  const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties));
  if (deviation === 0) return 1;
  return upperTail((u - (n * m) / 2 - 0.5) / deviation);
}

/** P(Z > z) of the standard normal (Abramowitz & Stegun 1964, 26.2.17; error below 7.5e-8). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const density = Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI);
  return density * series.reduceRight((sum, coefficient) => (sum + coefficient) * t, 0);
}
