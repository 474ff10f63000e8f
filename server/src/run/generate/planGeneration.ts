/**
 * How many texts share a run, and whether weights stay in memory. In float32 numbers, b = texts of a batch, s = slots
 * of the cache:
 *
 *   weights  all of them (resident), or the largest of embedding, head and a layer (streamed, which reads them for every token)
 *   cache    2 b s kvHeads size over all layers, and one more layer while it grows; the run's own keys and values
 *   work     what a run of a piece of the prompts holds, and its masks
 *   head     logits of every text, and what is computed with them
 */
import type { GenerateRequest } from '../../../../protocol/generation.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import { firstThatFits, totalOf } from '../machine/fitting.ts';
import { blockWork, PROGRAMS, streamedBytes, weightBytes } from '../machine/memory.ts';
import type { ObservedModel } from '../machine/observing.ts';
import { nth } from '../../lists/nth.ts';

/** Most tokens of prompts in one run. */
const TOKENS_PER_RUN = 2048;
const LEAST_CHUNK = 16;
/** By which the cache grows (engine/generate/keyValueCache.ts). */
const PIECE = 64;

/** From the fastest to the smallest. */
const ways = [
  ...[16, 8, 4, 2, 1].map((texts) => ({ weights: 'resident' as const, texts })),
  ...[64, 16, 8, 4, 2, 1].map((texts) => ({ weights: 'streamed' as const, texts })),
];

export interface PlannedGeneration extends Pick<GenerateRequest, 'batches' | 'weights' | 'chunk'> {
  memoryBytes: number;
}

/**
 * The first of `ways` that fits, else the last one.
 * @param lengths tokens of every prompt, with those that may follow
 */
export function planGeneration(
  target: Pick<ObservedModel, 'checkpoint' | 'model'>,
  lengths: readonly { prompt: number; most: number }[],
  limit: number,
): PlannedGeneration {
  const perSlot = 4 * cacheWidth(target.model);
  return firstThatFits(
    ways,
    (way) => planned(way, target, lengths, perSlot),
    ({ memoryBytes }) => memoryBytes <= limit,
  );
}

function planned(
  { weights, texts }: (typeof ways)[number],
  { checkpoint, model }: Pick<ObservedModel, 'checkpoint' | 'model'>,
  lengths: readonly { prompt: number; most: number }[],
  perSlot: number,
): PlannedGeneration {
  // Longest first, so that those that wait for each other are alike.
  const order = lengths.map((_, i) => i).sort((a, b) => nth(lengths, b).most - nth(lengths, a).most || a - b);
  const batches: number[][] = [];
  for (let at = 0; at < order.length; at += texts) batches.push(order.slice(at, at + texts));
  const rows = Math.min(texts, lengths.length);
  const slots = PIECE * Math.ceil(Math.max(...lengths.map(({ most }) => most)) / PIECE);
  const chunk = Math.max(LEAST_CHUNK, Math.floor(TOKENS_PER_RUN / rows));
  const width = Math.min(chunk, Math.max(...lengths.map(({ prompt }) => prompt)));
  const bytes = weightBytes(checkpoint, model);
  return {
    batches,
    weights,
    chunk,
    memoryBytes: totalOf({
      programs: PROGRAMS,
      weights: weights === 'resident' ? bytes.total : streamedBytes(bytes),
      cache: rows * perSlot * (slots * (1 + 2 / model.layers) + width),
      work: blockWork(model, rows * width, slots + width) + 8 * rows * width * (slots + width),
      head: 16 * rows * model.vocabulary,
    }),
  };
}

/** Numbers that the caches of all layers hold for one token. */
function cacheWidth(model: Architecture): number {
  const widths = new Map<string, number>();
  let sum = 0;
  for (let layer = 0; layer < model.layers; layer++) {
    const kind = model.kind(layer);
    let width = widths.get(kind);
    if (width === undefined) {
      const b = new SegmentBuilder('cache sizes', { cached: true });
      const x = b.graph.input('x', 'float32', ['B', 'T', model.hidden]);
      b.inBlock(0, model.layerName(layer), () => model.block(b, x, layer));
      width = b.caches.reduce((all, { kvHeads, size }) => all + 2 * kvHeads * size, 0);
      widths.set(kind, width);
    }
    sum += width;
  }
  return sum;
}
