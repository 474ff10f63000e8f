/**
 * One task's Grams of a user's graph. It is no chain of blocks, so the loop of `sweep/chain.ts` does not fit: every
 * pass runs the whole graph for every sample and captures the modules of some layers (`plan.segmentLength` of them), as
 * many as the captures' memory allows. A finished layer is on disk before the next pass, so that an interrupted run
 * resumes there.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { CollectRequest, CollectSummary, GraphProbe, GraphProbeRequest } from '../../../../protocol/engine.ts';
import { openGraph } from '../../graphs/open.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import { EkfacProducts } from '../grams/ekfac.ts';
import { GraphModel } from './graphModel.ts';
import { capture, GraphSource, lengthFor } from './graphCaptures.ts';
import type { GraphCaptures, Placed } from './graphCaptures.ts';
import { collectGarbage } from '../runtime/garbage.ts';
import { GramProducts } from '../grams/grams.ts';
import { KnownReader } from '../grams/knownGrams.ts';
import type { ModuleGrams } from '../grams/grams.ts';
import { DISCARDED, PartialRun } from '../grams/partial.ts';
import { isSumsRequest, LinearMode } from '../grams/linearMode.ts';
import type { Report } from '../runtime/report.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { requireFinite } from '../sweep/sweep.ts';

/**
 * EK-FAC factors E[x xᵀ] and E[y yᵀ] of one matrix; a convolution in groups is several, whose rows see different
 * inputs.
 */
function requireWholeMatrices({ found }: OpenedGraph, { modules }: CollectRequest): void {
  for (const { name: layer, modules: own } of found.layers) {
    const grouped = own.find(({ name, module }) => module.groups > 1 && modules.includes(name));
    if (!grouped) continue;
    throw new LayerifError(
      'badExperiment',
      `score.estimator: ekfac has no factors for ${grouped.name} of ${layer}, a convolution in ${grouped.module.groups} groups; leave it out with score.modules or use datainf`,
    );
  }
}

export async function collectGraph(runtime: Runtime, request: CollectRequest, report: Report): Promise<CollectSummary> {
  const runsBefore = runtime.runs;
  const opened = openGraph(request.modelPath, request.graph ?? {});
  const model = graphModel(runtime, opened);
  const samples = placed(request);
  requireUsable(opened, samples);
  if (request.ekfac) requireWholeMatrices(opened, request);
  const partial = new PartialRun(request.workDir, request, []);
  if (partial.discarded) report({ type: 'log', text: DISCARDED });
  const seconds = { backward: 0, grams: 0 };
  const open = request.layers.filter((layer) => !partial.hasLayer(layer));
  for (const layer of request.layers.filter((l) => !open.includes(l))) announce(layer, partial, report);
  const products = await GramProducts.create(runtime);
  const reader = request.known ? new KnownReader(request.known) : null;
  const linear = isSumsRequest(request) ? await LinearMode.create(runtime) : null;
  const ekfac = request.ekfac ? await EkfacProducts.create(runtime) : null;
  let losses: GraphCaptures['losses'] | null = null;
  try {
    if (opened.task === 'causal') await requireCausal(model, opened, samples);
    const passes = groups(open, request.plan.segmentLength);
    const total = Math.max(1, passes.length * samples.length);
    // Losses come with every pass; a run whose layers are all there still needs them.
    for (const [pass, layers] of (passes.length > 0 ? passes : [[]]).entries()) {
      const start = performance.now();
      if (linear && layers.length > 0 && isSumsRequest(request)) {
        let done = 0;
        const source = new GraphSource(model, opened, samples, layers, request, () => {
          done = Math.min(done + 1, samples.length);
          report({ type: 'progress', phase: 'backward', done: pass * samples.length + done, total });
        });
        const found = await linear.of(source, request);
        seconds.backward += source.seconds;
        seconds.grams += (performance.now() - start) / 1000 - source.seconds;
        requireFinite(source.losses.train, 'training', request.modelPath);
        requireFinite(source.losses.validation, 'validation', request.modelPath);
        if (!losses) report({ type: 'losses', train: source.losses.train, validation: source.losses.validation });
        losses ??= source.losses;
        for (const { layer, grams } of found) {
          partial.writeLayer(layer, grams);
          announce(layer, partial, report);
        }
        collectGarbage();
        continue;
      }
      const result = await capture(model, opened, samples, layers, request.modules, (done) => {
        report({ type: 'progress', phase: 'backward', done: pass * samples.length + done, total });
      });
      seconds.backward += (performance.now() - start) / 1000;
      requireFinite(result.losses.train, 'training', request.modelPath);
      requireFinite(result.losses.validation, 'validation', request.modelPath);
      if (!losses) report({ type: 'losses', train: result.losses.train, validation: result.losses.validation });
      losses ??= result.losses;
      const middle = performance.now();
      const byLayer = new Map(layers.map((layer) => [layer, new Map<string, ModuleGrams>()]));
      for (const one of result.captures) {
        const { train, validation, plan } = request;
        const own = ekfac
          ? await ekfac.of(one, train.length, validation.length, plan.gradientTile, request.ekfac!)
          : undefined;
        const { known } = request;
        const grams = await products.of(one, train.length, validation.length, plan.gradientTile, { known });
        reader?.fill(one.layer, one.module, grams);
        one.batches.length = 0; // large: let go as soon as they are used
        byLayer.get(one.layer)!.set(one.module, { ...grams, ekfac: own });
      }
      products.rest();
      for (const [layer, grams] of byLayer) {
        partial.writeLayer(layer, grams);
        announce(layer, partial, report);
      }
      collectGarbage();
      seconds.grams += (performance.now() - middle) / 1000;
    }
  } finally {
    await products.release();
    await linear?.release();
    await ekfac?.release();
  }
  return {
    trainLoss: losses!.train,
    validationLoss: losses!.validation,
    seconds,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    resumedSegments: request.layers.length - open.length,
    observations: {},
    sessionRuns: runtime.runs - runsBefore,
  };
}

