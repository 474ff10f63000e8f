/**
 * Layer scores of several tasks, estimators, models or runs beside each other: rank correlations with intervals from
 * the stored Grams, overlap of the highest layers beside chance, permutation tests. No model is opened.
 */
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EstimatorId } from '../../../../protocol/experiment.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import { settingDifferences } from '../../../../protocol/settings.ts';
import { storedTask, subsampleWords } from '../../../../protocol/subsample.ts';
import type { ComparedPair, ComparedSeries, ComparedStatistic, Comparison } from '../../../../protocol/trust.ts';
import { crossLayerRules } from '../../estimators/crossLayer.ts';
import type { CrossLayerId } from '../../estimators/crossLayer.ts';
import { findEstimator, requireTrainSamples } from '../../estimators/estimators.ts';
import { scoreLayer } from '../../estimators/layerScores.ts';
import type { Estimator } from '../../estimators/types.ts';
import { Random } from '../../random/random.ts';
import type { Interval } from '../../statistics/intervals.ts';
import { kendall } from '../../statistics/kendall.ts';
import { permutationTest } from '../../statistics/permutation.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { symmetricInterval } from '../../statistics/subsampling.ts';
import { topKOverlap } from '../../statistics/topK.ts';
import { StoredGrams } from '../files/gramFiles.ts';
import { chosenTasks, requireStored, settingsOf } from './rescore.ts';
import { readResult } from '../files/results.ts';
import { scoreReplicates } from './uncertainty.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

const LEVEL = 0.9;

export interface CompareOptions {
  tasks?: readonly string[] | undefined;
  /** Each run is seen by each of these; default: by its own. */
  estimators?: readonly EstimatorId[] | undefined;
  /** Models of different depth are brought to the smallest number of layers by relative depth. */
  byDepth?: boolean | undefined;
  /** Highest layers that are compared; default a quarter of them. */
  topK?: number | undefined;
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
}

type Statistic = (a: ArrayLike<number>, b: ArrayLike<number>) => number | null;

/** A series with what is needed to compare it. */
interface Opened {
  series: ComparedSeries;
  modelLayers: number;
  /** Identity of the training samples. */
  trainRows: string;
  replicates: Float64Array[];
  /** Influence of every training sample, brought together over layers; null without Grams. */
  samples: Record<CrossLayerId, Float64Array> | null;
}

/** @throws LayerifError `badRequest`: fewer than two series, different layers, an unreadable or partial result */
export async function compareRuns(files: readonly string[], options: CompareOptions = {}): Promise<Comparison> {
  const { seed = 0, byDepth = false } = options;
  const opened: Opened[] = [];
  const notes: string[] = [];
  const results = files.map((file) => ({ file, result: readComplete(file) }));
  for (const { file, result } of results) opened.push(...(await openSeries(file, result, options, notes)));
  if (opened.length < 2) {
    throw new LayerifError(
      'badRequest',
      `there is nothing to compare: ${opened.length} of task, estimator and run; name two results, a result with two tasks, or --estimator datainf,dot`,
    );
  }
  label(opened.map(({ series }) => series));
  const depth = alignment(opened, byDepth);
  const aligned = opened.map(({ series, replicates }) => ({
    scores: depth(series.scores),
    replicates: replicates.map(depth),
  }));
  const layers = nth(aligned, 0).scores.length;
  const k = options.topK ?? Math.ceil(layers / 4);
  if (!(Number.isInteger(k) && k >= 1 && k <= layers)) {
    throw new LayerifError('badRequest', `top-k ${k} is not allowed: use a whole number from 1 to ${layers}`);
  }

  const random = new Random(seed, 'compare');
  const pairs: ComparedPair[] = [];
  for (let a = 0; a < opened.length; a++) {
    for (let b = a + 1; b < opened.length; b++) {
      await setImmediate();
      options.signal?.throwIfAborted();
      const measured = (statistic: Statistic): ComparedStatistic => {
        const [one, other] = [nth(aligned, a), nth(aligned, b)];
        const count = Math.min(one.replicates.length, other.replicates.length);
        const drawn = Array.from({ length: count }, (_, d) =>
          statistic(nth(one.replicates, d), nth(other.replicates, d)),
        );
        const test = permutationTest(one.scores, other.scores, statistic, { random });
        return { value: test?.statistic ?? null, interval: around(test?.statistic ?? null, drawn), p: test?.p ?? null };
      };
      const together = sampleAgreement(nth(opened, a), nth(opened, b));
      pairs.push({
        a,
        b,
        spearman: measured(spearman),
        kendall: measured(kendall),
        topK: topKOverlap(nth(aligned, a).scores, nth(aligned, b).scores, k),
        samples: together,
      });
    }
  }
  if (pairs.length > 1) {
    notes.push(
      `${pairs.length} pairs were tested: of as many unrelated pairs one in twenty has p below 0.05 by chance.`,
    );
  }
  const at = (a: number, b: number) => pairs.find((pair) => pair.a === Math.min(a, b) && pair.b === Math.max(a, b))!;
  return {
    format: 'layerif-comparison',
    version: 1,
    series: opened.map(({ series }) => series),
    runs: results.map(({ file }) => shortName(file, files)),
    settings: settingDifferences(results.map(({ result }) => result)),
    layers,
    byDepth,
    level: LEVEL,
    seed,
    pairs,
    matrix: opened.map((_, a) => opened.map((__, b) => (a === b ? 1 : at(a, b).spearman.value))),
    notes: [...new Set(notes)],
  };
}

