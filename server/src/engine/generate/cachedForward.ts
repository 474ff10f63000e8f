/** Runs of a few tokens a row behind what a cache holds: embedding, blocks, logits of each row's last token. */
import { SegmentBuilder, POSITIONS } from '../../models/segment.ts';
import type { CachedAttention } from '../../models/segment.ts';
import { cachedTables } from '../../models/positions.ts';
import type { CachedRow } from '../../models/positions.ts';
import type { Architecture } from '../../models/types.ts';
import { blocks, built } from '../sweep/graphs.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model, Prepared } from '../sweep/model.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';
import type { CacheShape, KeyValueCache } from './keyValueCache.ts';

interface CachedGraph extends BuiltGraph {
  caches: CachedAttention[];
}

export class CachedForward {
  readonly #model: Model;
  readonly #segments: { layers: number[]; prepared: Prepared<CachedGraph>; feeds: Feeds | null }[];
  readonly #embed: Prepared<BuiltGraph>;
  readonly #logits: Prepared<BuiltGraph>;
  readonly #architecture: Architecture;

  private constructor(
    model: Model,
    segments: { layers: number[]; prepared: Prepared<CachedGraph> }[],
    embed: Prepared<BuiltGraph>,
    logits: Prepared<BuiltGraph>,
  ) {
    this.#model = model;
    this.#architecture = model.architecture;
    this.#segments = segments.map((segment) => ({ ...segment, feeds: null }));
    this.#embed = embed;
    this.#logits = logits;
  }

  /** All blocks in one graph where weights stay in memory, else one at a time. */
  static async of(model: Model): Promise<CachedForward> {
    const { architecture, weights } = model;
    const all = Array.from({ length: architecture.layers }, (_, layer) => layer);
    const parts = weights.mode === 'resident' ? [all] : all.map((layer) => [layer]);
    const segments = [];
    for (const layers of parts) {
      const key = `cached ${layers.map((layer) => architecture.kind(layer)).join(' ')}`;
      segments.push({ layers, prepared: await model.session(key, () => cachedGraph(architecture, layers)) });
    }
    const embed = await model.session('cached embed', () => cachedEmbedGraph(architecture));
    const logits = await model.session('logits', () => logitsGraph(architecture));
    return new CachedForward(model, segments, embed, logits);
  }

  /** Of every layer. */
  get shapes(): CacheShape[] {
    return this.#segments.flatMap(({ prepared }) => prepared.built.caches);
  }

  /**
   * @param added new tokens of every row; none for rows that wait
   * @param lengths per row: length of the text that rotations are those of
   * @param wanted rows whose logits are asked for, each with new tokens
   * @returns logits of the last new token of each wanted row; the cache holds the new tokens
   */
  async run(
    cache: KeyValueCache,
    added: readonly (readonly number[])[],
    lengths: readonly number[],
    wanted: readonly number[],
  ): Promise<Float32Array[]> {
    const counts = added.map((tokens) => tokens.length);
    const width = Math.max(...counts);
    cache.reserve(Math.max(...cache.lengths.map((length, r) => length + counts[r])));
    const ids = new BigInt64Array(added.length * width);
    added.forEach((tokens, r) => tokens.forEach((token, t) => (ids[r * width + t] = BigInt(token))));
    const rows = cache.lengths.map((cached, r): CachedRow => ({ cached, count: counts[r], length: lengths[r] }));
    const tables = this.#tables(rows, cache.slots, width);

    const weights = this.#model.weights;
    const tokens = integers(ids, [added.length, width]);
    const { built: embed, session } = this.#embed;
    let x = (await session.run({ tokens, ...weights.feeds(embed.weights, []), ...chosen(tables, embed.tables) })).x;
    for (const segment of this.#segments) {
      const { layers, prepared } = segment;
      const { built: graph, session: run } = prepared;
      const feeds: Feeds = { x, ...this.#feeds(segment), ...chosen(tables, graph.tables) };
      for (const { block, past } of graph.caches) {
        const { keys, values } = cache.layer(layers[block]);
        feeds[past.keys] = keys;
        feeds[past.values] = values;
      }
      const out = await run.run(feeds);
      for (const { block, own } of graph.caches) {
        cache.append(layers[block], { keys: out[own.keys], values: out[own.values] }, counts);
      }
      x = out.y;
    }
    cache.advance(counts);
    return wanted.length === 0 ? [] : this.#last(x, counts, wanted);
  }

  #feeds(segment: { layers: number[]; prepared: Prepared<CachedGraph>; feeds: Feeds | null }): Feeds {
    const { weights } = this.#model;
    if (weights.mode === 'streamed') return weights.feeds(segment.prepared.built.weights, segment.layers);
    return (segment.feeds ??= weights.feeds(segment.prepared.built.weights, segment.layers));
  }

  #tables(rows: CachedRow[], slots: number, width: number): Feeds {
    const made = Object.entries(cachedTables(this.#architecture.positions!, rows, slots, width));
    const places = BigInt64Array.from({ length: rows.length * width }, (_, i) => {
      const { cached, count } = rows[Math.floor(i / width)];
      return BigInt(cached + Math.min(i % width, Math.max(0, count - 1)));
    });
    return {
      ...Object.fromEntries(made.map(([name, { data, shape }]) => [`table.${name}`, floats(data, shape)])),
      [`table.${POSITIONS}`]: integers(places, [rows.length, width]),
    };
  }

  async #last(x: Tensor, counts: readonly number[], wanted: readonly number[]): Promise<Float32Array[]> {
    const [, width, hidden] = x.dims;
    const states = new Float32Array(wanted.length * hidden);
    wanted.forEach((r, i) => {
      const at = (r * width + counts[r] - 1) * hidden;
      states.set(numbers(x).subarray(at, at + hidden), i * hidden);
    });
    const { built: graph, session } = this.#logits;
    const feeds = this.#model.weights.feeds(graph.weights, []);
    const logits = numbers((await session.run({ x: floats(states, [wanted.length, hidden]), ...feeds })).logits);
    const size = logits.length / wanted.length;
    return wanted.map((_, i) => logits.subarray(i * size, (i + 1) * size));
  }
}

function chosen(tables: Feeds, names: readonly string[]): Feeds {
  return Object.fromEntries(names.map((name) => [`table.${name}`, tables[`table.${name}`]]));
}

/** tokens [B, T] -> x [B, T, hidden] */
function cachedEmbedGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('cached embed', { cached: true });
  b.graph.output(architecture.embed(b, b.graph.input('tokens', 'int64', ['B', 'T'])), 'x');
  return built(b);
}

/** x [B, T, hidden] and the caches of the blocks `layers` -> y [B, T, hidden], keys and values of the new tokens */
function cachedGraph(architecture: Architecture, layers: number[]): CachedGraph {
  const b = new SegmentBuilder(`cached ${layers.join(' ')}`, { cached: true });
  b.graph.output(blocks(b, architecture, layers).y, 'y');
  return { ...built(b), caches: b.caches };
}

/** x [P, hidden] -> logits [P, vocabulary] */
function logitsGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('logits');
  b.graph.output(architecture.head(b, b.graph.input('x', 'float32', ['P', architecture.hidden])), 'logits');
  return built(b);
}
