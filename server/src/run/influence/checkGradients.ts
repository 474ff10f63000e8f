/**
 * `layerif check FILE --gradients`: the engine's gradients on the user's own model and samples, checked against
 * themselves in other batches and against finite differences of the loss. One row per check in `rows`: what is
 * measured, what is allowed, what it means.
 *
 * The limits. Float32 sums in another order differ by about 1e-6, which deep models enlarge; more than 1e-5 means that
 * padding or neighbours leak into a sample. A finite difference of a float32 loss is noisy: along the gradient it is
 * good to 1 %, along a random direction, where the loss hardly changes, to 5 % of what such a direction changes on
 * average.
 */
import type {
  Derivative,
  Difference,
  GradientCheckReport,
  GradientCheckRequest,
  GradientCheckRow,
  GradientMeasurements,
} from '../../../../protocol/check.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { Sample } from '../../data/types.ts';
import { untilEnd } from '../files/ending.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { fitWeights } from '../machine/fitting.ts';
import type { WeightMode } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import { PROGRAMS, streamedBytes, weightBytes } from '../machine/memory.ts';
import { encodedSample } from '../inputs/openModel.ts';
import { prepare } from '../inputs/prepare.ts';
import type { Prepared } from '../inputs/prepared.ts';
import { nth } from '../../lists/nth.ts';

const COMPOSITION_LIMIT = 1e-5;
const GRADIENT_LIMIT = 0.01;
const RANDOM_LIMIT = 0.05;
/** Samples that are looked at, and out of how many they are chosen. */
const SAMPLES = 4;
const CHOSEN_FROM = 64;
/** More scored layers than this: the first, the middle and the last one. */
const ALL_LAYERS = 4;

export interface CheckProgress {
  done: number;
  total: number;
}

/**
 * @param engine a warm engine to use and to keep; without it the check has its own
 * @throws LayerifError
 */
export function checkGradients(
  file: string,
  machine: Machine,
  signal?: AbortSignal,
  onProgress?: (progress: CheckProgress) => void,
  engine?: EnginePool,
): Promise<GradientCheckReport> {
  const started = performance.now();
  return untilEnd(signal, async (onEnd) => {
    const pool = engineFor(engine, onEnd);
    const prepared = await prepare(file, {}, undefined, { signal });
    onEnd(() => prepared.checkpoint.close());
    signal?.throwIfAborted();
    const { device } = await pool.start(machine);
    const { checkpoint, scope, experiment, tasks, model } = prepared;
    const samples = chosenSamples(nth(tasks, 0).train);
    const request: GradientCheckRequest = {
      modelPath: checkpoint.path,
      adapter: checkpoint.adapter?.path,
      samples: samples.map(encodedSample),
      layers: chosenLayers(scope.layers),
      modules: scope.modules,
      weights: weightsFor(prepared, samples, memoryLimit(machine)),
      seed: experiment.score.seed,
    };
    const measured = await pool.work(
      'check',
      request,
      machine,
      (event) => {
        if (event.type === 'checking') onProgress?.({ done: event.done, total: event.total });
      },
      signal,
    );
    const checks = rows(measured, (layer) => model.layerName(layer));
    return {
      format: 'layerif-gradient-check',
      version: 1,
      file: prepared.file,
      model: checkpoint.name,
      device,
      task: nth(tasks, 0).task.task,
      samples: samples.length,
      tokens: samples.reduce((sum, { tokens }) => sum + tokens.length, 0),
      layers: request.layers,
      checks,
      passed: checks.every(({ passed }) => passed !== false),
      seconds: (performance.now() - started) / 1000,
    };
  });
}

/** Weights stand beside their copies rounded to bfloat16. */
function weightsFor({ checkpoint, model }: Prepared, samples: readonly Sample[], limit: number): WeightMode {
  const bytes = weightBytes(checkpoint, model);
  const tokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
  const parts = { programs: PROGRAMS, boundaries: 4 * tokens * model.hidden * (model.layers + 2) };
  const held = { resident: 2 * bytes.total, streamed: 2 * streamedBytes(bytes) };
  return fitWeights(parts, held, limit).weights;
}

