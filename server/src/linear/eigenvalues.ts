/**
 * Squared singular values of a weight matrix: eigenvalues of its smaller Gram matrix, everything in float64.
 *
 * By hand, because `ml-matrix` needs 2.1 CPU seconds for a 576 x 1536 matrix (0.9 for the product, 1.1 for a
 * decomposition that always makes eigenvectors) and a model has hundreds: rows of W are multiplied in blocks that stay
 * in the cache, and the Gram matrix is reduced to a tridiagonal one (Householder; Martin, Reinsch, Wilkinson 1968)
 * whose eigenvalues come from implicit QL (Dubrulle 1970), without vectors.
 */

/** Columns of two pairs of rows that fit the first cache level. */
const BLOCK = 512;

/**
 * @param weights rows x columns, row-major
 * @returns min(rows, columns) eigenvalues of W W^T, ascending; those of a singular matrix may be a rounding error below
 *   0
 * @throws Error for a value that is not finite
 */
export function squaredSingularValues(weights: Float32Array, rows: number, columns: number): Float64Array {
  const wide = rows <= columns;
  const n = wide ? rows : columns;
  const gram = rowProducts(wide ? weights : transposed(weights, rows, columns), n, wide ? columns : rows);
  // A row with a value that is not finite makes its square so.
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(gram[i * n + i])) throw new Error('the matrix has a value that is not finite');
  }
  return symmetricEigenvalues(gram, n);
}

/** Lower triangle of A A^T, n x n. */
function rowProducts(a: Float32Array, n: number, width: number): Float64Array {
  const gram = new Float64Array(n * n);
  for (let start = 0; start < width; start += BLOCK) {
    const end = Math.min(width, start + BLOCK);
    for (let i = 0; i < n; i += 2) {
      // Two rows by two rows: every loaded number is used twice. An odd last row stands in for its missing neighbour.
      const i2 = Math.min(i + 1, n - 1);
      for (let j = 0; j <= i2; j += 2) {
        const j2 = Math.min(j + 1, n - 1);
        let ij = 0;
        let ij2 = 0;
        let i2j = 0;
        let i2j2 = 0;
        for (let k = start; k < end; k++) {
          const x = a[i * width + k];
          const x2 = a[i2 * width + k];
          const y = a[j * width + k];
          const y2 = a[j2 * width + k];
          ij += x * y;
          ij2 += x * y2;
          i2j += x2 * y;
          i2j2 += x2 * y2;
        }
        gram[i * n + j] += ij;
        if (j2 !== j) gram[i * n + j2] += ij2;
        if (i2 !== i) gram[i2 * n + j] += i2j;
        if (i2 !== i && j2 !== j) gram[i2 * n + j2] += i2j2;
      }
    }
  }
  return gram;
}

function transposed(a: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = a[i * columns + j];
  return result;
}

/**
 * @param a n x n, row-major; only the lower triangle is read, and it is overwritten
 * @returns ascending
 */
export function symmetricEigenvalues(a: Float64Array, n: number): Float64Array {
  const { diagonal, below } = tridiagonal(a, n);
  implicitQl(diagonal, below);
  return diagonal.sort();
}

/** Householder reflections from the last row up; `below[i]` is the element left of `diagonal[i]`. */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; below: Float64Array } {
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const p = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    const row = a.subarray(i * n, i * n + i);
    let scale = 0;
    for (const value of row) scale += Math.abs(value);
    diagonal[i] = a[i * n + i];
    if (i === 1 || scale === 0) {
      below[i] = row[i - 1];
      continue;
    }
    // u = row / scale with its last element moved away from 0, so that I - u u^T / h maps the row to (0, ..., 0,
    // below).
    let h = 0;
    for (let k = 0; k < i; k++) h += (row[k] /= scale) ** 2;
    const last = row[i - 1];
    const norm = last >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    below[i] = scale * norm;
    h -= last * norm;
    row[i - 1] = last - norm;
    // p = A u, row by row of the lower triangle.
    p.fill(0, 0, i);
    for (let j = 0; j < i; j++) {
      const start = j * n;
      const u = row[j];
      let sum = a[start + j] * u;
      for (let k = 0; k < j; k++) {
        sum += a[start + k] * row[k];
        p[k] += a[start + k] * u;
      }
      p[j] += sum;
    }
    let dot = 0;
    for (let k = 0; k < i; k++) dot += (p[k] /= h) * row[k];
    const half = dot / (2 * h);
    for (let k = 0; k < i; k++) p[k] -= half * row[k];
    // A -= u p^T + p u^T
    for (let j = 0; j < i; j++) {
      const start = j * n;
      const u = row[j];
      const q = p[j];
      for (let k = 0; k <= j; k++) a[start + k] -= u * p[k] + q * row[k];
    }
  }
  diagonal[0] = a[0];
  return { diagonal, below };
}

/** Eigenvalues of a symmetric tridiagonal matrix, in place of the diagonal, in no order. */
function implicitQl(d: Float64Array, below: Float64Array): void {
  const n = d.length;
  const e = new Float64Array(n);
  e.set(below.subarray(1));
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      if (round === 60 || Number.isNaN(d[l]))
        throw new Error('the spectrum of a matrix with values that are not finite');
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? 1 : -1) * Math.hypot(g, 1));
      let [s, c, p] = [1, 1, 0];
      let i = m - 1;
      for (; i >= l; i--) {
        const [f, b] = [s * e[i], c * e[i]];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          break;
        }
        [s, c] = [f / r, g / r];
        g = d[i + 1] - p;
        const t = (d[i] - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
      }
      if (i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
