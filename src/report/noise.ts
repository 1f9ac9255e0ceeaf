import { deviation, mean } from './numbers.ts';

/** 97.5 % quantiles of Student's t for 1, 2, 3, ... degrees of freedom; beyond the last, of the normal distribution nearly. */
const T975 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09,
];

/**
 * Whether two means over seeds differ by more than the seeds do: Welch's t-test at 0.05, two-sided. `unknown`: with one seed of one
 * of them there is no deviation to judge by.
 */
export function noiseOf(a: readonly number[], b: readonly number[]): 'within' | 'beyond' | 'unknown' {
  if (a.length < 2 || b.length < 2) return 'unknown';
  const [u, v] = [deviation(a) ** 2 / a.length, deviation(b) ** 2 / b.length];
  const difference = Math.abs(mean(a) - mean(b));
  if (u + v < 1e-24) return difference < 1e-12 ? 'within' : 'beyond';
  const freedom = (u + v) ** 2 / (u ** 2 / (a.length - 1) + v ** 2 / (b.length - 1));
  const critical = T975[Math.floor(freedom) - 1] ?? (freedom < 1 ? T975[0] : 2.05);
  return difference > (critical ?? 2.05) * Math.sqrt(u + v) ? 'beyond' : 'within';
}