/** Short ones of different lengths: out of the first rows, by length, from the shortest to the median. */
function chosenSamples(train: Prepared['tasks'][0]['train']): Sample[] {
  const sorted = train.slice(0, CHOSEN_FROM).sort((a, b) => a.tokens.length - b.tokens.length);
  const count = Math.min(SAMPLES, sorted.length);
  return Array.from({ length: count }, (_, i) => nth(sorted, Math.floor((i * sorted.length) / (2 * count))));
}

function chosenLayers(layers: number[]): number[] {
  if (layers.length <= ALL_LAYERS) return layers;
  return [nth(layers, 0), nth(layers, Math.floor((layers.length - 1) / 2)), nth(layers, layers.length - 1)];
}

/** Every check as a user reads it. */
export function rows(measured: GradientMeasurements, layerName: (layer: number) => string): GradientCheckRow[] {
  const { padded, batched, regrouped, alongGradient, alongRandom, bfloat16, dtypes } = measured;
  return [
    composition('padded', 'a sample padded = the sample alone', padded, 'Padding', layerName),
    composition('batched', 'samples in one batch = each alone', batched, 'Batching', layerName),
    composition(
      'regrouped',
      'other batches, other order = the same',
      regrouped,
      'The composition of batches',
      layerName,
    ),
    derivative('along_gradient', 'loss along the gradient = its norm', alongGradient, GRADIENT_LIMIT, layerName),
    derivative('along_random', 'loss along a random direction', alongRandom, RANDOM_LIMIT, layerName),
    rounding(bfloat16, dtypes, layerName),
  ];
}

function composition(
  id: GradientCheckRow['id'],
  title: string,
  found: Difference | null,
  what: string,
  layerName: (layer: number) => string,
): GradientCheckRow {
  if (!found) {
    const sentence =
      'Does not apply: positions of this model depend on the length of a sample, so samples of other lengths never share a batch.';
    return { id, title, value: null, limit: COMPOSITION_LIMIT, passed: null, sentence };
  }
  const value = Math.max(found.grams, found.loss);
  const passed = value <= COMPOSITION_LIMIT;
  const worst = found.grams >= found.loss ? `products of gradients of ${layerName(found.layer)}` : 'losses';
  const sentence = passed
    ? `${what} changes ${worst} by ${share(value)} at most: rounding, without effect on scores.`
    : `${what} changes ${worst} by ${share(value)}, more than rounding explains: do not trust scores of this model, please report it.`;
  return { id, title, value, limit: COMPOSITION_LIMIT, passed, sentence };
}

function derivative(
  id: GradientCheckRow['id'],
  title: string,
  found: Derivative[],
  limit: number,
  layerName: (layer: number) => string,
): GradientCheckRow {
  const worst = found.reduce((a, b) => (b.error > a.error || Number.isNaN(b.error) ? b : a));
  const passed = worst.error <= limit;
  const numbers = `${worst.difference.toPrecision(4)} by finite differences, ${worst.gradient.toPrecision(4)} by the gradient (${layerName(worst.layer)})`;
  const sentence = passed
    ? `Moving the weights changes the loss as the gradient says: ${numbers} at worst.`
    : `Moving the weights does not change the loss as the gradient says: ${numbers}. Do not trust scores of this model, please report it.`;
  return { id, title, value: worst.error, limit, passed, sentence };
}

function rounding(found: Difference | null, dtypes: string[], layerName: (layer: number) => string): GradientCheckRow {
  const stored = `Weights are stored as ${dtypes.join(', ')} and computed with in float32`;
  const sentence = found
    ? `${stored}; rounded to bfloat16 they would change products of gradients of ${layerName(found.layer)} by ${share(found.grams)} and losses by ${share(found.loss)}.`
    : `${stored}: nothing is lost.`;
  return {
    id: 'bfloat16',
    title: 'weights in bfloat16',
    value: found ? found.grams : 0,
    limit: null,
    passed: null,
    sentence,
  };
}

/** "3.1e-7", "2.4 %". */
function share(value: number): string {
  return value >= 1e-3 ? `${(100 * value).toPrecision(2)} %` : value.toExponential(1);
}
