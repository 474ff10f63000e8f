/**
 * The words that families are written in. A segment is a part of the model that becomes one graph: the embedding, a run
 * of blocks or the head. Weights and tables are graph inputs, so that blocks of one kind share a session; `weights`
 * says which tensor each input wants, `captures` where each linear module's input and output are, from which per-sample
 * gradients follow.
 */
import { Graph } from '../onnx/graph.ts';
import type { Dim, Value } from '../onnx/graph.ts';
import type { Lora } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** The table of int64 positions [B, T] that graphs with a cache and learned positions ask for. */
export const POSITIONS = 'positions';
/** Keys that a query may see: those of the cache and those of the run. */
const KEYS = 'K';

/** Input of a linear module and its output, whose cotangent gives the weight's gradient. */
export interface Capture {
  block: number;
  module: string;
  input: Value;
  output: Value;
}

/** A weight the graph is fed with; `block` is null for tensors outside the layers. */
export interface WeightInput {
  input: string;
  block: number | null;
  /** Below the layer, or the whole name where `block` is null. */
  tensor: string;
}

/** A router over LoRA experts (loraExperts.ts): what the balance of its assignments is told from. */
export interface Routing {
  block: number;
  module: string;
  /** Experts per token. */
  chosen: number;
  /** Softmax over all experts: [B, T, experts] */
  probabilities: Value;
  /** 1 where an expert is chosen, 0 elsewhere: [B, T, experts] */
  assigned: Value;
}

/**
 * What is added to the output of a linear module with `rows` outputs: x [B, T, columns] -> [B, T, rows], or null for
 * nothing.
 */
export type LinearTerm = (module: string, x: Value, rows: number) => Value | null;

/**
 * Keys and values of one attention: of earlier tokens [B, kvHeads, slots, size] as inputs, of the run's own [B,
 * kvHeads, T, size].
 */
export interface CachedAttention {
  block: number;
  kvHeads: number;
  size: number;
  past: { keys: string; values: string };
  own: { keys: string; values: string };
}

export class SegmentBuilder {
  readonly graph: Graph;
  readonly weights: WeightInput[] = [];
  readonly captures: Capture[] = [];
  readonly routings: Routing[] = [];
  /** Names of the tables that the graph is fed with. */
  readonly tables = new Set<string>();
  #block: number | null = null;
  #lora: ReadonlyMap<string, Lora> = new Map();
  #term: LinearTerm = () => null;
  #silent: (module: string) => boolean = () => false;
  readonly #inputs = new Map<string, Value>();

  /** Of a graph whose tokens follow what a cache holds: the cache's inputs and outputs, one per attention. */
  readonly caches: CachedAttention[] = [];
  readonly #cached: boolean;

  /** @param options.cached tokens follow keys and values that the graph is fed with (models/positions.ts) */
  constructor(name: string, options: { cached?: boolean } = {}) {
    this.graph = new Graph(name);
    this.#cached = options.cached ?? false;
  }

  /** Everything that `body` builds belongs to the segment's block number `block` (from 0). */
  inBlock<T>(block: number, name: string, body: () => T): T {
    this.#block = block;
    try {
      return this.graph.scope(name, body);
    } finally {
      this.#block = null;
    }
  }

  /** Linear modules that `body` builds have these low-rank terms, by their names below the layer. */
  withLora<T>(lora: ReadonlyMap<string, Lora>, body: () => T): T {
    const outer = this.#lora;
    this.#lora = lora;
    try {
      return body();
    } finally {
      this.#lora = outer;
    }
  }

  /** Linear modules that `body` builds have a further term. */
  withTerm<T>(term: LinearTerm, body: () => T): T {
    const outer = this.#term;
    this.#term = term;
    try {
      return body();
    } finally {
      this.#term = outer;
    }
  }

  /** Linear modules that `body` builds and `silent` names give zeros, whatever their input. */
  withSilent<T>(silent: (module: string) => boolean, body: () => T): T {
    const outer = this.#silent;
    this.#silent = silent;
    try {
      return body();
    } finally {
      this.#silent = outer;
    }
  }

