/** Rules of operators that move elements: each puts the elements of `dy` back to where they came from, and adds. */
import { contentsOf } from '../onnx/contents.ts';
import { axisOf, product, sum } from '../onnx/dims.ts';
import type { Dim, Graph, Value } from '../onnx/graph.ts';
import type { GradRule, RuleContext } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Sizes of the parts of a Concat, known or read when the graph runs. */
export function splitSizes(g: Graph, parts: readonly Value[], axis: number): readonly number[] | Value {
  const at = axisOf(axis, nth(parts, 0).shape.length);
  const dims = parts.map(({ shape }) => nth(shape, at));
  return dims.every((dim) => typeof dim === 'number') ? dims : g.sizes(dims, parts);
}

/**
 * Adds `updates` [.., N, ..] to zeros of the shape of `x` at the N positions along `axis`; positions may repeat.
 *
 * By ScatterElements: with several threads ONNX Runtime 1.30 loses updates when ScatterND adds to one place twice (seen
 * on CPU).
 */
function addAlong(g: Graph, x: Value, positions: Value, updates: Value, axis: number): Value {
  const others = updates.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  const everywhere = g.expandLike(others.length > 0 ? g.unsqueeze(positions, others) : positions, updates);
  return g.scatterElements(g.zerosLike(x), everywhere, updates, axis, 'add');
}

/**
 * y[.., i, ..] = x[.., index[i], ..]: slices of dy are added to the slices of x that they came from, repeated ones too.
 */
export const gatherGradient: GradRule = ({ g, dy, x: [x, indices], int }) => {
  const axis = axisOf(int('axis', 0), x.shape.length);
  const one = indices.shape.length === 1;
  const positions = one ? indices : g.reshape(indices, [-1]);
  const dims = x.shape.map((dim, i) => (i === axis ? nth(positions.shape, 0) : dim));
  return [addAlong(g, x, positions, one ? dy : g.reshape(dy, dims), axis), null];
};

/** y[i] = x[index[i, 0], index[i, 1], ..]: the indexed axes of x seen as one. */
export const gatherNDGradient: GradRule = ({ g, dy, x: [x, indices], int }) => {
  if (int('batch_dims', 0) !== 0) throw new Error('batch_dims other than 0 have no rule');
  const depth = Number(indices.shape[indices.shape.length - 1]);
  const places = g.split(g.reshape(indices, [-1, depth]), Array<number>(depth).fill(1), 1).map((place, k) => {
    const size = g.count(x, [k], 'int64');
    const inner = g.count(x, [...Array(depth).keys()].slice(k + 1), 'int64');
    return g.mul(g.where(g.less(place, 0), g.add(place, size), place), inner);
  });
  const positions = g.squeeze(
    places.reduce((a, b) => g.add(a, b)),
    [1],
  );
  const rows = g.reshape(x, [product(x.shape.slice(0, depth)), product(x.shape.slice(depth))]);
  const updates = g.reshape(dy, [nth(positions.shape, 0), nth(rows.shape, 1)]);
  return [g.reshapeLike(addAlong(g, rows, positions, updates, 0), x), null];
};

/** ScatterElements and ScatterND: places that were overwritten pass nothing on; added to, they pass everything. */
export const scatterGradient: GradRule = ({ g, node, dy, x: [, indices, updates], int, string }) => {
  const reduction = string('reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add') throw new Error(`reduction "${reduction}" has no rule`);
  const elements = node.op === 'ScatterElements';
  const axis = int('axis', 0);
  const taken = elements ? g.gatherElements(dy, indices, axis) : g.node('GatherND', [dy, indices])[0];
  if (reduction === 'add') return [dy, null, taken];
  const zeros = g.zerosLike(updates);
  return [elements ? g.scatterElements(dy, indices, zeros, axis) : g.scatterND(dy, indices, zeros), null, taken];
};

/** Padding with the opposite signs: what was added is cut off, what was cut off comes back as zero. */
export const padGradient: GradRule = ({ g, dy, x, string }) => {
  if (string('mode', 'constant') !== 'constant') throw new Error(`mode "${string('mode', '')}" has no rule`);
  const pads = g.numbers(x[1]);
  const back = pads ? g.ints(pads.map((pad) => -pad)) : g.neg(x[1]);
  return [g.node('Pad', x[3] ? [dy, back, null, x[3]] : [dy, back])[0]];
};

/** Copies along an axis are adjacent blocks: [r·d] seen as [r, d], summed over r. */
export const tileGradient: GradRule = ({ g, dy, x }) => {
  const repeats = contentsOf(g, x[1]);
  if (!repeats?.every((r) => typeof r === 'number')) throw new Error('the repeats must be constant');
  const dims = x[0].shape.flatMap((dim, i) => [nth(repeats, i), dim]);
  const axes = x[0].shape.map((_, i) => 2 * i);
  return [g.reduceSum(g.reshape(dy, dims), axes, false), null];
};

