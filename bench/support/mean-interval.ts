/** 97.5 % quantiles of Student's distribution by degrees of freedom, from 1. */
const QUANTILES = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23];

/** The mean, and half its 95 % interval by Student's distribution. Beyond 10 degrees of freedom 2.2, a little too wide. */
export function meanInterval(values: readonly number[]): { readonly mean: number; readonly half: number } {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / (values.length - 1), 0);
  return { mean, half: (QUANTILES[values.length - 2] ?? 2.2) * Math.sqrt(variance / values.length) };
}
