/**
 * The hand-written kernels of `server/src/linear` beside ml-matrix in one run: seconds and ratio, the median of five,
 * taking turns.
 *
 *   node test/bench/linear.ts        (Node 24)
 */
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { choleskyInPlace, choleskySolve } from '../../server/src/linear/cholesky.ts';
import { squaredSingularValues } from '../../server/src/linear/eigenvalues.ts';

const noise = (length: number) => Float64Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 0.5);
const positive = (n: number) => {
  const a = Matrix.from1DArray(n, n, noise(n * n));
  return a.mmul(a.transpose()).add(Matrix.eye(n, n).mul(n));
};

const K = positive(768);
const right = noise(768 * 16);
const W = Float32Array.from(noise(384 * 1024));

/** What -> ours, ml-matrix's. */
const rows: Record<string, [() => unknown, () => unknown]> = {
  'Cholesky and solve, 768, 16 right sides': [
    () => {
      const L = Float64Array.from(K.to1DArray());
      choleskyInPlace(L, 768);
      return choleskySolve(L, 768, right.slice(), 16);
    },
    () => new CholeskyDecomposition(K).solve(Matrix.from1DArray(768, 16, right)),
  ],
  'eigenvalues of W Wᵀ, 384 x 1024': [
    () => squaredSingularValues(W, 384, 1024),
    () => {
      const w = Matrix.from1DArray(384, 1024, W);
      return new EigenvalueDecomposition(w.mmul(w.transpose()), { assumeSymmetric: true }).realEigenvalues;
    },
  ],
};

for (const [what, sides] of Object.entries(rows)) {
  const seconds: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round++) {
    sides.forEach((side, at) => {
      const start = performance.now();
      side();
      seconds[at].push((performance.now() - start) / 1000);
    });
  }
  const [ours, theirs] = seconds.map((list) => list.sort((a, b) => a - b)[2]);
  console.log(`${what}: ${ours.toFixed(3)} s, ml-matrix ${theirs.toFixed(3)} s, ratio ${(ours / theirs).toFixed(2)}`);
}
