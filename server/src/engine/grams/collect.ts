/** One task's Grams: forward sweep, head, backward sweep with Gram products per layer, each finished layer on disk. */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { CollectRequest, CollectSummary } from '../../../../protocol/engine.ts';
import type { Report } from '../runtime/report.ts';
import { readSafetensors } from '../../checkpoints/safetensors.ts';
import { ActivationStore } from '../sweep/activations.ts';
import type { Activations } from '../sweep/activations.ts';
import { makeBatches } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import { GradientSums } from './gradientSums.ts';
import { gradientFile, ObservedGradients } from './observedGradients.ts';
import { shapeOf } from '../sweep/observedShape.ts';
import { asRows, turned, weightName } from '../sweep/weights.ts';
import { LayerReaders } from './layerReaders.ts';
import { isSumsRequest } from './linearMode.ts';
import { LinearReaders } from './linearReaders.ts';
import type { Model } from '../sweep/model.ts';
import { DISCARDED, PartialRun } from './partial.ts';
import { drawLabels, fisherBatches } from './sampledLabels.ts';
import { downward, segmentsOf } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import { forward, head, requireFinite } from '../sweep/sweep.ts';

interface Losses {
  train: Float64Array;
  validation: Float64Array;
}

/** @throws LayerifError; the AbortSignal's reason when cancelled. What is finished stays in `request.workDir`. */
export async function collect(model: Model, request: CollectRequest, report: Report): Promise<CollectSummary> {
  if (!request.moved) return sweep(model, request, report);
  moveWeights(model, request.layers, request.moved);
  try {
    return await sweep(model, request, report);
  } finally {
    model.weights.restore();
  }
}

/** W + step g for the matrices that the files have gradients of, each formed when it is read. */
function moveWeights(
  { architecture, weights }: Model,
  layers: readonly number[],
  { folder, step }: NonNullable<CollectRequest['moved']>,
): void {
  for (const layer of layers) {
    const { tensor } = readSafetensors(gradientFile(folder, layer));
    for (const module of architecture.modules(layer).filter(({ factor }) => !factor)) {
      const { rows, columns, transposed } = module;
      const name = weightName(architecture, layer, module);
      weights.replace(name, () => {
        const gradient = tensor(module.name) as Float32Array;
        const along = transposed ? turned(gradient, rows, columns) : gradient;
        return weights.original(name).map((value, i) => value + step * along[i]);
      });
    }
  }
}

async function sweep(model: Model, request: CollectRequest, report: Report): Promise<CollectSummary> {
  const { architecture } = model;
  const { layers, plan } = request;
  const runsBefore = model.runtime.runs;
  const seconds: Record<string, number> = {};
  model.weights.mode = plan.weights;
  requireTokens(request, architecture.vocabulary);

  const training = makeBatches(architecture, 'train', request.train, plan.batches.train);
  const validation = makeBatches(architecture, 'validation', request.validation, plan.batches.validation);
  // Sums begin with the validation samples, and cotangents are made in the order of the batches.
  const batches = [
    ...(plan.sums ? [...validation, ...training] : [...training, ...validation]),
    ...(request.ekfac?.fisher === 'true' ? fisherBatches(training) : []),
  ];
  const segments = segmentsOf(architecture.layers, layers[0], plan.segmentLength);
  const partial = new PartialRun(request.workDir, request, batches);
  if (partial.discarded) report({ type: 'log', text: DISCARDED });
  const store = new ActivationStore(plan.boundaries === 'files' ? path.join(request.workDir, 'spill') : null);
  try {
    const reached = partial.reached();
    const resumable =
      reached !== null &&
      segments.some((s) => s[0] === reached.layer) &&
      layers.every((layer) => layer < reached.layer || partial.hasLayer(layer));
    if (reached !== null && !resumable)
      report({ type: 'log', text: 'the saved state does not fit this plan; starting over' });
    const open = resumable ? segments.filter((s) => s[0] < reached.layer).length : segments.length;

    // Forward: up to the input of the highest open segment; through it too when the head has to run.
    const upTo = resumable ? Math.max(0, open - 1) : open;
    const units = forwardUnits(segments, batches, upTo);
    let done = 0;
    const start = performance.now();
    const count = (batch: Batch, blocks: number) => {
      done += batch.samples.length * batch.length * blocks;
      report({ type: 'progress', phase: 'forward', done, total: units });
    };
    const boundaries = await forward(model, batches, segments, upTo, count, store);
    seconds.forward = (performance.now() - start) / 1000;

    const cotangents = store.make();
    let losses: Losses;
    if (resumable) {
      losses = reached;
      reached.readCotangents(cotangents);
    } else {
      const headStart = performance.now();
      const hidden = boundaries.pop()!;
      await drawLabels(model, batches, hidden, plan.headRows, request.ekfac?.seed ?? 0);
      losses = await headLosses(model, request, batches, hidden, cotangents);
      store.release(hidden);
      seconds.head = (performance.now() - headStart) / 1000;
    }
    requireFinite(losses.train, 'training', request.modelPath);
    requireFinite(losses.validation, 'validation', request.modelPath);
    report({ type: 'losses', train: losses.train, validation: losses.validation });

    const resumed = resumable ? segments.filter((s) => s[0] >= reached.layer) : [];
    for (const segment of resumed) announce(segment, request, partial, report);
    const observed = await observedOf(
      model,
      request,
      resumable ? layers.filter((layer) => layer >= reached.layer) : [],
    );

    const chain = { batches, segments: segments.slice(0, open), boundaries, cotangents, losses };
    await backward(model, request, chain, store, partial, observed, report, seconds);
    return {
      trainLoss: losses.train,
      validationLoss: losses.validation,
      seconds,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      resumedSegments: resumed.length,
      observations: observed.found,
      sessionRuns: model.runtime.runs - runsBefore,
    };
  } finally {
    store.close();
  }
}