/** The elements of dy go back to start, start + step, …; all others get zero. One axis after the other. */
export const sliceGradient: GradRule = (c) => {
  const { g, dy, x } = c;
  const rank = x[0].shape.length;
  const count = x[1].shape[0];
  const given = x[3] && g.numbers(x[3]);
  if ((x[3] && !given) || (x[4] && !g.numbers(x[4])) || typeof count !== 'number') {
    throw new Error('axes and steps must be constant');
  }
  const axes = given ? given.map((axis) => axisOf(axis, rank)) : [...Array(count).keys()];
  return [axes.reduce((back, axis, i) => unslice(c, back, axis, i), dy)];
};

function unslice({ g, x }: RuleContext, part: Value, axis: number, i: number): Value {
  const dim = nth(x[0].shape, axis);
  const steps = x[4] && g.numbers(x[4]);
  const step = steps ? nth(steps, i) : 1;
  // A backward slice is a forward one of the same elements, turned round.
  let back = step > 0 ? part : g.slice(part, [-1], [-Infinity], [axis], [-1]);
  const stride = Math.abs(step);
  if (stride > 1) {
    const spaced = g.pad(g.unsqueeze(back, [axis + 1]), padsAt(part.shape.length + 1, axis + 1, 0, stride - 1));
    const dims: Dim[] = [...back.shape];
    dims[axis] = -1;
    back = g.reshape(spaced, dims);
  }
  const before = firstTaken(g, x, dim, axis, i, step);
  const after = typeof before === 'number' ? difference(dim, sum([before, nth(back.shape, axis)])) : null;
  if (before === 0 && after === 0) return back;
  const padded =
    typeof before === 'number' && after !== null
      ? g.pad(back, padsAt(x[0].shape.length, axis, before, after))
      : g.pad(back, openPads(g, x[0], back, axis, before));
  const shape = back.shape.map((size, a) => (a === axis ? dim : size));
  return g.append('Identity', [padded], {}, [{ type: padded.type, shape }])[0];
}

/** The lowest position that the slice takes: a number where it can be told, else an int64 tensor of one element. */
function firstTaken(g: Graph, x: readonly Value[], dim: Dim, axis: number, i: number, step: number): number | Value {
  const [starts, ends] = [contentsOf(g, nth(x, 1)), contentsOf(g, nth(x, 2))];
  const [start, stop] = [starts?.[i] ?? null, ends?.[i] ?? null];
  if (step > 0 && typeof start === 'number' && start >= 0) return start;
  if (typeof dim === 'number' && typeof start === 'number' && typeof stop === 'number') {
    const positions = [...Array(dim).keys()];
    const first = Math.min(Math.max(start < 0 ? start + dim : start, step > 0 ? 0 : -1), step > 0 ? dim : dim - 1);
    const last = Math.max(stop < 0 ? stop + dim : stop, -1);
    return step > 0
      ? first
      : nth(
          positions.filter((p) => p <= first && p > last && (first - p) % -step === 0),
          0,
        );
  }
  // Slice the positions themselves.
  const length = g.squeeze(g.shapeOf(nth(x, 0), axis, axis + 1), [0]);
  const positions = g.node('Range', [g.scalar(0, 'int64'), length, g.scalar(1, 'int64')])[0];
  const at = (list: Value): Value => g.slice(list, [i], [i + 1], [0]);
  const taken = g.slice(positions, at(nth(x, 1)), at(nth(x, 2)), [0], [step]);
  return step > 0 ? g.slice(taken, [0], [1], [0]) : g.slice(taken, [-1], [Infinity], [0]);
}

/** a − b where symbols cancel, else null. */
function difference(a: Dim, b: Dim): number | null {
  if (a === b) return 0;
  const [x, y] = [sum([a, 0]), sum([b, 0])];
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  const split = (dim: Dim): [string, number] => {
    const tail = /^(.*?)([+-]\d+)?$/.exec(String(dim))!;
    return [nth(tail, 1), Number(tail[2] ?? 0)];
  };
  if (typeof x === 'number' || typeof y === 'number') return null;
  const [[s, p], [t, q]] = [split(x), split(y)];
  return s === t ? p - q : null;
}

function padsAt(rank: number, axis: number, before: number, after: number): number[] {
  const pads = Array<number>(2 * rank).fill(0);
  pads[axis] = before;
  pads[rank + axis] = after;
  return pads;
}

/** Pads that are only known when the graph runs: what is missing after `before` and `back` is added after. */
function openPads(g: Graph, x: Value, back: Value, axis: number, before: number | Value): Value {
  const first = typeof before === 'number' ? g.ints([before]) : before;
  const [whole, present] = [g.shapeOf(x, axis, axis + 1), g.shapeOf(back, axis, axis + 1)];
  const after = g.sub(g.sub(whole, present), first);
  const zeros = (count: number): Value[] => (count > 0 ? [g.ints(Array<number>(count).fill(0))] : []);
  const rest = x.shape.length - axis - 1;
  return g.concat([...zeros(axis), first, ...zeros(x.shape.length - 1), after, ...zeros(rest)], 0);
}
