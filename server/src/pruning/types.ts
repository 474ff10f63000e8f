/**
 * The words every pruner shares. A pruner changes one weight matrix W [rows, columns] = [outputs, inputs] in place, so
 * that about `sparsity` of its entries are zero. What it wants to know of the inputs X [tokens, columns] that the
 * matrix saw on the calibration texts, it declares as `needs`; the engine collects it block by block with the blocks
 * below already pruned.
 *
 * To add a pruner: one file like `wanda.ts`, a row in `pruners.ts`, a case in `test/reference/pruning/make.py`.
 */
import type { Products } from '../linear/types.ts';
import type { Structure } from './structure.ts';

export interface Matrix {
  /** rows x columns, row-major. */
  weight: Float32Array;
  rows: number;
  columns: number;
}

/** Of the inputs of one matrix, padding left out; `sequences` calibration texts. */
export interface InputStatistics {
  sequences: number;
  /** columns: sum over all tokens of x_j². */
  squaredNorms?: Float64Array;
  /** columns x columns: sum over all tokens of x xᵀ. May be overwritten. */
  products?: Float32Array | Float64Array;
}

export interface Amount {
  /** Share of the entries to remove, 0 .. 1. */
  sparsity: number;
  /** N:M, which replaces the free choice of entries; null = unstructured. */
  structure: Structure | null;
}

export interface Pruner {
  id: string;
  title: string;
  source: string;
  needs: 'nothing' | 'squaredNorms' | 'products';
  /** Changes `matrix.weight`. @throws Error for statistics that are missing or of the wrong size */
  prune(matrix: Matrix, statistics: InputStatistics | null, amount: Amount, products: Products): Promise<void> | void;
}