interface Chain {
  batches: Batch[];
  /** Those that are not finished yet. */
  segments: Segment[];
  /** Input of each of these segments. */
  boundaries: Activations[];
  /** Of the output of the last of them. */
  cotangents: Activations;
  losses: Losses;
}

/** From the highest segment down: captures to readers, readers' results to disk. */
async function backward(
  model: Model,
  request: CollectRequest,
  { batches, segments, boundaries, cotangents: top, losses }: Chain,
  store: ActivationStore,
  partial: PartialRun,
  observed: ObservedGradients,
  report: Report,
  seconds: Record<string, number>,
): Promise<void> {
  const readers = isSumsRequest(request)
    ? await LinearReaders.create(model, request, batches)
    : await LayerReaders.create(model, request, batches, observed);
  const start = performance.now();
  let saved = start;
  const step = async (segment: Segment, cotangents: Activations, index: number) => {
    const dx = index > 0 ? store.make() : null;
    const inputs = boundaries.pop()!;
    for (const layer of await readers.read(segment, inputs, cotangents, dx)) {
      observed.write(layer.layer);
      if (layer.exact) partial.writeCheck(layer.layer, layer.exact);
      partial.writeLayer(layer.layer, layer.grams, layer.tokens);
    }
    return { seen: inputs, dx };
  };
  for await (const { layers: segment, index, cotangents, seen, dx } of downward(segments, top, step)) {
    store.release(seen);
    store.release(cotangents);
    if (dx) {
      if (performance.now() - saved >= request.plan.checkpointSeconds * 1000) {
        partial.writeBoundary({ layer: segment[0], train: losses.train, validation: losses.validation }, dx);
        saved = performance.now();
      }
    }
    announce(segment, request, partial, report);
    report({ type: 'progress', phase: 'backward', done: segments.length - index, total: segments.length });
  }
  await readers.release();
  seconds.grams = readers.gramSeconds;
  seconds.backward = (performance.now() - start) / 1000 - seconds.grams;
}

/** @param finished layers of an interrupted run */
async function observedOf(
  model: Model,
  { train, workDir, observations: asked = [], plan, keepGradients = false, moved }: CollectRequest,
  finished: readonly number[],
): Promise<ObservedGradients> {
  if ((plan.projection || plan.sums) && asked.length > 0) throw new Error('these gradients cannot be observed');
  const { architecture, weights } = model;
  const options = {
    asked,
    shape: shapeOf(model, train.length),
    sums: await model.kept('gradient sums', () => GradientSums.create(model.runtime)),
    weight: (layer: number, name: string) => {
      const module = architecture.modules(layer).find((m) => m.name === name)!;
      const tensor = weightName(architecture, layer, module);
      const values = moved ? weights.original(tensor) : weights.values(tensor);
      return module.transposed ? asRows(values, module) : values;
    },
    folder: workDir,
    keepGradients,
  };
  return new ObservedGradients(options, finished);
}

/** Batch by batch, so that hidden states and cotangents of one are in memory. */
async function headLosses(
  model: Model,
  { train, validation, plan }: CollectRequest,
  batches: Batch[],
  hidden: Activations,
  cotangents: Activations,
): Promise<Losses> {
  const losses = { train: new Float64Array(train.length), validation: new Float64Array(validation.length) };
  for (const [i, batch] of batches.entries()) {
    const [{ loss, dy }] = await head(model, [batch], [hidden.at(i)!], plan.headRows, () => undefined);
    cotangents.push(dy);
    const { split } = batch;
    if (split !== 'fisher') batch.samples.forEach((sample, row) => (losses[split][sample] = loss[row]));
  }
  return losses;
}

function announce(segment: Segment, request: CollectRequest, partial: PartialRun, report: Report): void {
  for (const layer of segment) {
    if (!request.layers.includes(layer)) continue;
    report({ type: 'segment', segment: { layers: [layer], file: partial.layerFile(layer) } });
  }
}

function forwardUnits(segments: number[][], batches: Batch[], upTo: number): number {
  const tokens = batches.reduce((sum, b) => sum + b.samples.length * b.length, 0);
  const through = segments.slice(0, upTo);
  const below = segments[0]?.[0] ?? 0;
  return Math.max(1, tokens * (below + through.reduce((sum, s) => sum + s.length, 0)));
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