  /** Remembers a router of the block under way. */
  route(routing: Omit<Routing, 'block'>): void {
    if (this.#block !== null) this.routings.push({ block: this.#block, ...routing });
  }

  /** A weight: `tensor` is its name below the layer, or its whole name outside a block. */
  weight(tensor: string, shape: number[]): Value {
    const input = this.#block === null ? tensor : `block${this.#block}.${tensor}`;
    return this.#once(input, () => {
      this.weights.push({ input, block: this.#block, tensor });
      return this.graph.input(input, 'float32', shape);
    });
  }

  table(name: string, shape: Dim[]): Value {
    return this.#once(`table.${name}`, () => {
      this.tables.add(name);
      return this.graph.input(`table.${name}`, 'float32', shape);
    });
  }

  /**
   * y = x Wᵀ (+ s (x Aᵀ) Bᵀ) (+ b), W [rows, columns], or stored transposed; inputs and outputs of W, A and B are
   * captured.
   */
  linear(module: string, x: Value, rows: number, options: { bias?: boolean; transposed?: boolean } = {}): Value {
    const g = this.graph;
    return g.scope(module, () => {
      const columns = x.shape[x.shape.length - 1] as number;
      const matrix = options.transposed
        ? this.weight(`${module}.weight`, [columns, rows])
        : g.transpose(this.weight(`${module}.weight`, [rows, columns]), [1, 0]);
      const product = g.matMul(x, matrix);
      if (this.#silent(module)) return g.zerosLike(product);
      this.#capture(module, x, product);
      const lora = this.#lora.get(module);
      const adapted = lora ? g.add(product, this.#lowRank(module, x, rows, lora)) : product;
      const term = this.#term(module, x, rows);
      const output = term ? g.add(adapted, term) : adapted;
      return options.bias ? g.add(output, this.weight(`${module}.bias`, [rows])) : output;
    });
  }

  /** s (x Aᵀ) Bᵀ (+ s b); the scale is put on the narrow side, where it costs r numbers a token. */
  #lowRank(module: string, x: Value, rows: number, { rank, scale, bias = false }: Lora): Value {
    const g = this.graph;
    const columns = x.shape[x.shape.length - 1] as number;
    const [nameA, nameB] = [`${module}.lora_A`, `${module}.lora_B`];
    const inner = g.matMul(x, g.transpose(this.weight(`${nameA}.weight`, [rank, columns]), [1, 0]));
    this.#capture(nameA, x, inner);
    const scaled = g.mul(inner, g.scalar(scale));
    const outer = g.matMul(scaled, g.transpose(this.weight(`${nameB}.weight`, [rows, rank]), [1, 0]));
    this.#capture(nameB, scaled, outer);
    return bias ? g.add(outer, g.mul(this.weight(`${nameB}.bias`, [rows]), g.scalar(scale))) : outer;
  }

  #capture(module: string, input: Value, output: Value): void {
    if (this.#block !== null) this.captures.push({ block: this.#block, module, input, output });
  }

  /** (x - mean) / sqrt(variance + eps) * w (+ b) over the last axis (Ba et al. 2016). */
  layerNorm(tensor: string, x: Value, epsilon: number, options: { bias?: boolean } = { bias: true }): Value {
    const g = this.graph;
    return g.scope(tensor, () => {
      const width = x.shape[x.shape.length - 1] as number;
      const centred = g.sub(x, g.reduceMean(x, [-1], true));
      const variance = g.reduceMean(g.mul(centred, centred), [-1], true);
      const normed = g.mul(centred, g.reciprocal(g.sqrt(g.add(variance, g.scalar(epsilon)))));
      const scaled = g.mul(normed, this.weight(`${tensor}.weight`, [width]));
      return options.bias ? g.add(scaled, this.weight(`${tensor}.bias`, [width])) : scaled;
    });
  }

  /** x / sqrt(mean(x²) + eps) * (offset + w) over the last axis (Zhang & Sennrich 2019). */
  rmsNorm(tensor: string, x: Value, epsilon: number, options: { offset?: number } = {}): Value {
    const g = this.graph;
    return g.scope(tensor, () => {
      const meanSquare = g.reduceMean(g.mul(x, x), [-1], true);
      const scale = g.reciprocal(g.sqrt(g.add(meanSquare, g.scalar(epsilon))));
      const weight = this.weight(`${tensor}.weight`, [x.shape[x.shape.length - 1] as number]);
      return g.mul(g.mul(x, scale), options.offset ? g.add(weight, options.offset) : weight);
    });
  }

  /** [B, T, heads * size] -> [B, heads, T, size] */
  heads(x: Value, count: number, size: number): Value {
    const [batch, length] = take(x.shape, 2);
    return this.graph.transpose(this.graph.reshape(x, [batch, length, count, size]), [0, 2, 1, 3]);
  }

  /** Rotates pairs (k, k + size/2) of [..., T, size] by the tables `<table>.cos`, `<table>.sin`. */
  rotate(x: Value, table = 'rotary'): Value {
    const g = this.graph;
    const size = x.shape[x.shape.length - 1] as number;
    const length = nth(x.shape, x.shape.length - 2);
    const shape = this.#cached ? [nth(x.shape, 0), 1, length, size] : [length, size];
    const cos = this.table(`${table}.cos`, shape);
    const sin = this.table(`${table}.sin`, shape);
    const [first, second] = g.split(x, [size / 2, size / 2], x.shape.length - 1);
    return g.add(g.mul(x, cos), g.mul(g.concat([g.neg(second), first], x.shape.length - 1), sin));
  }

  /**
   * Softmax(softCap(q kᵀ * scale) + bias + mask) v with grouped key/value heads; the group is an axis of its own, so
   * keys are not repeated. q [B, heads, T, size], k and v [B, kvHeads, T, size] -> [B, T, heads * size]; `bias` [B,
   * kvHeads, group, T, T].
   */
  attention(
    q: Value,
    k: Value,
    v: Value,
    options: { scale: number; mask: string; bias?: Value; softCap?: number | null },
  ): Value {
    const g = this.graph;
    const [batch, heads, length, size] = q.shape as [Dim, number, Dim, number];
    const kvHeads = k.shape[1] as number;
    const grouped = g.reshape(q, [batch, kvHeads, heads / kvHeads, length, size]);
    const [allKeys, allValues] = this.#cached ? this.#behindCache(k, v) : [k, v];
    const keys = g.transpose(g.unsqueeze(allKeys, [2]), [0, 1, 2, 4, 3]);
    const scaled = this.softCap(g.mul(g.matMul(grouped, keys), g.scalar(options.scale)), options.softCap ?? null);
    const scores = options.bias ? g.add(scaled, options.bias) : scaled;
    const mask = this.#cached ? [batch, 1, 1, length, nth(allKeys.shape, 2)] : [length, length];
    const weights = g.softmax(g.add(scores, this.table(options.mask, mask)), -1);
    const mixed = g.matMul(weights, g.unsqueeze(allValues, [2])); // [B, kvHeads, group, T, size]
    return g.reshape(g.transpose(mixed, [0, 3, 1, 2, 4]), [batch, length, heads * size]);
  }

  /** Keys and values of the cache with those of the run behind them, which are outputs too. */
  #behindCache(k: Value, v: Value): [Value, Value] {
    const g = this.graph;
    const [batch, kvHeads, , size] = k.shape as [Dim, number, Dim, number];
    const name = `block${this.#block ?? 0}`;
    const joined = (what: 'keys' | 'values', own: Value): Value => {
      const past = g.input(`${name}.past.${what}`, 'float32', [batch, kvHeads, 'S', size]);
      g.output(own, `${name}.${what}`);
      return g.withShape(g.concat([past, own], 2), [batch, kvHeads, KEYS, size]);
    };
    const all: [Value, Value] = [joined('keys', k), joined('values', v)];
    const names = (before: string) => ({ keys: `${name}${before}.keys`, values: `${name}${before}.values` });
    this.caches.push({ block: this.#block ?? 0, kvHeads, size, past: names('.past'), own: names('') });
    return all;
  }

  /**
   * A table with numbers for every key of a query: [...lead, keys], behind an axis for the texts where these have
   * places of their own.
   */
  keyTable(name: string, lead: Dim[], length: Dim): Value {
    return this.table(name, this.#cached ? ['B', ...lead, KEYS] : [...lead, length]);
  }

  /**
   * A fused projection whose rows go by key-value head, each with its group of queries, then a key, then a value:
   * [B, T, kvHeads * (group + 2) * size] -> q [B, heads, T, size], k and v [B, kvHeads, T, size]
   */
  splitGroups(fused: Value, heads: number, kvHeads: number, size: number): { q: Value; k: Value; v: Value } {
    const g = this.graph;
    const [batch, length] = take(fused.shape, 2);
    const group = heads / kvHeads;
    const [q, k, v] = g.split(g.reshape(fused, [batch, length, kvHeads, group + 2, size]), [group, 1, 1], 3);
    return { q: this.heads(q, heads, size), k: this.heads(k, kvHeads, size), v: this.heads(v, kvHeads, size) };
  }

  /**
   * Rows `offset`, `offset` + 1, ... of the learned positions [rows, width], one for each of the tokens [B, T]: [T,
   * width], [B, T, width] with a cache
   */
  positions(tensor: string, rows: number, width: number, tokens: Value, offset = 0): Value {
    const g = this.graph;
    if (this.#cached) {
      this.tables.add(POSITIONS);
      const at = g.input(`table.${POSITIONS}`, 'int64', tokens.shape);
      return g.gather(this.weight(tensor, [rows, width]), g.add(at, offset), 0);
    }
    const stop = g.add(g.shapeOf(tokens, 1, 2), g.ints([offset]));
    return g.withShape(g.slice(this.weight(tensor, [rows, width]), [offset], stop, [0]), [nth(tokens.shape, 1), width]);
  }

  /** cap * tanh(x / cap), or x itself without a cap. */
  softCap(x: Value, cap: number | null): Value {
    const g = this.graph;
    return cap === null ? x : g.mul(g.tanh(g.div(x, cap)), cap);
  }

  /** Rotates the first `dim` components of [..., T, size], as wide as the tables, and leaves the others. */
  rotatePart(x: Value, dim: number, table = 'rotary'): Value {
    const last = x.shape.length - 1;
    const size = x.shape[last] as number;
    if (dim === size) return this.rotate(x, table);
    const [turned, kept] = this.graph.split(x, [dim, size - dim], last);
    return this.graph.concat([this.rotate(turned, table), kept], last);
  }

  #once(name: string, make: () => Value): Value {
    const known = this.#inputs.get(name);
    if (known) return known;
    const made = make();
    this.#inputs.set(name, made);
    return made;
  }
}
