/**
 * A = L Lᵀ of a symmetric positive definite matrix in float64, by blocks of columns. Hand-written because it is
 * measured to be six times as fast as ml-matrix at 2048 and the estimators do hundreds of these; ml-matrix is its
 * reference in the tests.
 *
 * Rows of L lie one after the other, so every inner product runs along two contiguous rows; four rows by two columns
 * share what they read.
 */

/** Columns that are taken off together; measured at n = 190 to 2048. */
const BLOCK = 24;

/**
 * Overwrites the lower triangle of A (n x n, row-major) with L; what the upper one holds afterwards means nothing.
 *
 * @returns false where A is not positive definite in float64
 */
export function choleskyInPlace(A: Float64Array, n: number, signal?: AbortSignal): boolean {
  for (let first = 0; first < n; first += BLOCK) {
    signal?.throwIfAborted();
    const end = Math.min(first + BLOCK, n);
    update(A, n, first, end);
    for (let j = first; j < end; j++) {
      let pivot = A[j * n + j];
      for (let k = first; k < j; k++) pivot -= A[j * n + k] ** 2;
      if (!(pivot > 0 && Number.isFinite(pivot))) return false;
      const root = Math.sqrt(pivot);
      A[j * n + j] = root;
      for (let i = j + 1; i < n; i++) {
        let value = A[i * n + j];
        for (let k = first; k < j; k++) value -= A[i * n + k] * A[j * n + k];
        A[i * n + j] = value / root;
      }
    }
  }
  return true;
}

/** Takes the part of columns 0 .. first-1 of L off columns first .. end-1 of A, from row `first` down. */
function update(A: Float64Array, n: number, first: number, end: number): void {
  if (first === 0) return;
  let i = first;
  for (; i + 4 <= n; i += 4) {
    const r0 = i * n;
    const r1 = r0 + n;
    const r2 = r1 + n;
    const r3 = r2 + n;
    // Entries above the diagonal are written too; nobody reads them.
    let j = first;
    for (; j + 2 <= end; j += 2) {
      const c0 = j * n;
      const c1 = c0 + n;
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (let k = 0; k < first; k++) {
        const x = A[c0 + k];
        const y = A[c1 + k];
        const a = A[r0 + k];
        const b = A[r1 + k];
        const c = A[r2 + k];
        const d = A[r3 + k];
        s00 += a * x;
        s01 += a * y;
        s10 += b * x;
        s11 += b * y;
        s20 += c * x;
        s21 += c * y;
        s30 += d * x;
        s31 += d * y;
      }
      A[r0 + j] -= s00;
      A[r0 + j + 1] -= s01;
      A[r1 + j] -= s10;
      A[r1 + j + 1] -= s11;
      A[r2 + j] -= s20;
      A[r2 + j + 1] -= s21;
      A[r3 + j] -= s30;
      A[r3 + j + 1] -= s31;
    }
    for (; j < end; j++) for (let r = i; r < i + 4; r++) A[r * n + j] -= inner(A, r * n, j * n, first);
  }
  for (; i < n; i++) for (let j = first; j < Math.min(end, i + 1); j++) A[i * n + j] -= inner(A, i * n, j * n, first);
}

function inner(A: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += A[a + k] * A[b + k];
  return sum;
}

/** X with L Lᵀ X = R. @param L lower triangle of n x n @param R n x m, row-major; overwritten with X */
export function choleskySolve(L: Float64Array, n: number, R: Float64Array, m: number): Float64Array {
  for (let i = 0; i < n; i++) {
    const whole = i - (i % 4);
    const to = i * m;
    for (let k = 0; k < whole; k += 4) {
      const at = i * n + k;
      const [l0, l1, l2, l3] = [L[at], L[at + 1], L[at + 2], L[at + 3]];
      const r0 = k * m;
      const r1 = r0 + m;
      const r2 = r1 + m;
      const r3 = r2 + m;
      for (let j = 0; j < m; j++) R[to + j] -= l0 * R[r0 + j] + l1 * R[r1 + j] + l2 * R[r2 + j] + l3 * R[r3 + j];
    }
    for (let k = whole; k < i; k++) for (let j = 0; j < m; j++) R[to + j] -= L[i * n + k] * R[k * m + j];
    const pivot = L[i * n + i];
    for (let j = 0; j < m; j++) R[to + j] /= pivot;
  }
  for (let i = n - 1; i >= 0; i--) {
    const from = i * m;
    const pivot = L[i * n + i];
    for (let j = 0; j < m; j++) R[from + j] /= pivot;
    for (let k = 0; k < i; k++) {
      const l = L[i * n + k];
      const to = k * m;
      for (let j = 0; j < m; j++) R[to + j] -= l * R[from + j];
    }
  }
  return R;
}

/** (L Lᵀ)⁻¹, n x n. */
export function choleskyInverse(L: Float64Array, n: number): Float64Array {
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  return choleskySolve(L, n, identity, n);
}
