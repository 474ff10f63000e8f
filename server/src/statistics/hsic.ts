/**
 * Hilbert-Schmidt independence criterion with linear kernels, the unbiased estimator (Song et al. 2012; Nguyen et al.,
 * arXiv 2010.15327).
 */
import type { Tensors } from '../../../protocol/scores.ts';

interface Kernel {
  /** n x n, zero diagonal. */
  k: Float64Array;
  rows: Float64Array;
  sum: number;
}

/** Inner products of the tokens' states, less their mean for accuracy: HSIC does not depend on it. */
export function kernelOf({ data, shape }: Tensors[string], depth: number, n: number): Kernel {
  const [, places, hidden] = shape;
  const x = new Float64Array(n * hidden);
  for (let h = 0; h < hidden; h++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += data[(depth * places + i) * hidden + h] / n;
    for (let i = 0; i < n; i++) x[i * hidden + h] = data[(depth * places + i) * hidden + h] - mean;
  }
  const k = new Float64Array(n * n);
  const rows = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let h = 0, a = i * hidden, b = j * hidden; h < hidden; h++) sum += x[a++] * x[b++];
      k[i * n + j] = k[j * n + i] = sum;
      rows[i] += sum;
      rows[j] += sum;
    }
  }
  return { k, rows, sum: rows.reduce((a, b) => a + b, 0) };
}

export function unbiasedHsic(a: Kernel, b: Kernel, n: number): number {
  let [trace, cross] = [0, 0];
  for (let i = 0; i < a.k.length; i++) trace += a.k[i] * b.k[i];
  for (let i = 0; i < n; i++) cross += a.rows[i] * b.rows[i];
  return (trace + (a.sum * b.sum) / ((n - 1) * (n - 2)) - (2 / (n - 2)) * cross) / (n * (n - 3));
}
