/**
 * One scoring run: plan -> collect -> score -> write, for the editor, the command line and a cluster alike. The result
 * file is complete JSON at every moment: `partial` while layers arrive, `complete` at the end. What an interrupted run
 * of the same experiment, data and model left behind is used.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EngineInfo } from '../../../../protocol/engine.ts';
import type { AskedScore, Experiment, Until } from '../../../../protocol/experiment.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result } from '../../../../protocol/result.ts';
import type { Machine, RunEvent } from '../../../../protocol/run.ts';
import { unitNames } from '../inputs/units.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { Architecture } from '../../models/types.ts';
import { alongside } from '../scores/alongside.ts';
import type { Alongside } from '../scores/alongside.ts';
import { planRun, planText } from './estimate.ts';
import { fitWeights } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import { alone } from '../files/alone.ts';
import { mergeGrams } from '../files/gramFiles.ts';
import { scoreTask } from './scoreTask.ts';
import { addRows } from './until.ts';
import { prepare } from '../inputs/prepare.ts';
import { experimentName, leaveRunFolder, runOfHash, openRunFolder, readResult, writeJson } from '../files/results.ts';
import type { RunFolder } from '../files/results.ts';
import { engineOf, FinishedParts } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { emptyTask, weightCounts } from './taskResult.ts';
import { resetPeakMemory, weightBytes } from '../machine/memory.ts';
import type { TaskPlan } from './plan.ts';
import { complete, untilEnd } from '../files/ending.ts';
import type { OnEnd } from '../files/ending.ts';
import { provenanceOf } from '../files/provenance.ts';
import type { Prepared, Selection } from '../inputs/prepared.ts';
import { nth } from '../../lists/nth.ts';

/** What a user is told where finished layers of an interrupted run cannot be used. */
const REMOVED =
  "the model's files were written since the run was interrupted, or it ran by another version or on another device, so its finished layers are removed and computed anew";

/** Result files of a run under way are rewritten at most this often. */
const WRITE_INTERVAL_MS = 1000;

