/**
 * How far an allocation depends on which samples were drawn: the same request for the layer scores of drawn samples
 * (`run/influence/uncertainty.ts`), and per layer the range of what it gets there. From Grams alone.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Allocation, AllocationRequest } from '../../../../protocol/allocation.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result } from '../../../../protocol/result.ts';
import { allocate } from '../../allocation/allocate.ts';
import type { BareAllocation } from '../../allocation/allocate.ts';
import type { LayerInput } from '../../allocation/layers.ts';
import { taskMean } from '../../allocation/taskMean.ts';
import { findEstimator } from '../../estimators/estimators.ts';
import { nth } from '../../lists/nth.ts';
import { percentileInterval } from '../../statistics/intervals.ts';
import { StoredGrams } from '../files/gramFiles.ts';
import { settingsOf } from '../influence/rescore.ts';
import { replicatesOf } from '../influence/uncertainty.ts';
import type { ResultScores } from './resultScores.ts';

const LEVEL = 0.9;

/** Drawing takes seconds and a slider asks ten times a second: the draws of the last results that were asked for. */
const known = new Map<string, Promise<number[][] | null>>();
const KEPT = 4;

/**
 * Layer scores (the mean of the tasks where there are several) of drawn samples, replicate x layer; null where the
 * Grams are not at hand or too few samples are behind them.
 */
export function drawnScoresOf(
  result: Result,
  resultFile: string,
  { tasks, aggregation }: Pick<ResultScores, 'tasks' | 'aggregation'>,
): Promise<number[][] | null> {
  const grams = path.join(path.dirname(resultFile), GRAMS_FILE);
  const written = fs.statSync(grams, { throwIfNoEntry: false });
  if (result.status !== 'complete' || !written) return Promise.resolve(null);
  const key = JSON.stringify([grams, written.mtimeMs, written.size, result.provenance.date, tasks, aggregation]);
  const found = known.get(key) ?? draw(result, new StoredGrams(grams), tasks, aggregation);
  known.delete(key);
  known.set(key, found);
  for (const old of [...known.keys()].slice(0, -KEPT)) known.delete(old);
  found.catch(() => known.delete(key));
  return found;
}

async function draw(
  result: Result,
  grams: StoredGrams,
  tasks: readonly string[],
  aggregation: ResultScores['aggregation'],
): Promise<number[][] | null> {
  const settings = settingsOf(result, { aggregation });
  const options = { ...settings, estimator: findEstimator(settings.estimator), seed: result.experiment.score.seed };
  const drawn: { task: string; replicates: Float64Array[] }[] = [];
  for (const task of result.tasks.filter((own) => tasks.includes(own.task))) {
    const scored = { ...task, layers: task.layers.map((layer) => ({ ...layer, score: layer[aggregation] })) };
    const found = await replicatesOf(scored, (layer) => grams.layer(task.task, layer), options);
    if (!found) return null;
    drawn.push({ task: task.task, replicates: found.replicates });
  }
  const count = Math.min(...drawn.map(({ replicates }) => replicates.length));
  // As in a result, what cannot be below zero is not on other samples either.
  const least = aggregation === 'sum' ? -Infinity : 0;
  return Array.from({ length: count }, (_, at) =>
    taskMean(
      drawn.map(({ task, replicates }) => ({
        task,
        scores: Array.from(nth(replicates, at), (score) => Math.max(least, score)),
      })),
    ),
  );
}

/**
 * The allocation with what its layers get for the scores of drawn samples; as it is where the rule does not fit half of
 * the draws.
 */
export function withSpread(
  bare: BareAllocation,
  request: AllocationRequest,
  layers: readonly LayerInput[],
  drawn: readonly (readonly number[])[],
): Pick<Allocation, 'spread' | 'layers'> {
  const values = drawn.map((scores) => {
    try {
      return allocate(request, { layers, values: scores }).layers.map(({ value }) => value);
    } catch {
      return null; // such as powers of a sum that is negative in this draw
    }
  });
  const spread = bare.layers.map(({ value }, l): [number, number] | null => {
    const found = percentileInterval(
      values.map((own) => own && nth(own, l)),
      LEVEL,
    );
    return found && [Math.min(value, found[0]), Math.max(value, found[1])];
  });
  if (spread.includes(null)) return { layers: bare.layers };
  return {
    layers: bare.layers.map((layer, l) => ({ ...layer, spread: rounded(nth(spread, l)!, request) })),
    spread: { level: LEVEL, replicates: drawn.length },
  };
}

/** A quantile of whole numbers may miss one by as much. */
const NOISE = 1e-9;

/** Counts are whole: outwards, so that nothing falls out. */
const rounded = ([low, high]: [number, number], { kind }: AllocationRequest): [number, number] =>
  kind === 'sparsity' ? [low, high] : [Math.floor(low + NOISE), Math.ceil(high - NOISE)];
