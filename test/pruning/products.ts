/** The product that pruners ask for, as a plain loop in float64. */
import type { Products } from '../../server/src/linear/types.ts';

export const plainProducts: Products = {
  multiply<T extends Float32Array | Float64Array>(a: T, b: T, m: number, k: number, n: number): Promise<T> {
    const out = new (a.constructor as new (length: number) => T)(m * n);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a[i * k + l] * b[l * n + j];
        out[i * n + j] = sum;
      }
    }
    return Promise.resolve(out);
  },
};
