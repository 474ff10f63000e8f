/**
 * How much memory a run takes, in one place: the model that plans with it and the measurement that it is held against.
 *
 * Peak memory is anonymous memory (heaps, tensors, thread stacks; on Linux VmHWM less mapped program files) at its
 * highest, of the engine and of the process that runs it together. Mapped files and the page cache, which the system
 * takes back at will, are not counted. In float32 numbers, t = padded tokens of a task, segments of k blocks:
 *
 *   weights      all blocks, embedding and head (resident), or the largest of embedding, head and a segment (streamed)
 *   boundaries   (segments + 2) t hidden: inputs of the segments, cotangents before and behind one; three batches when in files
 *   captures     t (inputs and outputs of the scored modules of k blocks), or their projections and those of the checked samples
 *   (sums)       captures of the held batches and of three more; v, Σ w g and u of a segment's matrices among the products
 *   products     one tile of gradients of all samples, or the products of all pairs of tokens; the transposed side of a module
 *   work         what one run of a block or of the head holds beside its inputs and outputs
 */
import fs from 'node:fs';
import type { CollectPlan } from '../../../../protocol/engine.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import { tensorsRead } from '../../models/tensorsRead.ts';
import { headRows } from '../../models/head.ts';
import type { Architecture } from '../../models/types.ts';
import { nth } from '../../lists/nth.ts';

export interface MemoryNeeds {
  plan: Omit<CollectPlan, 'checkpointSeconds'>;
  segments: number;
  /** Names of the scored modules. */
  modules: readonly string[];
  train: number;
  validation: number;
  /** Rows and padded length of every batch, and of those that are checked. */
  batches: { rows: number; length: number }[];
  checked: { rows: number; length: number }[];
  ekfac: boolean;
  /** With `plan.sums`: tokens whose captures are held at once, and samples that Grams are made of. */
  sums?: { tokens: number; samples: number } | undefined;
}

const MIB = 1 << 20;
/** Both processes with ONNX Runtime loaded and a tokenizer read. */
export const PROGRAMS = 220 * MIB;
/**
 * Float32 numbers that the largest tile holds to stay in the cache (engine/grams/gradientTiles.ts), and its least
 * width.
 */
const CACHED_TILE = 4 * MIB;
const TILE_WIDTH = 32;
/** Batches whose captures wait for the collector in the linear mode, beside those that are held. */
const SUMS_BATCHES = 3;

/** Bytes by part. */
export function memoryParts(
  checkpoint: Checkpoint,
  model: Architecture,
  { plan, segments, modules, train, validation, batches, checked, ekfac, sums }: MemoryNeeds,
): Record<string, number> {
  const rank = plan.projection?.rank ?? Infinity;
  const blocks = blockSizes(model);
  const tokensOf = (list: { rows: number; length: number }[]) => list.reduce((sum, b) => sum + b.rows * b.length, 0);
  const tokens = tokensOf(batches) * (ekfac ? 1.5 : 1); // drawn labels double the cotangents, not the activations
  const largest = batches.reduce((a, b) => (a.rows * a.length >= b.rows * b.length ? a : b));
  const batchTokens = largest.rows * largest.length;
  const samples = sums?.samples ?? train + validation;
  const captured = sums ? sums.tokens + SUMS_BATCHES * batchTokens : tokens;

  const scored = blocks.map(({ captures }) => captures.filter((c) => modules.includes(c.module)));
  const perToken = (limit: number) => Math.max(...scored.map((captures) => widthOf(captures, limit)));
  const narrow = Math.max(...scored.flat().map((c) => Math.min(c.columns, c.rows, rank)));
  const widest = Math.max(...scored.flat().map((c) => Math.min(Math.max(c.columns, c.rows), rank)));
  const exact = plan.projection ? perToken(Infinity) * tokensOf(checked) : 0;
  const matrices = plan.projection
    ? Math.max(...scored.map((list) => list.reduce((sum, c) => sum + (c.rows + c.columns) * Math.min(rank, c.rows), 0)))
    : 0;

  const sizes = scored.map((list) => list.map((c) => c.rows * c.columns));
  // v, the weighted sum and its next state, and u, of all matrices of a segment.
  const held = sums ? 12 * Math.max(...sizes.map((list) => list.reduce((a, b) => a + b, 0))) * plan.segmentLength : 0;
  const bytes = weightBytes(checkpoint, model);
  const tile = Math.min(plan.gradientTile, Math.max(CACHED_TILE, samples * narrow * TILE_WIDTH));
  return {
    programs: PROGRAMS,
    weights: plan.weights === 'resident' ? bytes.total : streamedBytes(bytes, plan.segmentLength),
    boundaries: 4 * model.hidden * (plan.boundaries === 'files' ? 3 * batchTokens : (segments + 2) * tokens),
    captures: 4 * (perToken(rank) * plan.segmentLength * captured + exact + matrices),
    products:
      held +
      4 * (tile + narrow * (sums ? sums.tokens : tokens)) +
      24 * samples ** 2 +
      (ekfac ? 32 * widest ** 2 + 4 * widest * tokens : 0),
    work: Math.max(
      blockWork(model, batchTokens, largest.length),
      16 * Math.min(plan.headRows, batchTokens) * headRows(model),
    ),
  };
}

