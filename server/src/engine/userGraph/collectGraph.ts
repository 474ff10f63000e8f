/**
 * One task's Grams of a user's graph. It is no chain of blocks, so the loop of `sweep/chain.ts` does not fit: every
 * pass runs the whole graph for every sample and captures the modules of some layers (`plan.segmentLength` of them), as
 * many as the captures' memory allows. A finished layer is on disk before the next pass, so that an interrupted run
 * resumes there.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { CollectRequest, CollectSummary, GraphProbe, GraphProbeRequest } from '../../../../protocol/engine.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { openGraph } from '../../graphs/open.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { Fed } from '../../graphs/inputs.ts';
import type { GraphModule } from '../../graphs/types.ts';
import type { Batch } from '../sweep/batch.ts';
import { EkfacProducts } from '../grams/ekfac.ts';
import { GraphModel } from './graphModel.ts';
import type { GradientSession } from './graphModel.ts';
import { collectGarbage } from '../runtime/garbage.ts';
import { GramProducts } from '../grams/grams.ts';
import type { ModuleGrams } from '../grams/grams.ts';
import { DISCARDED, PartialRun } from '../grams/partial.ts';
import type { Report } from '../runtime/report.ts';
import { floats, integers, typedTensor } from '../runtime/runtime.ts';
import type { Feeds, Runtime } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import { requireFinite } from '../sweep/sweep.ts';

/**
 * Token counts of causal models are rounded up to a multiple of this, so that samples of like length share a session.
 */
const LENGTH_STEP = 16;

/** A sample with its place in its split. */
interface Placed {
  split: 'train' | 'validation';
  index: number;
  sample: EncodedSample;
}

export interface GraphCaptures {
  captures: ModuleCaptures[];
  losses: { train: Float64Array; validation: Float64Array };
}

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
  const ekfac = request.ekfac ? await EkfacProducts.create(runtime) : null;
  let losses: GraphCaptures['losses'] | null = null;
  try {
    if (opened.task === 'causal') await requireCausal(model, opened, samples);
    const passes = groups(open, request.plan.segmentLength);
    const total = Math.max(1, passes.length * samples.length);
    // Losses come with every pass; a run whose layers are all there still needs them.
    for (const [pass, layers] of (passes.length > 0 ? passes : [[]]).entries()) {
      const start = performance.now();
      const result = await capture(model, opened, samples, layers, request.modules, (done) => {
        report({ type: 'progress', phase: 'backward', done: pass * samples.length + done, total });
      });
      seconds.backward += (performance.now() - start) / 1000;
      requireFinite(result.losses.train, 'training');
      requireFinite(result.losses.validation, 'validation');
      if (!losses) report({ type: 'losses', train: result.losses.train, validation: result.losses.validation });
      losses ??= result.losses;
      const middle = performance.now();
      const byLayer = new Map(layers.map((layer) => [layer, new Map<string, ModuleGrams>()]));
      for (const one of result.captures) {
        const { train, validation, plan } = request;
        const own = ekfac
          ? await ekfac.of(one, train.length, validation.length, plan.gradientTile, request.ekfac!)
          : undefined;
        const grams = await products.of(one, train.length, validation.length, plan.gradientTile);
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

/**
 * Runs all samples; captures of the scored modules of `layers` in forward order, batches in the order of the samples.
 * @param modules names below a layer
 */
export async function capture(
  model: GraphModel,
  opened: OpenedGraph,
  samples: readonly Placed[],
  layers: readonly number[],
  modules: readonly string[],
  onSample: (done: number) => void = () => undefined,
): Promise<GraphCaptures> {
  const scored = new Map<GraphModule, ModuleCaptures>();
  for (const layer of layers) {
    for (const { name, module } of opened.found.layers[layer].modules) {
      if (!modules.includes(name)) continue;
      const { rows, columns } = module;
      scored.set(module, { layer, module: name, rows, columns, batches: [] });
    }
  }
  const count = (split: Placed['split']) => samples.filter((s) => s.split === split).length;
  const losses = { train: new Float64Array(count('train')), validation: new Float64Array(count('validation')) };
  // Samples of one shape one after the other: a session lives as long as its shape lasts.
  const byShape = new Map<string, { placed: Placed; fed: Map<string, Fed> }[]>();
  for (const one of samples) {
    const fed = model.bind(one.sample, lengthFor(opened, one.sample, samples));
    const key = JSON.stringify([...fed].map(([, { shape }]) => shape));
    byShape.set(key, [...(byShape.get(key) ?? []), { placed: one, fed }]);
  }
  let done = 0;
  for (const same of byShape.values()) {
    const gradient = await model.session(same[0].fed, new Set(scored.keys()));
    try {
      for (const { placed: one, fed } of same) {
        const out = await gradient.session.run({ ...tensorsOf(fed), ...labelsOf(opened, one.sample, gradient) });
        losses[one.split][one.index] = lossOf(opened, one.sample, out.nll.data as Float32Array);
        for (const { module, x, y, length } of gradient.captures) {
          const batch = batchOf(one, length);
          scored.get(module)!.batches.push({ batch, x: out[x], y: out[y] });
        }
        onSample(++done);
      }
    } finally {
      await gradient.session.release();
    }
  }
  return { captures: [...scored.values()], losses };
}

/**
 * Padded length: causal models do not see what stands behind, so few lengths share the sessions; others take each its
 * own.
 */
function lengthFor(opened: OpenedGraph, sample: EncodedSample, samples: readonly Placed[]): number {
  const { longest } = opened.architecture;
  if (longest !== undefined) return longest;
  const own = sample.tokens.length;
  if (opened.task !== 'causal') return own;
  const most = samples.reduce((max, { sample: { tokens } }) => Math.max(max, tokens.length), 0);
  return Math.min(Math.ceil(own / LENGTH_STEP) * LENGTH_STEP, most);
}

/** One sample's part in a module's captures: as many rows as the module has positions. */
function batchOf({ split, index }: Placed, length: number): Batch {
  const empty = { position: new Int32Array(0), label: new Int32Array(0), row: new Int32Array(0) };
  return {
    split,
    samples: [index],
    lengths: [length],
    length,
    tokens: integers(new BigInt64Array(0), [0]),
    tables: {},
    counted: { ...empty, weight: new Float32Array(0) },
  };
}

function tensorsOf(fed: ReadonlyMap<string, Fed>): Feeds {
  return Object.fromEntries(
    [...fed].map(([name, { type, data, shape }]) => [`input/${name}`, typedTensor(type, data, shape)]),
  );
}

/** Labels and weights of the positions: the next token where it is counted, or the class. */
function labelsOf(
  { task }: OpenedGraph,
  { tokens, countedFrom, label }: EncodedSample,
  { positions }: GradientSession,
): Feeds {
  const labels = new BigInt64Array(positions);
  const weights = new Float32Array(positions);
  if (task === 'classification') {
    labels[0] = BigInt(label ?? 0);
    weights[0] = 1;
  } else {
    for (let t = countedFrom; t < tokens.length; t++) {
      labels[t - 1] = BigInt(tokens[t]);
      weights[t - 1] = 1 / (tokens.length - countedFrom);
    }
  }
  return { labels: integers(labels, [positions]), weight: floats(weights, [positions]) };
}

/** Mean over the counted positions, in nats. */
function lossOf({ task }: OpenedGraph, { tokens, countedFrom }: EncodedSample, nll: Float32Array): number {
  if (task === 'classification') return nll[0];
  let sum = 0;
  for (let t = countedFrom; t < tokens.length; t++) sum += nll[t - 1];
  return sum / (tokens.length - countedFrom);
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
