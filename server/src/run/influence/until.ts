/**
 * `score.until`: rows are added to a task until the order of its layers is settled. Each look has twice the training
 * rows of the one before, and validation rows in the same proportion as far as their split has some. Sizes do not
 * depend on what was seen, so the number of looks is known beforehand, and the intervals of every look are made at
 * 1 - 0.1 / looks (Bonferroni): whenever it stops, an interval that claims too much is as rare as for a single look.
 * `test/simulation/until.test.ts` holds it to that.
 *
 * Every look is a complete result with its Grams; the next one reads the pairs that are known from there.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EngineInfo, KnownGrams } from '../../../../protocol/engine.ts';
import type { Until } from '../../../../protocol/experiment.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result, ResultLayer, ResultTask, ResultUntil } from '../../../../protocol/result.ts';
import { UNSTABLE_SOLID } from '../../../../protocol/readability.ts';
import { countFurther } from '../../data/furtherRows.ts';
import { datasetOf, slicesOf } from '../../data/loadTask.ts';
import { nth } from '../../lists/nth.ts';
import { canonicalJson, engineOf, FinishedParts } from '../files/finished.ts';
import { mergeGrams, StoredGrams } from '../files/gramFiles.ts';
import { relativeTo } from '../files/paths.ts';
import { writeJson } from '../files/results.ts';
import { prepare } from '../inputs/prepare.ts';
import type { Prepared, PreparedTask, Selection } from '../inputs/prepared.ts';
import type { Collecting } from './collectTask.ts';
import { planRun } from './estimate.ts';
import { addIntervals, scoreTask } from './scoreTask.ts';
import { emptyTask, weightCounts } from './taskResult.ts';

/** Chance that a look's interval claims too much, over all looks together. */
const MISSED = 0.1;

/** Training samples of every look: doubled up to the most; a short last step is joined to the one before. */
export function lookSizes(first: number, most: number): number[] {
  const sizes = [first];
  for (let last = first; last < most;) {
    last = most < 2.5 * last ? most : 2 * last;
    sizes.push(last);
  }
  return sizes;
}

export const levelFor = (looks: number): number => 1 - MISSED / looks;

/** How many layers have a rank interval that spans more than a share of the layers, or none. */
export function openLayers({ layers }: Pick<ResultTask, 'layers'>, share: number): number {
  const narrow = (range: ResultLayer['rankInterval']) => range && range[1] - range[0] <= share * layers.length;
  return layers.filter(({ rankInterval }) => !narrow(rankInterval)).length;
}

export interface Growing {
  /** With the rows of the file alone. */
  prepared: Prepared;
  /** Of those rows at least; complete. */
  result: Result;
  resultFile: string;
  runId: string;
  asked: Until;
  /** Of the model's files before the run. */
  stamp: string;
  engine: EngineInfo;
  computation: unknown;
  options: Collecting['options'] & Selection & { outputDir?: string | undefined };
  pool: Collecting['pool'];
  emit: Collecting['emit'];
}

/**
 * Goes on from a complete result until each task has ended; the result and its file are brought up to date look by
 * look.
 *
 * @throws LayerifError as `scoreExperiment`; what was there before the look that failed is there still
 */
export async function addRows(growing: Growing): Promise<void> {
  const { prepared, result } = growing;
  for (const [index, task] of prepared.tasks.entries()) {
    const row = result.tasks.findIndex((one) => one.task === task.task.task);
    const room = await roomOf(prepared, task, growing.asked);
    const sizes = lookSizes(task.train.length, room.train);
    const own = { index, row, task, room, sizes };
    while ((await judge(growing, own)) === null) {
      if (await look(growing, own)) continue;
      nth(result.tasks, row).until!.ended = 'memory';
      writeJson(growing.resultFile, result);
      break;
    }
  }
}

interface GrowingTask {
  /** Among the tasks of the experiment, and of the result. */
  index: number;
  row: number;
  /** With the rows of the file alone. */
  task: PreparedTask;
  room: Room;
  sizes: readonly number[];
}

interface Room {
  /** Most samples of each split. */
  train: number;
  validation: number;
  /** Which of the two limits that is. */
  limit: 'rows' | 'split';
}

async function roomOf({ experiment, baseDir }: Prepared, task: PreparedTask, { rows }: Until): Promise<Room> {
  const dataset = await datasetOf({ task: task.task, datasets: experiment.datasets, baseDir });
  const slices = await slicesOf(task.task, dataset);
  const further = await countFurther(task.task, dataset, slices);
  const train = task.train.length + further.train;
  return {
    train: Math.max(task.train.length, Math.min(train, rows)),
    validation: task.validation.length + further.validation,
    limit: rows < train ? 'rows' : 'split',
  };
}

