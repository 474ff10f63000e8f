/**
 * How a pass of observations goes through the model, and what it takes: whether weights stay in memory, which texts
 * share a run, whether activations between layers fit. In float32 numbers, t = padded tokens of a group of texts:
 *
 *   weights      all of them (resident), or the largest of embedding, head and a layer (streamed)
 *   boundaries   2 t hidden: input and output of a layer, and a state for each model with layers left out; two batches of it when in files
 *   observations what each row of `scores/observations.ts` costs: its numbers, here and in the engine
 *   reducing     what the largest reducer holds beside them
 *   work         what one run of a layer or of the head holds beside its inputs and outputs
 */
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Json, ObserveRequest, ObserveSummary } from '../../../../protocol/scores.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { GraphOptions, OpenedGraph } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { variantsOf } from '../../scores/ablatedVariants.ts';
import { observationOf } from '../../scores/observations.ts';
import type { ObservationId, ObservedShape } from '../../scores/observations.ts';
import { batchesOf, headRowsOf } from './batching.ts';
import type { EnginePool } from './enginePool.ts';
import { firstThatFits, observationCosts, requireFit, totalOf } from './fitting.ts';
import type { WeightMode } from './fitting.ts';
import { blockWork, PROGRAMS, streamedBytes, weightBytes } from './memory.ts';
import { nth } from '../../lists/nth.ts';

const TOKENS_PER_BATCH = 1024;
/** Tokens whose activations are in memory at a time: streamed weights are read once for so many. */
const TOKENS_PER_GROUP = { resident: 1 << 14, streamed: 1 << 17 };
/** The same where every layer is left out in turn. */
const TOKENS_PER_ABLATION = { resident: 1 << 11, streamed: 1 << 14 };
const CHECKPOINT_SECONDS = 10;

export interface ObservedModel {
  checkpoint: Checkpoint;
  model: Architecture;
  /** Folder of an adapter that is applied, or null. */
  adapter: string | null;
  /** A user's graph with what the experiment says of it. */
  graph?: { graph: OpenedGraph; options: GraphOptions } | undefined;
}

export interface AskedObservation {
  /** How the answer calls it. */
  name: string;
  of: ObservationId;
  options: Record<string, Json>;
}

export interface ObservedPass {
  request: Omit<ObserveRequest, 'workDir' | 'key' | 'checkpointSeconds' | 'keepChanges'>;
  memoryBytes: number;
}

/** @param tokens of all texts together */
export function observedShape(model: Architecture, texts: number, tokens = 0): ObservedShape {
  const { layers, hidden } = model;
  return { layers, hidden, texts, tokens, modules: (layer) => model.modules(layer).filter(({ factor }) => !factor) };
}

/** From the fastest to the smallest. */
const ways = (['resident', 'streamed'] as const).flatMap((weights) =>
  (['memory', 'files'] as const).map((boundaries) => ({ weights, boundaries })),
);

interface PassOptions {
  tokensPerBatch?: number | undefined;
  /** Whether activations may go to files. */
  files?: boolean;
}

/** The first of `ways` that fits, else the last one. */
export function planPass(
  target: ObservedModel,
  texts: EncodedSample[],
  observations: readonly AskedObservation[],
  limit: number,
  { tokensPerBatch = TOKENS_PER_BATCH, files = false }: PassOptions = {},
): ObservedPass {
  return firstThatFits(
    ways.filter(({ boundaries }) => files || boundaries === 'memory'),
    (way) => passBy(way, target, texts, observations, tokensPerBatch),
    ({ memoryBytes }) => memoryBytes <= limit,
  );
}

