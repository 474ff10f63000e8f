/**
 * Features for a small classifier: standardised columns, then the first principal components of the training rows, each
 * scaled to unit variance. More components than rows - 1 do not exist; fewer keep the exact Hessian small.
 */
import { Matrix } from 'ml-matrix';
import { symmetricEigen } from './eigenvectors.ts';

/** @param train, test rows x columns, row-major @returns rows x components each, row-major */
export function principalComponents(
  train: ArrayLike<number>,
  test: ArrayLike<number>,
  columns: number,
  components: number,
): { train: Float64Array; test: Float64Array; components: number } {
  const n = train.length / columns;
  const center = new Float64Array(columns);
  for (let i = 0; i < train.length; i++) center[i % columns] += train[i] / n;
  const scale = new Float64Array(columns);
  for (let i = 0; i < train.length; i++) scale[i % columns] += (train[i] - center[i % columns]) ** 2 / n;
  const standard = (values: ArrayLike<number>): Matrix => {
    const cell = (value: number, column: number) => (value - center[column]) / (Math.sqrt(scale[column]) || 1);
    return Matrix.from1DArray(
      values.length / columns,
      columns,
      Array.from(values, (value, i) => cell(value, i % columns)),
    );
  };
  const X = standard(train);
  // X Xᵀ = U Λ Uᵀ; a row y has the scores y Xᵀ U Λ^(-1/2).
  const { values, vectors } = symmetricEigen(Float64Array.from(X.mmul(X.transpose()).to1DArray()), n);
  const order = Array.from(values, (_, k) => k).sort((a, b) => values[b] - values[a]);
  const kept = order.filter((k) => values[k] > 1e-9 * values[order[0]]).slice(0, components);
  const project = (Y: Matrix): Float64Array => {
    const products = Y.mmul(X.transpose()); // rows x n
    return Float64Array.from({ length: Y.rows * kept.length }, (_, at) => {
      const [row, k] = [Math.floor(at / kept.length), kept[at % kept.length]];
      let sum = 0;
      for (let i = 0; i < n; i++) sum += products.get(row, i) * vectors[i * n + k];
      // sum / √λ is the score; divided by √(λ / n) it has unit variance over the training rows.
      return (sum * Math.sqrt(n)) / values[k];
    });
  };
  return { train: project(X), test: project(standard(test)), components: kept.length };
}
