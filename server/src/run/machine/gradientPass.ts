/**
 * Observations of gradients by a backward sweep of their own, where no influence run has made them on the same texts:
 * the sweep of an influence run without Grams. Memory in float32 numbers, beside the parts of `memory.ts`:
 *
 *   sums        gradients of the largest matrix by batch of texts, for each number of batches that is asked for, and six
 *               of its size: their sum twice, the places of its entries, the weight as it is read and in their order,
 *               shares of what is claimed
 *   gathered    inputs and outputs of one module at all tokens, by batch of texts
 *   kept        mean gradients of a layer, where they are kept in files
 */
import type { CollectPlan, CollectRequest } from '../../../../protocol/engine.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ObserveSummary } from '../../../../protocol/scores.ts';
import { textBatches } from '../../scores/observations.ts';
import type { ObservedShape } from '../../scores/observations.ts';
import { batchesOf, headRowsOf } from './batching.ts';
import { firstThatFits, observationCosts, totalOf } from './fitting.ts';
import { memoryParts } from './memory.ts';
import { observedShape } from './observing.ts';
import type { AskedObservation, ObservedModel, ObserveTools } from './observing.ts';
import { nth } from '../../lists/nth.ts';

const CHECKPOINT_SECONDS = 10;

/** From the fastest to the smallest. */
const ways = (
  [
    ['resident', 'memory', 1024],
    ['resident', 'files', 512],
    ['streamed', 'memory', 1024],
    ['streamed', 'files', 512],
    ['streamed', 'files', 128],
  ] as const
).map(([weights, boundaries, tokensPerBatch]) => ({ weights, boundaries, tokensPerBatch }));

export interface GradientPass {
  request: Omit<CollectRequest, 'workDir' | 'plan'> & { plan: Omit<CollectPlan, 'checkpointSeconds'> };
  memoryBytes: number;
}

/**
 * The first of `ways` that fits, else the last one.
 * @param keepGradients whether the mean gradients of a layer are kept
 */
export function planGradientPass(
  target: ObservedModel,
  texts: EncodedSample[],
  observations: readonly AskedObservation[],
  limit: number,
  keepGradients = false,
): GradientPass {
  return firstThatFits(
    ways,
    (way) => passBy(way, target, texts, observations, keepGradients),
    ({ memoryBytes }) => memoryBytes <= limit,
  );
}

function passBy(
  { weights, boundaries, tokensPerBatch }: (typeof ways)[number],
  { checkpoint, model, adapter }: ObservedModel,
  texts: EncodedSample[],
  observations: readonly AskedObservation[],
  keepGradients: boolean,
): GradientPass {
  const lengths = texts.map(({ tokens }) => tokens.length);
  const batches = batchesOf(model, lengths, tokensPerBatch);
  const shape = observedShape(model, texts.length);
  const layers = Array.from({ length: model.layers }, (_, layer) => layer);
  const modules = [...new Set(layers.flatMap((layer) => shape.modules(layer).map(({ name }) => name)))];
  const plan: GradientPass['request']['plan'] = {
    segmentLength: 1,
    weights,
    boundaries,
    batches: { train: batches, validation: [] },
    projection: null,
    check: null,
    gradientTile: 0,
    headRows: headRowsOf(model),
  };
  const parts = memoryParts(checkpoint, model, {
    plan,
    segments: model.layers,
    modules,
    train: texts.length,
    validation: 0,
    batches: batches.map((batch) => ({ rows: batch.length, length: Math.max(...batch.map((i) => nth(lengths, i))) })),
    checked: [],
    ekfac: false,
  });
  return {
    request: {
      modelPath: checkpoint.path,
      adapter: adapter ?? undefined,
      layers,
      modules,
      train: texts,
      validation: [],
      observations: observations.map(({ name, of, options }) => ({ name, of, options })),
      grams: false,
      plan,
    },
    memoryBytes: totalOf({
      ...parts,
      products: 0, // no Grams
      observed: observedGradientBytes(
        shape,
        observations,
        lengths.reduce((a, b) => a + b, 0),
        keepGradients,
      ),
    }),
  };
}

/** Matrices of the size of the largest one beside the sums by batch. */
const BESIDE_SUMS = 6;

/** What observing gradients takes beside the sweep, captures included. */
export function observedGradientBytes(
  shape: ObservedShape,
  observations: readonly Pick<AskedObservation, 'of' | 'options'>[],
  tokens: number,
  keepGradients = false,
): number {
  const layers = Array.from({ length: shape.layers }, (_, layer) => shape.modules(layer));
  const sizes = layers.map((modules) => modules.map(({ rows, columns }) => rows * columns));
  const largest = Math.max(...sizes.flat());
  const widest = Math.max(...layers.flat().map(({ rows, columns }) => rows + columns));
  const summed = observations.filter(({ options }) => options.batches !== undefined);
  // Sums of each number of batches are held beside each other; the mean gradient is that of one batch.
  const counts = new Set(summed.map(({ options }) => textBatches(shape, options)));
  if (keepGradients) counts.add(1);
  const batches = [...counts].reduce((sum, count) => sum + count, 0);
  const kept = keepGradients ? Math.max(...sizes.map((all) => all.reduce((a, b) => a + b, 0))) : 0;
  return (
    totalOf(observationCosts(observations, shape)) +
    (batches > 0 ? 4 * (largest * (batches + BESIDE_SUMS) + widest * tokens + kept) : 0)
  );
}

/**
 * @param kept where an interrupted sweep is continued
 * @throws LayerifError as `EnginePool.work`
 */
export async function runGradientPass(
  { request }: GradientPass,
  { pool, machine, onProgress, signal }: ObserveTools,
  kept: { workDir: string; checkpointSeconds?: number | undefined },
): Promise<ObserveSummary> {
  const { layers } = request;
  const { observations, sessionRuns, seconds, peakMemoryBytes, resumedSegments } = await pool.work(
    'collect',
    {
      ...request,
      plan: { ...request.plan, checkpointSeconds: kept.checkpointSeconds ?? CHECKPOINT_SECONDS },
      workDir: kept.workDir,
    },
    machine,
    (event) => {
      if (event.type !== 'progress') return;
      // The forward sweep is about a quarter of the work.
      const part = event.done / event.total;
      const share = event.phase === 'backward' ? 0.25 + 0.75 * part : 0.25 * part;
      onProgress?.({ done: share * layers.length, total: layers.length });
    },
    signal,
  );
  const missing = request.observations!.filter(({ name }) => !(name in observations));
  if (missing.length > 0)
    throw new Error(`the engine made no ${missing.map(({ of }) => of).join(', ')} of the gradients that it swept`);
  return {
    observations,
    sessionRuns,
    seconds: Object.values(seconds).reduce((a, b) => a + b, 0),
    peakMemoryBytes,
    resumedLayers: resumedSegments,
  };
}