/** The run's folder where that tells the files apart, else the whole path. */
function shortName(file: string, files: readonly string[]): string {
  const folders = files.map((one) => path.basename(path.dirname(one)));
  return new Set(folders).size === files.length ? path.basename(path.dirname(file)) : file;
}

/**
 * The correlation with the scatter of its replicates about their mean. Replicates have the scatter of the scores twice,
 * in these samples and in the draw, which lowers every correlation: their own quantiles may miss the value.
 */
export function around(value: number | null, drawn: readonly (number | null)[]): Interval | null {
  const known = drawn.filter((one) => one !== null);
  if (value === null || known.length === 0 || known.length * 2 < drawn.length) return null;
  const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
  const [low, high] = symmetricInterval(
    value,
    known.map((one) => one - mean),
    LEVEL,
  );
  return [Math.max(-1, low), Math.min(1, high)];
}

function readComplete(file: string): Result {
  const result = readResult(file);
  if (result.status !== 'complete')
    throw new LayerifError('badRequest', `${file} is partial: run layerif score again to complete it`);
  return result;
}

async function openSeries(file: string, result: Result, options: CompareOptions, notes: string[]): Promise<Opened[]> {
  const names = options.tasks?.filter((name) => result.tasks.some(({ task }) => task === name));
  if (options.tasks?.length && names?.length === 0) chosenTasks(result, file, options.tasks); // throws, with the tasks there are
  const opened: Opened[] = [];
  for (const task of chosenTasks(result, file, names)) {
    for (const id of options.estimators ?? [result.score.estimator]) {
      opened.push(await openOne(result, file, task, id, options, notes));
    }
  }
  return opened;
}

async function openOne(
  result: Result,
  file: string,
  whole: ResultTask,
  id: EstimatorId,
  { seed = 0, signal }: CompareOptions,
  notes: string[],
): Promise<Opened> {
  const task = storedTask(whole);
  const words = subsampleWords(whole);
  if (words !== null) notes.push(`${task.task} of ${file} was scored by sums: what is compared is of ${words}.`);
  const settings = settingsOf(result, { estimator: id });
  const estimator = findEstimator(id);
  requireTrainSamples(estimator, task.train.samples, task.task);
  const own = id === result.score.estimator;
  const stored = storedFor(file, estimator, task, own, notes);
  const series: ComparedSeries = {
    label: '',
    file,
    model: result.model.name,
    task: task.task,
    estimator: id,
    aggregation: settings.aggregation,
    layers: task.layers.map(({ index }) => index),
    scores: task.layers.map(({ score }) => score),
    replicates: 0,
  };
  const trainRows = JSON.stringify(task.train.rows.map((row) => [row.file, row.row]));
  const bare = { series, modelLayers: result.model.layers, trainRows };
  if (!stored) return { ...bare, replicates: [], samples: null };

  const B: Float64Array[] = [];
  for (const [row, { index, name }] of task.layers.entries()) {
    await setImmediate();
    signal?.throwIfAborted();
    const scores = scoreLayer(stored.layer(task.task, index), { ...settings, estimator, layerName: name, signal });
    B.push(scores.B);
    if (!own || words !== null) series.scores[row] = scores.score;
  }
  const drawn = await scoreReplicates(task, (layer) => stored.layer(task.task, layer), {
    ...settings,
    estimator,
    seed,
    signal,
  });
  if (!drawn)
    notes.push(`No intervals for ${task.task} of ${file}: ${task.train.samples} training samples are too few.`);
  series.replicates = drawn?.plan.replicates ?? 0;
  const influences = { n: task.train.samples, m: task.validation.samples, layers: B };
  const samples = {
    mean: crossLayerRules.mean.aggregate(influences, {}),
    rank: crossLayerRules.rank.aggregate(influences, {}),
    vote: crossLayerRules.vote.aggregate(influences, { k: Math.ceil(0.3 * task.train.samples) }),
  };
  return { ...bare, replicates: drawn?.replicates ?? [], samples };
}

