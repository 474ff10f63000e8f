/**
 * SparseGPT (Frantar & Alistarh, ICML 2023, arXiv 2301.00774): entries are removed from left to right, and what each
 * removal does to the layer's output is made up for by the entries to its right, by the inverse Hessian H = 2/sequences
 * Σ x xᵀ.
 *
 *   U upper triangular with Uᵀ U = (H + 0.01 mean(diag H) I)⁻¹
 *   slab of 128 columns: mask = the entries up to position floor(entries * sparsity) of the ascending w² / U_jj²
 *   column j: error e = (w_j - pruned w_j) / U_jj, then w_k -= e U_jk for all k > j
 *
 * With J turning the order of rows and columns round, J H J = L Lᵀ gives U = J L⁻¹ J: no inverse of H is formed.
 * Columns whose input is always zero get H_jj = 1 and weights 0. N:M chooses its groups when their first column is
 * reached.
 */
import { inverseCholesky } from '../linear/inverseCholesky.ts';
import type { Products } from '../linear/types.ts';
import { markSmallestOfGroups, valueAt } from './structure.ts';
import type { Structure } from './structure.ts';
import type { Pruner } from './types.ts';

const SLAB = 128;
const DAMPING = 0.01;

export const sparsegpt: Pruner = {
  id: 'sparsegpt',
  title: 'second order, with the other weights adjusted',
  source: 'Frantar & Alistarh, ICML 2023, arXiv 2301.00774',
  needs: 'products',

  async prune({ weight, rows, columns }, statistics, { sparsity, structure }, products) {
    if (statistics?.products?.length !== columns * columns || !(statistics.sequences > 0)) {
      throw new Error(`SparseGPT needs the ${columns} x ${columns} products of a matrix's inputs`);
    }
    if (sparsity <= 0) return;
    const U = await updateFactor(statistics.products, columns, weight, products);
    const slab = new Float32Array(rows * SLAB);
    const errors = new Float32Array(rows * SLAB);
    const step = structure ? SLAB - (SLAB % structure.m) : SLAB; // no group crosses a slab
    for (let start = 0; start < columns; start += step) {
      const width = Math.min(step, columns - start);
      const end = start + width;
      for (let r = 0; r < rows; r++) slab.set(weight.subarray(r * columns + start, r * columns + end), r * width);
      pruneSlab(slab, errors, rows, width, square(U, columns, start, width), sparsity, structure);
      for (let r = 0; r < rows; r++) weight.set(slab.subarray(r * width, (r + 1) * width), r * columns + start);
      const rest = columns - end;
      if (rest === 0) break;
      const right = new Float32Array(width * rest);
      for (let j = 0; j < width; j++)
        right.set(U.subarray((start + j) * columns + end, (start + j + 1) * columns), j * rest);
      const change = await products.multiply(errors.subarray(0, rows * width), right, rows, width, rest);
      for (let r = 0; r < rows; r++) {
        const at = r * columns + end;
        for (let c = 0; c < rest; c++) weight[at + c] -= change[r * rest + c];
      }
    }
  },
};

/** U as float32; weights of dead columns become 0. @throws Error when the damped Hessian cannot be factored */
async function updateFactor(
  inputProducts: Float32Array | Float64Array,
  columns: number,
  weight: Float32Array,
  products: Products,
): Promise<Float32Array> {
  const last = columns - 1;
  const turned = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) turned[(last - i) * columns + (last - j)] = inputProducts[i * columns + j];
  }
  let trace = 0;
  for (let j = 0; j < columns; j++) {
    const diagonal = (last - j) * columns + (last - j);
    if (turned[diagonal] === 0) {
      turned[diagonal] = 1;
      for (let at = j; at < weight.length; at += columns) weight[at] = 0;
    }
    trace += turned[diagonal];
  }
  const damping = (DAMPING * trace) / columns;
  for (let j = 0; j < columns; j++) turned[j * columns + j] += damping;
  const inverse = await inverseCholesky(turned, columns, products);
  if (!inverse) {
    throw new Error(`the Hessian of ${columns} inputs is not positive definite; take more or longer calibration texts`);
  }
  const U = new Float32Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = i; j < columns; j++) U[i * columns + j] = inverse[(last - i) * columns + (last - j)];
  }
  return U;
}

/** One slab, column by column. @param slab rows x width, pruned in place; @param errors rows x width, filled */
function pruneSlab(
  slab: Float32Array,
  errors: Float32Array,
  rows: number,
  width: number,
  U: Float32Array,
  sparsity: number,
  structure: Structure | null,
): void {
  const importance = (r: number, j: number): number => (slab[r * width + j] / U[j * width + j]) ** 2;
  const removed = new Uint8Array(rows * width);
  if (!structure) {
    const metric = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) for (let j = 0; j < width; j++) metric[r * width + j] = importance(r, j);
    const position = Math.floor(metric.length * sparsity);
    const threshold = position >= metric.length ? Infinity : valueAt(metric, position);
    for (let i = 0; i < metric.length; i++) if (metric[i] <= threshold) removed[i] = 1;
  }
  const group = new Float32Array(structure?.m ?? 0);
  for (let j = 0; j < width; j++) {
    if (structure && j % structure.m === 0) {
      for (let r = 0; r < rows; r++) {
        for (let k = 0; k < structure.m; k++) group[k] = importance(r, j + k);
        markSmallestOfGroups(group, structure, (k) => (removed[r * width + j + k] = 1));
      }
    }
    const diagonal = U[j * width + j];
    for (let r = 0; r < rows; r++) {
      const at = r * width;
      const error = removed[at + j] ? slab[at + j] / diagonal : 0;
      errors[at + j] = error;
      if (error === 0) {
        if (removed[at + j]) slab[at + j] = 0;
        continue;
      }
      slab[at + j] = 0;
      for (let k = j + 1; k < width; k++) slab[at + k] -= error * U[j * width + k];
    }
  }
}

function square(U: Float32Array, columns: number, start: number, width: number): Float32Array {
  const part = new Float32Array(width * width);
  for (let j = 0; j < width; j++) {
    const at = (start + j) * columns + start;
    part.set(U.subarray(at, at + width), j * width);
  }
  return part;
}