/**
 * What one run of a block holds: inputs and outputs of its modules and of the block, attention weights; forward and
 * backward.
 */
export function blockWork(model: Architecture, tokens: number, longest: number): number {
  const width = Math.max(...blockSizes(model).map(({ captures }) => widthOf(captures, Infinity)));
  return 4 * tokens * (2.5 * width + 8 * model.hidden) + 20 * model.heads * tokens * longest;
}

interface BlockCapture {
  module: string;
  /** Name of the value that it reads: q, k and v read the same one. */
  input: string;
  rows: number;
  columns: number;
}

/** What the blocks of each kind hand over. */
export function blockSizes(model: Architecture): { layer: number; captures: BlockCapture[] }[] {
  const kinds = new Map<string, number>();
  for (let layer = model.layers - 1; layer >= 0; layer--) kinds.set(model.kind(layer), layer);
  return [...kinds.values()].map((layer) => {
    const b = new SegmentBuilder('capture sizes');
    const x = b.graph.input('x', 'float32', ['B', 'T', model.hidden]);
    b.inBlock(0, model.layerName(layer), () => model.block(b, x, layer));
    const width = (shape: readonly (number | string)[]) => Number(shape[shape.length - 1]);
    const captures = b.captures.map(({ module, input, output }) => {
      return { module, input: input.name, rows: width(output.shape), columns: width(input.shape) };
    });
    return { layer, captures };
  });
}

/** Numbers per token: distinct inputs once, outputs each, every one at most `limit`. */
export function widthOf(captures: readonly BlockCapture[], limit: number): number {
  const inputs = new Map(captures.map((c) => [c.input, Math.min(limit, c.columns)]));
  return (
    [...inputs.values()].reduce((a, b) => a + b, 0) + captures.reduce((sum, c) => sum + Math.min(limit, c.rows), 0)
  );
}

export interface WeightBytes {
  embedding: number;
  layer: number;
  head: number;
  total: number;
}

/** What streamed weights hold at a time: the largest of embedding, head and so many layers. */
export function streamedBytes({ embedding, head, layer }: WeightBytes, layers = 1): number {
  return Math.max(embedding, head, layer * layers);
}

/** Float32 bytes of the embedding, of the largest layer, of the head, and of everything the sweeps read. */
export function weightBytes(checkpoint: Checkpoint, model: Architecture): WeightBytes {
  let outside = 0;
  const perLayer = new Array<number>(model.layers).fill(0);
  const prefixes = perLayer.map((_, layer) => `${model.layerName(layer)}.`);
  const read = model.readsAll ? null : tensorsRead(model);
  for (const { name, shape } of checkpoint.tensors.values()) {
    if (read && !read.has(name)) continue;
    const size = 4 * shape.reduce((a, b) => a * b, 1);
    const layer = prefixes.findIndex((prefix) => name.startsWith(prefix));
    if (layer >= 0) perLayer[layer] = nth(perLayer, layer) + size;
    else outside += size;
  }
  const table = 4 * model.vocabulary * model.hidden;
  return {
    embedding: table,
    head: table,
    layer: Math.max(...perLayer),
    total: outside + perLayer.reduce((a, b) => a + b, 0),
  };
}

/** Forgets the peak that a process has reached so far; does nothing where the system has no such thing. */
export function resetPeakMemory(pid: number | 'self'): void {
  try {
    fs.writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Not Linux, or not allowed: the peak is then that of the process's whole life.
  }
}

/** Highest anonymous memory of a process in bytes; null where the system does not tell. */
export function peakMemory(pid: number | 'self'): number | null {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? NaN);
    const bytes = 1024 * (kib('VmHWM') - kib('RssFile') - kib('RssShmem'));
    return Number.isFinite(bytes) ? bytes : null;
  } catch {
    return null;
  }
}