/** Null, with a note, where a run's own scores have to do without their Grams. */
function storedFor(
  file: string,
  estimator: Estimator,
  task: ResultTask,
  own: boolean,
  notes: string[],
): StoredGrams | null {
  try {
    const grams = new StoredGrams(path.join(path.dirname(file), GRAMS_FILE));
    requireStored(estimator, grams, task, file);
    return grams;
  } catch (error) {
    if (!own || !(error instanceof LayerifError)) throw error;
    notes.push(`No intervals for ${file}: ${error.message}`);
    return null;
  }
}

/** What tells the series apart, in words. */
function label(series: ComparedSeries[]): void {
  const parts: ((one: ComparedSeries) => string)[] = [
    ({ model }) => model,
    ({ task }) => task,
    ({ estimator }) => estimator,
    ({ aggregation }) => aggregation,
  ];
  const telling = parts.filter((part) => new Set(series.map(part)).size > 1);
  for (const one of series) one.label = telling.map((part) => part(one)).join(' ');
  const names = series.map((one) => one.label);
  series.forEach((one, i) => {
    const run = path.basename(path.dirname(one.file));
    if (names.filter((name) => name === names[i]).length > 1) one.label = [names[i], run].filter(Boolean).join(' ');
  });
  const seen = new Map<string, number>();
  for (const one of series) {
    const count = (seen.get(one.label) ?? 0) + 1;
    seen.set(one.label, count);
    if (count > 1) one.label += ` (${count})`;
  }
}

/**
 * Scores of a series -> scores that can be compared.
 *
 * @throws LayerifError `badRequest` for different layers, unless by depth
 */
function alignment(opened: readonly Opened[], byDepth: boolean): (scores: ArrayLike<number>) => Float64Array {
  if (byDepth) {
    const least = Math.min(...opened.map(({ series }) => series.layers.length));
    return (scores) => atDepths(scores, least);
  }
  const [first] = take(opened, 1);
  const different = opened.find(({ series }) => series.layers.join() !== first.series.layers.join());
  if (different) {
    const words = ({ series, modelLayers }: Opened) =>
      `${series.label} has ${series.layers.length} of ${modelLayers} layers (${series.layers[0]} to ${series.layers.at(-1)})`;
    throw new LayerifError(
      'badRequest',
      `layers cannot be compared one by one: ${words(first)}, ${words(different)}; score the same layers, or compare by relative depth with --by-depth`,
    );
  }
  return (scores) => Float64Array.from(scores);
}

/** Linear between layers, at `count` places from the first to the last. */
export function atDepths(scores: ArrayLike<number>, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const at = count === 1 ? 0 : (i * (scores.length - 1)) / (count - 1);
    const below = Math.min(Math.floor(at), scores.length - 1);
    const above = Math.min(below + 1, scores.length - 1);
    return nth(scores, below) + (at - below) * (nth(scores, above) - nth(scores, below));
  });
}

function sampleAgreement(a: Opened, b: Opened): ComparedPair['samples'] {
  if (!a.samples || !b.samples || a.trainRows !== b.trainRows) return null;
  const of = (id: CrossLayerId) => spearman(a.samples![id], b.samples![id]);
  return { mean: of('mean'), rank: of('rank'), vote: of('vote') };
}
