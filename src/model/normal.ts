/** The normal distribution, as acquisition functions need it: also far out in its tail. */

/**
 * The logarithm of E[max(0, x)] for a normal x of this mean and deviation (expected improvement, Jones et al. 1998).
 * Finite for any mean, so that candidates are ranked even where all of them are bad.
 */
export function logExpectedImprovement(mean: number, deviation: number): number {
  const z = mean / deviation;
  const density = Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  // Below, the two terms cancel: the first term of the asymptotic series is left.
  const improvement =
    z > -20 ? Math.log(density + z * lowerTail(z)) : -0.5 * z * z - 0.5 * Math.log(2 * Math.PI) - 2 * Math.log(-z);
  return improvement + Math.log(deviation);
}

const ERFC = [
  0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
  -1.26551223,
];

/** P(Z < z); the relative error is below 1.2e-7 everywhere (Press et al., Numerical Recipes, section 6.2). */
export function lowerTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const series = ERFC.reduce((sum, coefficient) => sum * t + coefficient, 0);
  const tail = 0.5 * t * Math.exp(-x * x + series);
  return z < 0 ? tail : 1 - tail;
}

/** E[max(0, x)] for a normal x of this mean and deviation. */
export function expectedImprovement(mean: number, deviation: number): number {
  if (!(deviation > 0)) return Math.max(0, mean);
  const z = mean / deviation;
  return (deviation * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI) + mean * lowerTail(z);
}