export interface ScoreOptions extends Selection {
  file: string;
  outputDir?: string | undefined;
  machine: Machine;
  /** A warm engine to use and to keep; without it the run has its own. */
  engine?: EnginePool | undefined;
  onEvent?: ((event: RunEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Seconds between two saved states that an interrupted run resumes from; default 10, 0 saves at every segment
   * boundary.
   */
  checkpointSeconds?: number | undefined;
  /** Takes a complete run of the same experiment, data and model for this one. */
  reopen?: boolean | undefined;
  /** In place of the experiment's own `score.until`. */
  until?: Until | undefined;
  /** Scores that are computed afterwards: what they need of the gradients on the way is observed. */
  scores?: readonly AskedScore[] | undefined;
}

/** @throws LayerifError; events `started`, `failed` and `finished` frame what was seen. */
export async function scoreExperiment(
  options: ScoreOptions,
): Promise<{ result: Result; resultFile: string; reopened?: true }> {
  const begun = { runId: '' };
  try {
    return await untilEnd(options.signal, (onEnd) => scoring(options, begun, onEnd));
  } catch (error) {
    const known = asLayerifError(error);
    options.onEvent?.({ type: 'failed', ...begun, code: known.code, message: known.message, place: known.place });
    throw known;
  }
}

async function scoring(
  options: ScoreOptions,
  begun: { runId: string },
  onEnd: OnEnd,
): Promise<{ result: Result; resultFile: string; reopened?: true }> {
  const emit = options.onEvent ?? (() => undefined);
  const pool = engineFor(options.engine, onEnd);
  // Loading ONNX Runtime takes as long as opening the model: both at once.
  const engine = pool.start(options.machine);
  engine.catch(() => undefined); // reported when it is awaited
  let warmUp: Promise<void> | undefined;
  const onModel = (checkpoint: Checkpoint, model: Architecture): void => {
    warmUp = warm(engine, pool, options.machine, checkpoint, model);
    warmUp.catch(() => undefined);
  };
  const prepared = await prepare(options.file, options, onModel, {
    signal: options.signal,
    onProgress: (event) => emit({ type: 'progress', runId: '', task: '', phase: 'download', ...event }),
  });
  onEnd(() => prepared.checkpoint.close());
  options.signal?.throwIfAborted();
  const stamp = modelStamp(prepared.checkpoint);
  const modelSha256 = await prepared.checkpoint.sha256();
  const output = path.resolve(prepared.baseDir, options.outputDir ?? prepared.experiment.output_dir);
  const hash = identity(prepared, modelSha256);
  const until = options.labelNoise ? undefined : (options.until ?? prepared.experiment.score.until);
  const complete = options.reopen && !until ? completeRun(prepared, output, hash, modelSha256) : null;
  if (complete) {
    await engine;
    await warmUp;
    return { ...complete, reopened: true };
  }
  await engine;
  await warmUp;
  const { estimate, plans } = await planRun(prepared, options.machine, pool, options.outputDir);
  if (estimate.refusal) {
    const code = estimate.memoryBytes > estimate.memoryLimitBytes ? 'notEnoughMemory' : 'notEnoughDisk';
    throw new LayerifError(code, estimate.refusal);
  }
  const place = path.join(output, experimentName(prepared.file));
  let waited = false;
  const onProgress = (event: { done: number; total: number; message: string }): void => {
    waited = true;
    emit({ type: 'progress', runId: '', task: '', phase: 'load', ...event });
  };
  // What another process computes at this moment is taken over, not computed a second time.
  const lock = path.join(place, `.${hash.slice(0, 6)}.lock`);
  return await alone(lock, place, { onProgress, signal: options.signal }, async () => {
    const made = waited || until ? completeRun(prepared, output, hash, modelSha256, until) : null;
    const info = await pool.start(options.machine);
    const computation = computationOf(hash, stamp, info);
    /** Adds rows to a complete result where that is asked. */
    const grown = async (runId: string, { result, resultFile }: { result: Result; resultFile: string }) => {
      const growing = { prepared, result, resultFile, runId, stamp, engine: info, computation, options, pool, emit };
      if (until) await addRows({ ...growing, asked: until });
      emit({ type: 'finished', runId, resultFile, result });
      return { result, resultFile };
    };
    const experimentFile = prepared.file;
    if (made) {
      if (!until) return { ...made, reopened: true as const };
      begun.runId = path.basename(path.dirname(made.resultFile));
      const { runId } = begun;
      emit({ type: 'started', runId, experimentFile, resultFile: made.resultFile, resumed: false, estimate });
      return { ...(await grown(runId, made)), reopened: true as const };
    }
    const folder = openRunFolder(output, experimentName(prepared.file), hash);
    const { runId, resultFile } = folder;
    begun.runId = runId;
    try {
      const kept = path.join(folder.folder, 'partial');
      const finished = new FinishedParts(kept, computation);
      emit({ type: 'started', runId, experimentFile, resultFile, resumed: folder.resumed, estimate });
      for (const text of [
        ...(finished.removed ? [REMOVED] : []),
        ...estimate.warnings,
        `plan: ${planText(estimate.plan)}`,
      ])
        emit({ type: 'log', runId, text });
      for (const pid of ['self', info.pid] as const) resetPeakMemory(pid);
      const own = { prepared, plans, folder, finished, pool, engine: info, modelSha256, stamp, options, emit };
      return await grown(runId, { result: await run(own), resultFile });
    } finally {
      leaveRunFolder(folder);
    }
  });
}

/**
 * A run id has six digits of the hash, so what they stand for is compared too.
 *
 * @param until a run that was given more rows, or whose Grams are of all samples, is taken to go on with
 */
function completeRun(
  { file, experiment, dataSha256, tasks: prepared }: Prepared,
  output: string,
  hash: string,
  modelSha256: string,
  until?: Until,
): { result: Result; resultFile: string } | null {
  const found = runOfHash(output, experimentName(file), hash);
  if (!found || !fs.existsSync(found.resultFile)) return null;
  let result: Result;
  try {
    result = readResult(found.resultFile);
  } catch {
    return null; // a damaged result is none: the run begins anew beside it
  }
  const part = ({ model, datasets, tasks, score }: Experiment) =>
    JSON.stringify([model, datasets, tasks, { ...score, until: undefined }]);
  const rowsFit = () =>
    result.tasks.every(({ train, validation, subsample }, i) => {
      const own = nth(prepared, i);
      if (until) return subsample === undefined && train.samples >= own.train.length;
      return train.samples === own.train.length && validation.samples === own.validation.length;
    });
  const same =
    result.status === 'complete' &&
    result.model.sha256 === modelSha256 &&
    part(result.experiment) === part(experiment) &&
    JSON.stringify(result.provenance.dataSha256) === JSON.stringify(dataSha256) &&
    rowsFit();
  return same ? { result, resultFile: found.resultFile } : null;
}

/**
 * The engine reads a model's weights while this process reads and tokenizes the data, when they surely stay resident.
 */
async function warm(
  engine: Promise<EngineInfo>,
  pool: EnginePool,
  machine: Machine,
  checkpoint: Checkpoint,
  model: Architecture,
): Promise<void> {
  await engine;
  const limit = memoryLimit(machine);
  const rest = { unknown: 0.75 * limit };
  const { fits } = fitWeights(rest, { resident: weightBytes(checkpoint, model).total }, limit);
  if (fits) await pool.preload(checkpoint.path, checkpoint.adapter?.path);
}

interface Run {
  prepared: Prepared;
  plans: TaskPlan[];
  folder: RunFolder;
  finished: FinishedParts;
  pool: EnginePool;
  engine: EngineInfo;
  modelSha256: string;
  /** Of the model's files before the run. */
  stamp: string;
  options: ScoreOptions;
  emit: (event: RunEvent) => void;
}

async function run({
  prepared,
  plans,
  folder,
  finished,
  pool,
  engine,
  modelSha256,
  stamp,
  options,
  emit,
}: Run): Promise<Result> {
  const started = performance.now();
  const result = emptyResult(prepared, modelSha256, engine, nth(plans, 0).plan);
  writeJson(folder.resultFile, result);
  const layerFiles: { task: string; files: string[] }[] = [];
  let written = performance.now();
  const onScored = (): void => {
    if (performance.now() - written >= WRITE_INTERVAL_MS) {
      writeJson(folder.resultFile, result);
      written = performance.now();
    }
    emit({ type: 'layers', runId: folder.runId, result });
  };

  const observing = observed(prepared, plans, options, { runFolder: folder.folder, modelSha256 });
  const shared = { prepared, plans, runId: folder.runId, finished, pool, options, emit, observing };
  for (const [index, task] of prepared.tasks.entries()) {
    const target = emptyTask(prepared, task);
    const { sums } = nth(plans, index).plan;
    if (sums) target.subsample = sums.subsample;
    result.tasks.push(target);
    const files = await scoreTask(shared, { task, index, target, stamp, onScored }, result);
    layerFiles.push({ task: task.task.task, files });
  }

  mergeGrams(path.join(folder.folder, GRAMS_FILE), layerFiles, weightCounts(prepared));
  result.provenance.seconds.total = (performance.now() - started) / 1000;
  complete(folder.resultFile, result, finished);
  return result;
}

/** What scores need of the gradients, where the plan has them whole and memory for it is left. */
function observed(
  prepared: Prepared,
  plans: readonly TaskPlan[],
  { scores = [], machine }: ScoreOptions,
  place: { runFolder: string; modelSha256: string },
): Alongside | null {
  const wanted = alongside(prepared, scores, place);
  if (!wanted) return null;
  const { plan, memoryBytes } = nth(plans, wanted.task);
  return plan.projection === null && !plan.sums && memoryBytes + wanted.memoryBytes <= memoryLimit(machine)
    ? wanted
    : null;
}

function emptyResult(
  prepared: Prepared,
  modelSha256: string,
  engine: EngineInfo,
  { projection, sums }: TaskPlan['plan'],
): Result {
  const { experiment, checkpoint, model, scope } = prepared;
  return {
    format: 'layerif-result',
    version: 1,
    status: 'partial',
    experiment,
    experimentFile: prepared.file,
    model: {
      name: checkpoint.name,
      family: model.family,
      layers: model.layers,
      parameters: scope.parameters,
      scoredParameters: scope.scoredParameters,
      modules: unitNames(prepared),
      coverage: scope.coverage,
      sha256: modelSha256,
      ...(prepared.notes.length === 0 ? {} : { notes: prepared.notes }),
      ...(checkpoint.revision === undefined ? {} : { revision: checkpoint.revision }),
    },
    score: {
      estimator: experiment.score.estimator,
      sign: 'positive_is_helpful',
      projection: projection && { ...projection, error: [] },
      ...(sums ? { accumulate: 'sums' as const } : {}),
      ...(experiment.score.fisher ? { fisher: experiment.score.fisher } : {}),
    },
    tasks: [],
    provenance: {
      ...provenanceOf(engine, { seconds: {}, dataSha256: prepared.dataSha256, seed: experiment.score.seed }),
      peakMemoryBytes: 0,
    },
  };
}

/**
 * What finished layers must have in common beside the plan. The hash is of what is scored; times tell a model that was
 * another one in between; an engine of another version or device rounds otherwise.
 */
function computationOf(hash: string, stamp: string, engine: EngineInfo): unknown {
  return { hash, stamp, ...engineOf(engine) };
}

/**
 * Hash of everything that decides the numbers: resolved experiment, data, model with its configuration (the weights may
 * be the same under another), and the tokens, which tell the tokenizer. Where results are written is not part of it,
 * nor how long rows are added.
 */
function identity({ experiment, checkpoint, checkpoints, tasks, dataSha256 }: Prepared, modelSha256: string): string {
  const { model, datasets, tasks: asked, score: declared } = experiment;
  const score = { ...declared, until: undefined };
  const hash = createHash('sha256');
  hash.update(JSON.stringify([model, datasets, asked, score, dataSha256, modelSha256, checkpoint.revision ?? null]));
  hash.update(JSON.stringify(checkpoint.config));
  if (checkpoints) hash.update(JSON.stringify(checkpoints.map(({ sha256 }) => sha256)));
  for (const { train, validation } of tasks) {
    for (const { tokens, countedFrom } of [...train, ...validation]) {
      hash.update(`${tokens.length} ${countedFrom} `).update(tokens);
    }
  }
  return hash.digest('hex');
}

function asLayerifError(error: unknown): LayerifError {
  if (error instanceof LayerifError) return error;
  return new LayerifError('failed', error instanceof Error ? error.message : String(error), { cause: error });
}