function passBy(
  { weights, boundaries }: { weights: WeightMode; boundaries: ObserveRequest['boundaries'] },
  { checkpoint, model, adapter }: ObservedModel,
  texts: EncodedSample[],
  observations: readonly AskedObservation[],
  tokensPerBatch: number,
): ObservedPass {
  const lengths = texts.map(({ tokens }) => tokens.length);
  const specs = observations.map(({ of }) => observationOf(of));
  const apart = specs.every(({ textsApart, reads }) => textsApart || reads === 'ablated');
  const batches = specs.some(({ reads }) => reads !== 'weights') ? batchesOf(model, lengths, tokensPerBatch) : [];
  const padded = (batch: number[]) => batch.length * Math.max(...batch.map((i) => nth(lengths, i)));
  const grouped = (most: number, all: number[][]): number[][][] => {
    const groups: number[][][] = [];
    let tokens = Infinity;
    for (const batch of all) {
      const size = padded(batch);
      if (groups.length === 0 || tokens + size > most) {
        groups.push([]);
        tokens = 0;
      }
      tokens += size;
      groups.at(-1)!.push(batch);
    }
    return groups;
  };
  const together = specs.some(({ reads }) => reads !== 'weights' && reads !== 'ablated');
  const groups = together ? grouped(apart ? TOKENS_PER_GROUP[weights] : Infinity, batches) : [];
  const ablations = observations.filter(({ of }) => observationOf(of).reads === 'ablated');
  const read = Math.max(0, ...ablations.map(({ options }) => Number(options.samples) || texts.length));
  const first = lengths.slice(0, read);
  const ablated =
    ablations.length > 0 ? grouped(TOKENS_PER_ABLATION[weights], batchesOf(model, first, tokensPerBatch)) : [];
  const shape = observedShape(
    model,
    texts.length,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  const tokensOf = (of: number[][][]) =>
    Math.max(0, ...of.map((group) => group.reduce((sum, batch) => sum + padded(batch), 0)));
  const models = Math.max(0, ...ablations.map(({ options }) => variantsOf(model.layers, options)));
  const states = Math.max(2 * tokensOf(groups), (1 + models) * tokensOf(ablated));
  const batch = Math.max(0, ...batches.map(padded));
  const longest = Math.max(0, ...lengths);
  const head = specs.some(({ reads }) => reads === 'logits' || reads === 'ablated')
    ? 16 * headRowsOf(model) * model.vocabulary
    : 0;
  const sizes = weightBytes(checkpoint, model);
  const loaded = weights === 'resident' ? sizes.total : streamedBytes(sizes);
  return {
    request: {
      modelPath: checkpoint.path,
      adapter: adapter ?? undefined,
      texts: batches.length === 0 ? [] : texts,
      groups,
      ablated,
      weights,
      boundaries,
      headRows: headRowsOf(model),
      observations: observations.map(({ name, of, options }) => ({ name, of, options })),
    },
    memoryBytes: totalOf({
      programs: PROGRAMS,
      weights: batches.length === 0 ? sizes.layer : loaded,
      ...observationCosts(observations, shape),
      work: Math.max(blockWork(model, batch, longest), head),
      boundaries: model.hidden * (boundaries === 'files' ? 16 * batch : 4 * states),
    }),
  };
}

/** @throws LayerifError `notEnoughMemory` */
export function requireMemory({ memoryBytes }: Pick<ObservedPass, 'memoryBytes'>, limit: number, what: string): void {
  requireFit(memoryBytes, limit, what, 'take fewer or shorter texts, or raise --memory');
}

export interface ObserveTools {
  pool: EnginePool;
  machine: Machine;
  onProgress?: ((event: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @param kept where an interrupted pass is continued, with the hash of all that decides its numbers; null keeps nothing
 * @throws LayerifError as `EnginePool.work`
 */
export async function runPass(
  { request }: ObservedPass,
  { pool, machine, onProgress, signal }: ObserveTools,
  kept: { workDir: string; key: string; checkpointSeconds?: number | undefined } | null = null,
  keepChanges = false,
): Promise<ObserveSummary> {
  return pool.work(
    'observe',
    {
      ...request,
      keepChanges,
      workDir: kept?.workDir ?? null,
      key: kept?.key ?? '',
      checkpointSeconds: kept?.checkpointSeconds ?? CHECKPOINT_SECONDS,
    },
    machine,
    (event) => {
      if (event.type === 'observing') onProgress?.(event);
    },
    signal,
  );
}
