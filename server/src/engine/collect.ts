/** One task's Grams: forward sweep, head, backward sweep with Gram products per layer, each finished layer on disk. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { CollectRequest, CollectSummary, EngineEvent } from '../../../protocol/engine.ts';
import { makeBatches } from './batch.ts';
import type { Batch } from './batch.ts';
import { GramProducts } from './grams.ts';
import { EkfacProducts } from './ekfac.ts';
import type { ModuleGrams } from './grams.ts';
import type { Model } from './model.ts';
import { PartialRun } from './partial.ts';
import { drawLabels, fisherBatches } from './sampledLabels.ts';
import { backwardSegment, forward, head, requireFinite, segmentsOf } from './sweep.ts';
import type { Tensor } from './runtime.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
export type Report = (event: WithoutId<EngineEvent>) => void;

/** @throws LayerifError; the AbortSignal's reason when cancelled. What is finished stays in `request.workDir`. */
export async function collect(model: Model, request: CollectRequest, report: Report): Promise<CollectSummary> {
  const { architecture } = model;
  const { layers, plan } = request;
  const seconds: Record<string, number> = {};
  model.weights.mode = plan.weights;
  requireTokens(request, architecture.vocabulary);

  const training = makeBatches(architecture, 'train', request.train, plan.batches.train);
  const batches = [
    ...training,
    ...makeBatches(architecture, 'validation', request.validation, plan.batches.validation),
    ...(request.ekfac?.fisher === 'true' ? fisherBatches(training) : []),
  ];
  const segments = segmentsOf(architecture.layers, layers[0], plan.segmentLength);
  const modules = new Set(request.modules);
  const scored = (layer: number, module: string) => layers.includes(layer) && modules.has(module);

  const partial = new PartialRun(request.workDir);
  const reached = partial.readBoundary(batches);
  const resumed = reached ? segments.filter((s) => s[0] >= reached.layer) : [];
  const resumable =
    reached !== null &&
    segments.some((s) => s[0] === reached.layer) &&
    layers.every((layer) => layer < reached.layer || partial.hasLayer(layer));
  if (reached && !resumable) report({ type: 'log', text: 'the saved state does not fit this plan; starting over' });
  let open = resumable ? segments.filter((s) => s[0] < reached.layer).length : segments.length;

  // Forward: up to the input of the highest open segment; through it too when the head has to run.
  const upTo = resumable ? Math.max(0, open - 1) : open;
  const units = forwardUnits(segments, batches, upTo);
  let done = 0;
  const start = performance.now();
  const boundaries = await forward(model, batches, segments, upTo, (batch, blocks) => {
    done += batch.samples.length * batch.length * blocks;
    report({ type: 'progress', phase: 'forward', done, total: units });
  });
  seconds.forward = (performance.now() - start) / 1000;

  let cotangents: Tensor[];
  let losses: { train: Float64Array; validation: Float64Array };
  if (resumable) {
    cotangents = reached.cotangents;
    losses = { train: reached.trainLoss, validation: reached.validationLoss };
  } else {
    const headStart = performance.now();
    const hidden = boundaries.pop()!;
    await drawLabels(model, batches, hidden, plan.headRows, request.ekfac?.seed ?? 0);
    const results = await head(model, batches, hidden, plan.headRows, () => undefined);
    cotangents = results.map((r) => r.dy);
    losses = collectLosses(
      request,
      batches,
      results.map((r) => r.loss),
    );
    seconds.head = (performance.now() - headStart) / 1000;
  }
  requireFinite(losses.train, 'training');
  requireFinite(losses.validation, 'validation');
  report({ type: 'losses', ...losses });

  if (resumable)
    for (const s of resumed)
      announce(
        s.filter((layer) => layers.includes(layer)),
        partial,
        report,
      );

  const products = await GramProducts.create(model.runtime);
  const ekfac = request.ekfac ? await EkfacProducts.create(model.runtime) : null;
  const backwardStart = performance.now();
  seconds.grams = 0;
  let saved = performance.now();
  const total = open;
  while (open > 0) {
    const segment = segments[open - 1];
    const lowest = open === 1;
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      segment,
      boundaries.pop()!,
      cotangents,
      scored,
      !lowest,
      () => undefined,
    );
    const gramStart = performance.now();
    const byLayer = new Map<number, Map<string, ModuleGrams>>();
    for (const capture of captures) {
      const [n, m] = [request.train.length, request.validation.length];
      const curvature = ekfac ? await ekfac.of(capture, n, m, plan.gradientTile, request.ekfac!) : undefined;
      capture.batches = capture.batches.filter(({ batch }) => batch.split !== 'fisher');
      const grams = { ...(await products.of(capture, n, m, plan.gradientTile)), ekfac: curvature };
      capture.batches.length = 0; // the captures are large: let them go as soon as they are used
      if (!byLayer.has(capture.layer)) byLayer.set(capture.layer, new Map());
      byLayer.get(capture.layer)!.set(capture.module, grams);
    }
    seconds.grams += (performance.now() - gramStart) / 1000;
    for (const [layer, grams] of byLayer) partial.writeLayer(layer, grams);
    open -= 1;
    if (dx) {
      cotangents = dx;
      if (performance.now() - saved >= plan.checkpointSeconds * 1000) {
        partial.writeBoundary(
          { layer: segment[0], cotangents, trainLoss: losses.train, validationLoss: losses.validation },
          batches,
        );
        saved = performance.now();
      }
    }
    announce([...byLayer.keys()], partial, report);
    report({ type: 'progress', phase: 'backward', done: total - open, total });
  }
  await products.release();
  await ekfac?.release();
  seconds.backward = (performance.now() - backwardStart) / 1000 - seconds.grams;

  return {
    trainLoss: losses.train,
    validationLoss: losses.validation,
    seconds,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    resumedSegments: resumable ? resumed.length : 0,
  };
}

function announce(layers: number[], partial: PartialRun, report: Report): void {
  for (const layer of layers) {
    report({ type: 'segment', segment: { layers: [layer], file: partial.layerFile(layer) } });
  }
}

function forwardUnits(segments: number[][], batches: Batch[], upTo: number): number {
  const tokens = batches.reduce((sum, b) => sum + b.samples.length * b.length, 0);
  const through = segments.slice(0, upTo);
  const below = segments[0]?.[0] ?? 0;
  return Math.max(1, tokens * (below + through.reduce((sum, s) => sum + s.length, 0)));
}

function collectLosses(request: CollectRequest, batches: Batch[], perBatch: Float64Array[]) {
  const losses = {
    train: new Float64Array(request.train.length),
    validation: new Float64Array(request.validation.length),
  };
  batches.forEach(({ split, samples }, b) => {
    if (split !== 'fisher') samples.forEach((sample, row) => (losses[split][sample] = perBatch[b][row]));
  });
  return losses;
}

function requireTokens(request: CollectRequest, vocabulary: number): void {
  for (const split of ['train', 'validation'] as const) {
    request[split].forEach(({ tokens }, sample) => {
      const bad = tokens.find((id) => id < 0 || id >= vocabulary);
      if (bad !== undefined) {
        throw new LayerifError(
          'badModel',
          `token id ${bad} of ${split} sample ${sample} is outside the model's vocabulary of ${vocabulary}; tokenizer.json belongs to another model`,
        );
      }
    });
  }
}
