/** A = Q Λ Qᵀ of a symmetric matrix, by `ml-matrix` (Householder, then implicit QL, with vectors), in float64. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

export interface Eigen {
  /** Ascending, as `vectors` has its columns. */
  values: Float64Array;
  /** n x n, row-major: column k belongs to `values[k]`. */
  vectors: Float64Array;
}

/** @param a n x n, row-major, symmetric; its lower triangle is read @throws Error naming a value that is not finite */
export function symmetricEigen(a: Float64Array, n: number): Eigen {
  const matrix = new Matrix(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = a[i * n + j];
      if (!Number.isFinite(value)) throw new Error(`a symmetric matrix holds ${value} in row ${i}, column ${j}`);
      matrix.set(i, j, value);
      matrix.set(j, i, value);
    }
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  return { values: Float64Array.from(realEigenvalues), vectors: Float64Array.from(eigenvectorMatrix.to1DArray()) };
}
