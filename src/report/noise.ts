import { deviation, mean } from './numbers.ts';

/** 97.5 % quantiles of Student's t for 1, 2, 3, ... degrees of freedom. */
const T975 = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09, 2.09,
];

/** Beyond the last of them, nearly that of the normal distribution. */
const NORMAL = 2.05;

/**
 * Whether two means over seeds differ by more than the seeds do: Student's t-test at 0.05, two-sided, with one deviation for both
 * (Welch's would, of two seeds each, call almost any difference noise). `unknown`: with one seed of one of them there is no deviation
 * to judge by.
 */
export function noiseOf(a: readonly number[], b: readonly number[]): 'within' | 'beyond' | 'unknown' {
  if (a.length < 2 || b.length < 2) return 'unknown';
  const freedom = a.length + b.length - 2;
  const pooled = ((a.length - 1) * deviation(a) ** 2 + (b.length - 1) * deviation(b) ** 2) / freedom;
  const error = Math.sqrt(pooled * (1 / a.length + 1 / b.length));
  const difference = Math.abs(mean(a) - mean(b));
  if (difference < 1e-12) return 'within';
  return difference > (T975[freedom - 1] ?? NORMAL) * error ? 'beyond' : 'within';
}