/** Whether a task has ended, and by what; its intervals are made at the level of as many looks as there can be. */
async function judge(growing: Growing, { row, room, sizes }: GrowingTask): Promise<ResultUntil['ended']> {
  const { prepared, result, resultFile, runId, asked, options, emit } = growing;
  const target = nth(result.tasks, row);
  const level = levelFor(sizes.length);
  if (target.uncertainty?.level !== level) {
    const grams = new StoredGrams(gramsFile(resultFile));
    const modulesOf = (layer: number) => grams.layer(target.task, layer);
    await addIntervals(target, prepared, modulesOf, result, { signal: options.signal, level }, (text) =>
      emit({ type: 'log', runId, text }),
    );
  }
  const open = openLayers(target, asked.rank_interval);
  const { train, validation, until } = target;
  const settled = open <= UNSTABLE_SOLID * target.layers.length;
  const all = train.samples >= nth(sizes, sizes.length - 1);
  const ended = settled ? 'settled' : all ? room.limit : null;
  const looks = (until?.looks ?? []).filter((look) => look.train < train.samples);
  target.until = {
    rankInterval: asked.rank_interval,
    rows: asked.rows,
    planned: sizes.length,
    looks: [...looks, { train: train.samples, validation: validation.samples, open }],
    ended,
  };
  writeJson(resultFile, result);
  return ended;
}

/**
 * Scores a task on more rows and puts it in its place, with its Grams.
 *
 * @returns false where they do not fit
 */
async function look(growing: Growing, { index, row, task, room, sizes }: GrowingTask): Promise<boolean> {
  const { prepared, result, resultFile, runId, options, pool, emit } = growing;
  const started = performance.now();
  const before = nth(result.tasks, row);
  const name = before.task;
  const train = sizes.find((size) => size > before.train.samples)!;
  const inProportion = Math.round((task.validation.length * train) / task.train.length);
  const validation = Math.max(before.validation.samples, Math.min(room.validation, inProportion));
  const further = { [name]: { train: train - task.train.length, validation: validation - task.validation.length } };
  const fetching = { signal: options.signal };
  const grown = await prepare(prepared.file, { ...options, tasks: [name], further }, undefined, fetching);
  try {
    requireSameData(prepared, grown);
    const own = nth(grown.tasks, 0);
    const known = knownOf(growing, before, grown);
    own.known = known;
    const { estimate, plans } = await planRun(grown, options.machine, pool, options.outputDir);
    const { plan } = nth(plans, 0);
    const sameRank = (plan.projection?.rank ?? null) === (result.score.projection?.rank ?? null);
    if (estimate.refusal !== null || !sameRank) return false;
    const number = before.until!.looks.length + 1;
    const words = `look ${number} of at most ${sizes.length}`;
    const samples = `${own.train.length} training and ${own.validation.length} validation samples`;
    emit({ type: 'log', runId, text: `${name}: ${words}, with ${samples}` });
    const finished = new FinishedParts(path.join(path.dirname(resultFile), 'partial'), growing.computation);
    const target = emptyTask(grown, own);
    const shared: Collecting = {
      prepared: { ...grown, tasks: prepared.tasks.map((one, i) => (i === index ? own : one)) },
      plans: prepared.tasks.map(() => nth(plans, 0)),
      look: words,
      ...{ runId, finished, pool, options, emit },
    };
    const scoring = { task: own, index, target, stamp: growing.stamp, level: levelFor(sizes.length), known };
    const files = await scoreTask(shared, { ...scoring, onScored: () => undefined }, result);
    result.tasks[row] = { ...target, until: before.until! };
    const merged = result.tasks.map(({ task: one }) => ({ task: one, files: one === name ? files : null }));
    mergeGrams(gramsFile(resultFile), merged, weightCounts(grown));
    const { seconds } = result.provenance;
    seconds.total = (seconds.total ?? 0) + (performance.now() - started) / 1000;
    result.provenance.date = new Date().toISOString();
    writeJson(resultFile, result);
    finished.clear();
    emit({ type: 'layers', runId, result });
    return true;
  } finally {
    grown.checkpoint.close();
  }
}

/**
 * Grams that are there of the first samples; none where they are of other rows, another program or device, or where the
 * estimator needs more than Grams.
 */
function knownOf({ result, resultFile, engine }: Growing, before: ResultTask, grown: Prepared): KnownGrams | undefined {
  const { estimator, baseDir } = grown;
  if (estimator.needs.includes('ekfac') || estimator.needs.includes('checkpoints')) return undefined;
  const { layerif, onnxruntime, device } = result.provenance;
  if (canonicalJson({ layerif, onnxruntime, device }) !== canonicalJson(engineOf(engine))) return undefined;
  const same = (['train', 'validation'] as const).every((side) =>
    before[side].rows.every(({ file, row, tokens }, i) => {
      const sample = nth(nth(grown.tasks, 0)[side], i);
      return relativeTo(baseDir, sample.file) === file && sample.row === row && sample.tokens.length === tokens;
    }),
  );
  if (!same) return undefined;
  const { train, validation } = before;
  const sizes = { train: train.samples, validation: validation.samples };
  return { file: gramsFile(resultFile), prefix: `${before.task}/`, ...sizes };
}

function requireSameData({ dataSha256 }: Prepared, grown: Prepared): void {
  const changed = Object.entries(grown.dataSha256).find(([file, hash]) => dataSha256[file] !== hash);
  if (changed)
    throw new LayerifError(
      'badData',
      `${changed[0]} was changed while rows of it were added; run again, which starts anew with the file as it is now`,
    );
}

const gramsFile = (resultFile: string) => path.join(path.dirname(resultFile), GRAMS_FILE);
