import { Matrix, solve } from 'ml-matrix';

/** Predicts a number from features. */
export type Predictor = (features: ArrayLike<number>) => number;

/**
 * Ridge regression (Hoerl & Kennard 1970): weights w that minimize |Xw - y|² + penalty · |w|², features and targets centered first, so
 * that the intercept is free. O(n · F² + F³).
 */
export function fitRidge(inputs: readonly ArrayLike<number>[], targets: readonly number[], penalty: number): Predictor {
  const size = inputs[0]?.length ?? 0;
  const mean = targets.reduce((sum, y) => sum + y, 0) / Math.max(1, targets.length);
  if (size === 0) return () => mean;
  const center = Array.from(
    { length: size },
    (_, j) => inputs.reduce((sum, x) => sum + (x[j] ?? 0), 0) / inputs.length,
  );
  const x = new Matrix(inputs.map((row) => center.map((c, j) => (row[j] ?? 0) - c)));
  const transposed = x.transpose();
  const products = transposed.mmul(x).add(Matrix.eye(size, size, penalty));
  const weights = solve(products, transposed.mmul(Matrix.columnVector(targets.map((y) => y - mean)))).to1DArray();
  return (features) => weights.reduce((sum, w, j) => sum + w * ((features[j] ?? 0) - (center[j] ?? Number.NaN)), mean);
}