export function graphModel(runtime: Runtime, opened: OpenedGraph): GraphModel {
  const modules = opened.found.layers.flatMap((layer) => layer.modules.map(({ module }) => module));
  return new GraphModel(runtime, opened.file, opened.logits, modules);
}

function placed({ train, validation }: Pick<CollectRequest, 'train' | 'validation'>): Placed[] {
  return [
    ...train.map((sample, index): Placed => ({ split: 'train', index, sample })),
    ...validation.map((sample, index): Placed => ({ split: 'validation', index, sample })),
  ];
}

function groups(layers: readonly number[], size: number): number[][] {
  const all: number[][] = [];
  for (let end = layers.length; end > 0; end -= size) all.push(layers.slice(Math.max(0, end - size), end));
  return all; // from the top down, as for every other model
}

function announce(layer: number, partial: PartialRun, report: Report): void {
  report({ type: 'segment', segment: { layers: [layer], file: partial.layerFile(layer) } });
}

/** @throws LayerifError for labels or tokens that the graph has no place for */
function requireUsable({ architecture, task, file }: OpenedGraph, samples: readonly Placed[]): void {
  for (const { split, index, sample } of samples) {
    const classes = architecture.vocabulary;
    if (task === 'classification') {
      if (sample.label === undefined || sample.label < 0 || sample.label >= classes)
        throw new LayerifError(
          'badData',
          `${split} sample ${index} has the label ${sample.label ?? 'none'}; ${file.path} gives logits for ${classes} classes, 0 to ${classes - 1}`,
        );
    } else {
      const bad = sample.tokens.find((id) => id < 0 || id >= classes);
      if (bad !== undefined)
        throw new LayerifError(
          'badModel',
          `token id ${bad} of ${split} sample ${index} is outside the vocabulary of ${classes} that ${file.path} gives logits for; tokenizer.json belongs to another model`,
        );
    }
  }
}

/**
 * The token loss means something only where a position does not see the token that it predicts: the logits of the first
 * positions must not change with the last token.
 * @throws LayerifError `badModel` for a model that looks ahead (BERT and the like), or that gives no logits for every
 *   position
 */
async function requireCausal(model: GraphModel, opened: OpenedGraph, samples: readonly Placed[]): Promise<void> {
  const one = samples.reduce((a, b) => (a.sample.tokens.length >= b.sample.tokens.length ? a : b)).sample;
  const length = lengthFor(opened, one, samples);
  const last = one.tokens.length - 1;
  const changed = Int32Array.from(one.tokens);
  changed[last] = one.tokens.find((id) => id !== one.tokens[last]) ?? (one.tokens[last] === 0 ? 1 : 0);
  const [a, b] = [
    await model.logits(model.bind(one, length)),
    await model.logits(model.bind({ ...one, tokens: changed }, length)),
  ];
  const { path } = opened.file;
  if (a.shape[1] !== length) {
    throw new LayerifError(
      'badModel',
      `${path}: output "${opened.logits}" has logits for ${a.shape[1]} of ${length} tokens; export the graph with logits for every token`,
    );
  }
  const before = a.data.subarray(0, last * a.shape[2]);
  const largest = before.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const moved = before.reduce((max, value, i) => Math.max(max, Math.abs(value - b.data[i])), 0);
  if (moved > 1e-3 * Math.max(largest, 1e-6)) {
    throw new LayerifError(
      'badModel',
      `${path}: logits of a token change with tokens behind it, so this is no causal language model (a masked one, perhaps), and a loss on the next token would mean nothing; export a causal model or a classifier`,
    );
  }
}

/** Sizes and times of the largest sample; what has no gradient rule is refused here, before anything long begins. */
export async function probeGraph(runtime: Runtime, request: GraphProbeRequest): Promise<GraphProbe> {
  const opened = openGraph(request.modelPath, request.graph ?? {});
  const model = graphModel(runtime, opened);
  const samples: Placed[] = [{ split: 'train', index: 0, sample: request.sample }];
  requireUsable(opened, samples);
  const first = performance.now();
  let ran = 0;
  const { captures } = await capture(model, opened, samples, request.layers, request.modules, () => {
    ran = performance.now();
  });
  const session = (ran - first) / 1000;
  const again = performance.now();
  await capture(model, opened, samples, request.layers, request.modules);
  const whole = (performance.now() - again) / 1000;
  const positions: GraphProbe['positions'] = {};
  for (const { layer, module, batches } of captures)
    (positions[layer] ??= {})[module] = batches.reduce((sum, { batch }) => sum + batch.length, 0);
  // The second time the shapes are known; making the session is most of what is left beside the run.
  return {
    positions,
    seconds: { run: whole / 2, session: Math.max(session, whole) },
    activations: model.activationBytes,
  };
}
