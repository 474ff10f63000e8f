/**
 * How a tensor of a GGUF file becomes tensors of the Hugging Face layout. llama.cpp reorders rows for its rotary
 * kernel, lays projections one after the other, stacks experts, transposes and adds one to norms; each is undone by a
 * `Change`.
 */
import type { GgufTensor } from './gguf.ts';
import type { Metadata } from './ggufMetadata.ts';
import { nth } from '../lists/nth.ts';

/**
 * A tensor of the Hugging Face layout: some rows of a stored tensor. Rows are all dimensions but the last; one number
 * in a vector.
 */
export interface Part {
  name: string;
  shape: readonly number[];
  /** Stored row where it begins, and how many it has. */
  first: number;
  rows: number;
  /** Where a stored row belongs, both from 0 within the part; null leaves the order alone. */
  order: ((row: number) => number) | null;
  /** Added to every number. */
  add: number;
  /** Stored rows are columns. */
  transposed: boolean;
}

export interface Stored {
  tensor: GgufTensor;
  /** Hugging Face name, `weight` or `bias` included; `#` stands for a number that the change counts. */
  name: string;
  metadata: Metadata;
  /** Architecture, the first word of its keys. */
  id: string;
}

export type Change = (stored: Stored) => Part[];

export function rowsOf(shape: readonly number[]): number {
  return shape.length === 1 ? nth(shape, 0) : shape.slice(0, -1).reduce((product, n) => product * n, 1);
}

function part({ tensor, name }: Stored, changes: Partial<Part> = {}): Part {
  const { shape } = tensor;
  return { name, shape, first: 0, rows: rowsOf(shape), order: null, add: 0, transposed: false, ...changes };
}

export const asStored: Change = (stored) => [part(stored)];

/**
 * Rows are kept pair by pair (rotary neighbours), in Hugging Face in two halves: of each head, row 2 i + s goes to row
 * s n / 2 + i.
 * @param key of the number of heads
 */
export function pairs(key: 'attention.head_count' | 'attention.head_count_kv'): Change {
  return (stored) => {
    const { tensor, metadata, id } = stored;
    const heads = headCount(metadata, id, key);
    const perHead = rowsOf(tensor.shape) / heads;
    if (perHead % 2 !== 0) {
      throw metadata.error(
        `the ${rowsOf(tensor.shape)} rows of ${tensor.name} do not divide into ${heads} heads of an even size`,
      );
    }
    const order = (row: number): number => {
      const inHead = row % perHead;
      return row - inHead + (inHead % 2) * (perHead / 2) + (inHead >> 1);
    };
    return [part(stored, { order })];
  };
}

/**
 * All queries, all keys, all values; in Hugging Face each key-value head has its queries, its key and its value
 * together.
 */
export const grouped: Change = (stored) => {
  const { tensor, metadata, id } = stored;
  const heads = headCount(metadata, id, 'attention.head_count');
  const kvHeads = headCount(metadata, id, 'attention.head_count_kv');
  const rows = rowsOf(tensor.shape);
  const size = rows / (heads + 2 * kvHeads);
  const group = heads / kvHeads;
  if (!Number.isInteger(size) || !Number.isInteger(group))
    throw metadata.error(`the ${rows} rows of ${tensor.name} do not divide into ${heads} and twice ${kvHeads} heads`);
  const order = (row: number): number => {
    const head = Math.floor(row / size);
    const inHead = row % size;
    if (head < heads) return (Math.floor(head / group) * (group + 2) + (head % group)) * size + inHead;
    const kind = head < heads + kvHeads ? 0 : 1; // key or value
    return ((head - heads - kind * kvHeads) * (group + 2) + group + kind) * size + inHead;
  };
  return [part(stored, { order })];
};

/** Outputs x inputs; GPT-2's Conv1D has inputs x outputs. Vectors stay. */
export const conv1d: Change = (stored) => {
  const { shape } = stored.tensor;
  return [part(stored, shape.length === 1 ? {} : { shape: [nth(shape, 1), nth(shape, 0)], transposed: true })];
};

/** The norm multiplies by 1 + w, and 1 + w is stored. What the sum rounded away is lost. */
export const plusOne: Change = (stored) => [part(stored, { add: -1 })];

/** A vector that is a matrix of one row. */
export const oneRow: Change = (stored) => {
  const { shape } = stored.tensor;
  return [part(stored, shape.length === 1 ? { shape: [1, nth(shape, 0)] } : {})];
};

/** The first dimension counts experts or heads, which have a tensor each. */
export const stacked: Change = (stored) => {
  const { shape } = stored.tensor;
  const count = nth(shape, 0);
  const rows = rowsOf(shape) / count;
  return Array.from({ length: count }, (_, i) =>
    part(stored, { name: stored.name.replace('#', String(i)), shape: shape.slice(1), first: i * rows, rows }),
  );
};

/**
 * Rows of several matrices one after the other.
 * @param suffixes names of the modules, in the place of `#`, each with its heads
 */
export function split(suffixes: Readonly<Record<string, Parameters<typeof pairs>[0]>>): Change {
  return (stored) => {
    const { tensor, metadata, id } = stored;
    const heads = Object.values(suffixes).map((key) => headCount(metadata, id, key));
    const size = rowsOf(tensor.shape) / heads.reduce((sum, n) => sum + n, 0);
    let first = 0;
    return Object.keys(suffixes).map((suffix, i) => {
      const rows = nth(heads, i) * size;
      first += rows;
      const shape = [rows, ...tensor.shape.slice(1)];
      return part(stored, { name: stored.name.replace('#', suffix), shape, first: first - rows, rows });
    });
  };
}

export function headCount(metadata: Metadata, id: string, key: Parameters<typeof pairs>[0]): number {
  const heads = metadata.count(`${id}.attention.head_count`);
  const own = metadata.count(`${id}.${key}`) ?? heads;
  return metadata.required(`${id}.${key}`, own);
}
