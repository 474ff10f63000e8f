/**
 * What is known of a small integer tensor before the graph runs: the target of a Reshape, the sizes of an Expand.
 *
 * An element is a number, a symbol (it came from the Shape of a tensor with that symbol) or null (unknown). One row per
 * operator that shapes travel through; a missing row only means that the content counts as unknown.
 */
import { readerOf } from './attributes.ts';
import { axisOf, product, sum } from './dims.ts';
import type { Dim, Node, TypedArray, Value } from './types.ts';
import { lookup } from '../text/lookup.ts';

export type Contents = readonly (Dim | null)[];

/** The part of a graph that contents are read from. */
export interface ContentSource {
  producer(value: Value): Node | undefined;
  constant(value: Value): TypedArray | null;
}

/** Longer tensors are data, not shapes. */
const longest = 64;

const table: Record<string, (node: Node, of: (input: number) => Contents | null) => Contents | null> = {
  Add: (_, of) => pairwise(of(0), of(1), (a, b) => sum([a, b])),
  Cast: (_, of) => of(0),
  Concat: (node, of) => {
    const parts = node.inputs.map((_, i) => of(i));
    return parts.every((part) => part !== null) ? parts.flat() : null;
  },
  Constant: (node) => {
    const { value, value_int: int, value_ints: ints } = node.attributes;
    if (value?.kind === 'tensor') return numbers(value.value.data);
    if (int?.kind === 'int') return [int.value];
    return ints?.kind === 'ints' ? ints.value : null;
  },
  Gather: (_, of) => {
    const from = of(0);
    return of(1)?.map((index) => (from && typeof index === 'number' ? (from.at(index) ?? null) : null)) ?? null;
  },
  Identity: (_, of) => of(0),
  Mul: (_, of) => pairwise(of(0), of(1), (a, b) => product([a, b])),
  Shape: (node) => {
    const read = readerOf(node);
    return node.inputs[0]!.shape.slice(read.int('start', 0), read.has('end') ? read.int('end', 0) : undefined);
  },
  Slice: (node, of) => {
    const [from, start, end] = [of(0), of(1)?.[0], of(2)?.[0]];
    const step = node.inputs[4] ? of(4)?.[0] : 1;
    return from && typeof start === 'number' && typeof end === 'number' && step === 1 ? from.slice(start, end) : null;
  },
  Squeeze: (_, of) => of(0),
  Unsqueeze: (_, of) => of(0),
};

export function contentsOf(source: ContentSource, value: Value): Contents | null {
  if (value.type !== 'int64' && value.type !== 'int32') return null;
  if (value.shape.length > 1) return null;
  const data = source.constant(value);
  if (data) return numbers(data);
  const node = source.producer(value);
  const row = node && lookup(table, node.op);
  return row && node ? row(node, (i) => (node.inputs[i] ? contentsOf(source, node.inputs[i]) : null)) : null;
}

function numbers(data: TypedArray): number[] | null {
  return data.length > longest ? null : Array.from(data as Iterable<number | bigint>, Number);
}

function pairwise(a: Contents | null, b: Contents | null, combine: (a: Dim, b: Dim) => Dim): Contents | null {
  if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const [x, y] = [a[a.length === 1 ? 0 : i]!, b[b.length === 1 ? 0 : i]!];
    return x === null || y === null ? null : combine(x, y);
  });
}

/** Axes as non-negative indices, ascending. */
export function sortedAxes(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => axisOf(axis, rank)).sort((a, b) => a - b);
}
