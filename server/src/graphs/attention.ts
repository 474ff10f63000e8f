/**
 * Fused attention of ONNX Runtime and of opset 23, made of matrix products and a softmax:
 *
 *   softmax(cap(q kᵀ · scale) + bias + mask) v
 *
 * with grouped key and value heads repeated, rotary positions by tables, causal and padding masks. Caches of earlier
 * tokens must be empty: a sample is scored as a whole.
 */
import type { Graph, Value } from '../onnx/graph.ts';
import type { LowerContext, Lowering } from './lowering.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** What stands for minus infinity in a mask: its exponential is 0, and nothing overflows. */
const NEVER = -1e30;

interface Heads {
  /** [B, heads, S, size] */
  q: Value;
  /** [B, kvHeads, L, size] */
  k: Value;
  v: Value;
}

interface Options {
  scale: number;
  /** Added to the scores, broadcast to [B, heads, S, L]. */
  biases: Value[];
  causal: boolean;
  softcap?: number;
  /** Positions that a token sees behind itself, -1 for all. */
  window?: number;
}

function sizes(value: Value): number[] {
  return value.shape as number[];
}

/** [B, heads, S, size of v] */
function attend(g: Graph, { q, k, v }: Heads, { scale, biases, causal, softcap = 0, window = -1 }: Options): Value {
  const [batch, heads, length, size] = take(sizes(q), 4);
  const [, kvHeads, keys] = take(sizes(k), 3);
  const group = heads / kvHeads;
  const repeated = (x: Value): Value => {
    if (group === 1) return x;
    const [, , rows, width] = take(sizes(x), 4);
    return g.reshape(g.expand(g.unsqueeze(x, [2]), [batch, kvHeads, group, rows, width]), [batch, heads, rows, width]);
  };
  let scores = g.mul(g.matMul(q, g.swapLast(repeated(k))), scale === 0 ? 1 / Math.sqrt(size) : scale);
  if (softcap > 0) scores = g.mul(g.tanh(g.div(scores, softcap)), softcap);
  for (const bias of biases) scores = g.add(scores, bias);
  if (causal || window >= 0) scores = g.add(scores, triangle(g, length, keys, causal, window));
  return g.matMul(g.softmax(scores, -1), repeated(v));
}

/** [S, L]: 0 where a query sees a key, else never. Queries are the last of the keys. */
function triangle(g: Graph, length: number, keys: number, causal: boolean, window: number): Value {
  const data = new Float32Array(length * keys);
  for (let i = 0; i < length; i++) {
    const own = i + keys - length;
    for (let j = 0; j < keys; j++) {
      const hidden = (causal && j > own) || (window >= 0 && own - j >= window);
      if (hidden) data[i * keys + j] = NEVER;
    }
  }
  return g.initializer(`mask ${g.nodes.length}`, 'float32', [length, keys], data);
}

