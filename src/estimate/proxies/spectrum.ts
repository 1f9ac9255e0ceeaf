import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

/** Eigenvalues of a symmetric matrix, n x n, row-major. */
export function eigenvalues(values: Float64Array, n: number): number[] {
  const matrix = Matrix.from1DArray(n, n, values);
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues;
}