/** [B, S, heads * size] -> [B, heads, S, size] */
function split(g: Graph, x: Value, heads: number): Value {
  const [batch, length, width] = take(sizes(x), 3);
  return g.transpose(g.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, heads, S, size] -> [B, S, heads * size] */
function joined(g: Graph, x: Value): Value {
  const [batch, heads, length, size] = take(sizes(x), 4);
  return g.reshape(g.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

function requireNoPast(...pasts: (Value | null | undefined)[]): void {
  const used = pasts.find((past) => past && !sizes(past).includes(0));
  if (used)
    throw new Error(
      `a cache of earlier tokens [${used.shape.join(', ')}] cannot be scored; export the graph without a cache`,
    );
}

/** A mask of keys [B, L] with 1 where a key is there, as a bias [B, 1, 1, L]. */
function paddingBias(g: Graph, mask: Value): Value {
  const [batch, keys] = take(sizes(mask), 2);
  const there = g.equal(mask, 0);
  return g.reshape(g.where(there, NEVER, 0), [batch, 1, 1, keys]);
}

/** Keys of a mask in any form that ONNX Runtime takes: [B, L], lengths [B], [B, S, L], [B, 1, S, L]. */
function maskBias(g: Graph, mask: Value, keys: number): Value {
  const shape = sizes(mask);
  if (shape.length === 1) {
    const positions = g.initializer(`positions ${g.nodes.length}`, mask.type, [1, keys], indices(mask.type, keys));
    return paddingBias(g, g.cast(g.less(positions, g.reshape(mask, [nth(shape, 0), 1])), 'int64'));
  }
  if (shape.length === 2) return paddingBias(g, mask);
  const bias = g.where(g.equal(mask, 0), NEVER, 0);
  return shape.length === 3 ? g.unsqueeze(bias, [1]) : bias;
}

function indices(type: Value['type'], count: number): Int32Array | BigInt64Array {
  return type === 'int64'
    ? BigInt64Array.from({ length: count }, (_, i) => BigInt(i))
    : Int32Array.from({ length: count }, (_, i) => i);
}

/**
 * Rotates [B, heads, S, size]; only the first `dim` components, pairs (i, i + dim/2) or, interleaved, (2i, 2i + 1).
 * @param cos [S, dim/2] or [B, 1, S, dim/2], and `sin`
 */
export function rotated(g: Graph, x: Value, cos: Value, sin: Value, interleaved: boolean): Value {
  const [batch, heads, length, size] = take(sizes(x), 4);
  const half = sizes(cos).at(-1)!;
  const dim = 2 * half;
  const [turned, kept] = dim === size ? [x, null] : g.split(x, [dim, size - dim], 3);
  let made: Value;
  if (interleaved) {
    const [first, second] = g.split(g.reshape(turned, [batch, heads, length, half, 2]), [1, 1], 4);
    const [a, b] = [g.reshape(first, [batch, heads, length, half]), g.reshape(second, [batch, heads, length, half])];
    const parts = [g.sub(g.mul(a, cos), g.mul(b, sin)), g.add(g.mul(a, sin), g.mul(b, cos))];
    made = g.reshape(
      g.concat(
        parts.map((part) => g.unsqueeze(part, [4])),
        4,
      ),
      [batch, heads, length, dim],
    );
  } else {
    const [a, b] = g.split(turned, [half, half], 3);
    made = g.concat([g.sub(g.mul(a, cos), g.mul(b, sin)), g.add(g.mul(a, sin), g.mul(b, cos))], 3);
  }
  return kept ? g.concat([made, kept], 3) : made;
}

/** Rows of a table [positions, half] for position ids [B, S]: [B, 1, S, half]. */
function atPositions(g: Graph, table: Value, positions: Value, batch: number, length: number): Value {
  const [rows] = sizes(positions);
  // One number: the position of the first token.
  if (sizes(positions).length === 1 && rows === 1 && length !== 1) {
    const first = g.reshape(g.cast(positions, 'int64'), [1, 1]);
    const all = g.initializer(`positions ${g.nodes.length}`, 'int64', [1, length], indices('int64', length));
    return atPositions(g, table, g.expand(g.add(first, all), [batch, length]), batch, length);
  }
  return g.unsqueeze(g.gather(table, g.reshape(positions, [batch, length]), 0), [1]);
}

function firstRows(g: Graph, table: Value, length: number): Value {
  return g.slice(table, [0], [length], [0]);
}

const contribAttention: Lowering = (c) => {
  const { g } = c;
  const [x, weight, bias] = [c.x(0), c.x(1), c.inputs[2] ?? null];
  requireNoPast(c.inputs[4]);
  const heads = c.int('num_heads', 1);
  if (c.int('do_rotary', 0) !== 0) throw new Error('do_rotary has no decomposition');
  const product = g.matMul(x, weight);
  c.captured(x, product);
  const all = bias ? g.add(product, bias) : product;
  const width = nth(sizes(all), 2);
  const parts = c.ints('qkv_hidden_sizes') ?? [width / 3, width / 3, width / 3];
  const [q, k, v] = take(
    g.split(all, parts, 2).map((part) => split(g, part, heads)),
    3,
  );
  const biases = [
    ...(c.inputs[3] ? [maskBias(g, c.inputs[3], nth(sizes(k), 2))] : []),
    ...(c.inputs[5] ? [c.inputs[5]] : []),
  ];
  const options = { scale: c.float('scale', 0), biases, causal: c.int('unidirectional', 0) !== 0 };
  return [joined(g, attend(g, { q, k, v }, options)), null];
};

const multiHead: Lowering = (c) => {
  const { g } = c;
  const heads = c.int('num_heads', 1);
  requireNoPast(c.inputs[6], c.inputs[7]);
  const [query, key, value, bias] = [c.x(0), c.inputs[1], c.inputs[2], c.inputs[3]];
  if (!key || !value || query.shape.length !== 3)
    throw new Error('packed queries, keys and values have no decomposition');
  const hidden = nth(sizes(query), 2);
  const parts = bias ? g.split(bias, [hidden, hidden, nth(sizes(bias), 0) - 2 * hidden], 0) : [];
  const head = (x: Value, i: number): Value => {
    if (x.shape.length === 4) return x;
    return split(g, parts.length > 0 ? g.add(x, nth(parts, i)) : x, heads);
  };
  const [q, k, v] = [head(query, 0), head(key, 1), head(value, 2)];
  const biases = [
    ...(c.inputs[4] ? [maskBias(g, c.inputs[4], nth(sizes(k), 2))] : []),
    ...(c.inputs[5] ? [c.inputs[5]] : []),
  ];
  const options = { scale: c.float('scale', 0), biases, causal: c.int('unidirectional', 0) !== 0 };
  return [joined(g, attend(g, { q, k, v }, options)), k, v];
};

/** Key lengths are not read: what stands behind a sample is not seen by its tokens. */
const groupQuery: Lowering = (c) => {
  const { g } = c;
  const [heads, kvHeads] = [c.int('num_heads', 1), c.int('kv_num_heads', 1)];
  requireNoPast(c.inputs[3], c.inputs[4]);
  let [query, key, value] = [c.x(0), c.inputs[1] ?? null, c.inputs[2] ?? null];
  if (!key || !value) {
    const size = nth(sizes(query), 2) / (heads + 2 * kvHeads);
    [query, key, value] = g.split(query, [heads * size, kvHeads * size, kvHeads * size], 2);
  }
  let [q, k] = [split(g, query, heads), split(g, key, kvHeads)];
  const v = split(g, value, kvHeads);
  if (c.int('do_rotary', 0) !== 0) {
    const length = nth(sizes(q), 2);
    const [cos, sin] = [firstRows(g, c.x(7), length), firstRows(g, c.x(8), length)];
    const interleaved = c.int('rotary_interleaved', 0) !== 0;
    [q, k] = [rotated(g, q, cos, sin, interleaved), rotated(g, k, cos, sin, interleaved)];
  }
  const biases = c.inputs[10] ? [c.inputs[10]] : [];
  const window = c.int('local_window_size', -1);
  const options = { scale: c.float('scale', 0), biases, causal: true, softcap: c.float('softcap', 0), window };
  return [joined(g, attend(g, { q, k, v }, options)), k, v];
};

/** Attention of opset 23. */
const standard: Lowering = (c) => {
  const { g } = c;
  requireNoPast(c.inputs[4], c.inputs[5]);
  const three = c.x(0).shape.length === 3;
  const [heads, kvHeads] = [c.int('q_num_heads', 1), c.int('kv_num_heads', 1)];
  const own = (i: number, count: number): Value => (three ? split(g, c.x(i), count) : c.x(i));
  const [q, k, v] = [own(0, heads), own(1, kvHeads), own(2, kvHeads)];
  const mask = c.inputs[3] ?? null;
  const biases = mask ? [mask.type === 'bool' ? g.where(mask, 0, NEVER) : mask] : [];
  const options = {
    scale: c.float('scale', 0),
    biases,
    causal: c.int('is_causal', 0) !== 0,
    softcap: c.float('softcap', 0),
  };
  const y = attend(g, { q, k, v }, options);
  return [three ? joined(g, y) : y, k, v];
};

function rotary(
  c: LowerContext,
  positions: Value | null,
  cosine: Value,
  sine: Value,
  heads: number,
  dim: number,
): Value {
  const { g } = c;
  const x = c.x(0);
  const three = x.shape.length === 3;
  const count = heads > 0 ? heads : dim > 0 ? 0 : nth(sizes(x), 2) / (2 * sizes(cosine).at(-1)!);
  if (three && count === 0) throw new Error('num_heads must be given');
  const four = three ? split(g, x, count) : x;
  const [batch, , length] = take(sizes(four), 3);
  const at = (table: Value): Value =>
    positions
      ? atPositions(g, table, positions, batch, length)
      : g.reshape(table, [batch, 1, length, sizes(table).at(-1)!]);
  const half = dim > 0 ? dim / 2 : sizes(cosine).at(-1)!;
  const cut = (table: Value): Value => (sizes(table).at(-1) === half ? table : g.slice(table, [0], [half], [-1]));
  const made = rotated(g, four, cut(at(cosine)), cut(at(sine)), c.int('interleaved', 0) !== 0);
  return three ? joined(g, made) : made;
}

export const attentionForms: Readonly<Record<string, Lowering>> = {
  Attention: standard,
  RotaryEmbedding: (c) => [
    rotary(c, c.inputs[3] ?? null, c.x(1), c.x(2), c.int('num_heads', 0), c.int('rotary_embedding_dim', 0)),
  ],
  'com.microsoft.Attention': contribAttention,
  'com.microsoft.GroupQueryAttention': groupQuery,
  'com.microsoft.MultiHeadAttention': multiHead,
  'com.microsoft.RotaryEmbedding': (c) => {
    const scale = c.float('scale', 1);
    if (scale !== 1) throw new Error(`scale ${scale} has no decomposition`);
    return [rotary(c, c.x(1), c.x(2), c.x(3), c.int('num_heads', 0), c.int('rotary_embedding_dim', 0))];
  },
};
