/**
 * Influence of single tokens. The loss of a validation sample is the mean over its N predicted tokens, so its gradient
 * is v_j = 1/N Σ_t v_{j,t}, and every estimator that is linear in v splits B[k, j] = 1/N Σ_t B[k, (j,t)]. Each token
 * becomes a validation sample of its own: the text up to it, with the last token predicted (later tokens cannot be
 * seen). The training gradients have to be computed again, for their inner products with new vectors, so this costs
 * nearly as much as the run did.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { Machine, RunEvent } from '../../../../protocol/run.ts';
import { subsampleWords } from '../../../../protocol/subsample.ts';
import type { TokenInfluence, TokenLayer } from '../../../../protocol/trust.ts';
import type { Sample } from '../../data/types.ts';
import { findEstimator } from '../../estimators/estimators.ts';
import type { Estimator, EstimatorOptions } from '../../estimators/types.ts';
import { collectTask } from './collectTask.ts';
import { engineOf, FinishedParts, tokensHash } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { untilEnd } from '../files/ending.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import type { StoredGrams } from '../files/gramFiles.ts';
import { limitsOf } from '../machine/machine.ts';
import { fits, planTask } from './plan.ts';
import { tokensFile, tokensStem } from './tokenFiles.ts';
import { requireLanguageModel } from '../inputs/scope.ts';
import { prepare } from '../inputs/prepare.ts';
import { chosenTasks, openRun } from './rescore.ts';
import { writeJson } from '../files/results.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';

import { emptyTask, layerGrams } from './taskResult.ts';
import { bytesText } from '../../text/bytes.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

export interface TokensOptions {
  /** Default: the only task. */
  task?: string | undefined;
  /** Validation sample, from 0. */
  validation: number;
  machine: Machine;
  engine?: EnginePool | undefined;
  onEvent?: ((event: RunEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @throws LayerifError `badRequest`: unknown sample, an estimator that is not a sum over tokens, data or model that
 *   changed since
 */
export function tokenInfluence(
  resultFile: string,
  options: TokensOptions,
): Promise<{ influence: TokenInfluence; file: string }> {
  return untilEnd(options.signal, async (onEnd) => {
    const { result, grams } = openRun(resultFile);
    const { score } = result.experiment;
    const estimator = findEstimator(score.estimator);
    requireLinear(estimator);
    const task = taskOf(result, resultFile, options);
    requirePairs(task, resultFile);
    const pool = engineFor(options.engine, onEnd);
    const prepared = await prepare(result.experimentFile, { tasks: [task.task] });
    onEnd(() => prepared.checkpoint.close());
    const sample = sameSample(prepared, result, task, options.validation, await prepared.checkpoint.sha256());
    const positions = Array.from(
      { length: sample.tokens.length - sample.countedFrom },
      (_, i) => sample.countedFrom + i,
    );
    const single: PreparedTask = {
      ...nth(prepared.tasks, 0),
      validation: positions.map((t) => ({ ...sample, tokens: sample.tokens.slice(0, t + 1), countedFrom: t })),
    };
    const folder = path.dirname(resultFile);
    const workDir = path.join(folder, 'partial', tokensStem(task.task, options.validation));
    const files = await collectTokens(prepared, single, workDir, pool, result, options);
    const layers = await perLayer({ prepared, task, grams, estimator, options, files, tokens: positions.length });
    const { tokenizer } = prepared.opened;
    const { file, row, line } = nth(task.validation.rows, options.validation);
    const influence: TokenInfluence = {
      format: 'layerif-tokens',
      version: 1,
      file: resultFile,
      model: result.model.name,
      task: task.task,
      estimator: estimator.id,
      validation: options.validation,
      row: { file, row, line },
      tokens: positions.map((position) => {
        const id = nth(sample.tokens, position);
        return { position, id, text: tokenizer.decode([id]) };
      }),
      layers: layers.map(({ stored: _, ...layer }) => layer),
      difference: differenceOf(layers),
      coverage: result.model.coverage,
    };
    const written = tokensFile(resultFile, task.task, options.validation);
    writeJson(written, influence);
    fs.rmSync(path.join(folder, 'partial'), { recursive: true, force: true });
    return { influence, file: written };
  });
}

/** @throws LayerifError `badRequest` */
function requireLinear({ id, needs }: Estimator): void {
  if (id !== 'cosine' && !needs.includes('checkpoints')) return;
  const why =
    id === 'cosine'
      ? 'a cosine is divided by the size of the whole gradient, so it is no sum over tokens'
      : 'tracin needs the training gradients of every checkpoint again';
  throw new LayerifError(
    'badRequest',
    `token influence does not exist for estimator ${id}: ${why}; score with datainf, fisher, relatif, lissa, dot or ekfac`,
  );
}

/** @throws LayerifError `badRequest` for a run by sums */
function requirePairs(task: ResultTask, file: string): void {
  const words = subsampleWords(task);
  if (words === null) return;
  throw new LayerifError(
    'badRequest',
    `task "${task.task}" of ${file} was scored by sums of gradients, with inner products of ${words} alone, and the tokens of a validation sample need those of all training samples: score with accumulate: grams; the influence of each token of the training samples is in ${GRAMS_FILE} (token_influence)`,
  );
}

function taskOf(result: Result, file: string, { task, validation }: TokensOptions): ResultTask {
  if (task === undefined && result.tasks.length > 1) {
    throw new LayerifError(
      'badRequest',
      `${file} has ${result.tasks.length} tasks: choose one with --task: ${result.tasks.map((t) => t.task).join(', ')}`,
    );
  }
  const [found] = take(chosenTasks(result, file, task === undefined ? undefined : [task]), 1);
  if (Number.isInteger(validation) && validation >= 0 && validation < found.validation.samples) return found;
  throw new LayerifError(
    'badRequest',
    `task "${found.task}" has no validation sample ${validation}: use 0 to ${found.validation.samples - 1}`,
  );
}

/** The sample as it was scored. @throws LayerifError `badRequest` where experiment, data or model changed since */
function sameSample(
  prepared: Prepared,
  result: Result,
  { task, train, validation }: ResultTask,
  index: number,
  modelSha256: string,
): Sample {
  const changed = (what: string) =>
    new LayerifError(
      'badRequest',
      `${what} of ${result.experimentFile} changed since the run, so its tokens cannot be told apart any more: run layerif score again`,
    );
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (modelSha256 !== result.model.sha256) throw changed('the model');
  if (!same(prepared.experiment.score, result.experiment.score)) throw changed('the section score');
  if (prepared.graph) throw new LayerifError('badRequest', 'token influence needs a checkpoint, not an .onnx graph');
  requireLanguageModel(prepared.model, prepared.checkpoint, 'the influence of tokens');
  const [own] = take(prepared.tasks, 1);
  const target = emptyTask(prepared, own);
  if (!same(target.train.rows, train.rows) || !same(target.validation.rows, validation.rows)) throw changed('the data');
  const hashes = Object.entries(prepared.dataSha256);
  if (hashes.some(([file, hash]) => result.provenance.dataSha256[file] !== hash)) throw changed('the data');
  const sample = nth(own.validation, index);
  if (prepared.model.lengthMatters(sample.tokens.length)) {
    throw new LayerifError(
      'badRequest',
      `validation sample ${index} of task "${task}" is so long that this model's positions depend on the length of the text: token influence needs a shorter sample`,
    );
  }
  return sample;
}

/** Grams with one validation sample per token, by layer. */
async function collectTokens(
  prepared: Prepared,
  task: PreparedTask,
  workDir: string,
  pool: EnginePool,
  result: Result,
  { machine, onEvent = () => undefined, signal }: TokensOptions,
): Promise<Map<number, string>> {
  const limits = limitsOf(machine, path.dirname(workDir));
  const plan = planTask(prepared, task, limits, result.score.projection?.rank ?? null);
  if (!fits(plan, limits)) {
    throw new LayerifError(
      'notEnoughMemory',
      `not enough memory or disk for token influence: it needs ${bytesText(plan.memoryBytes)} of memory and ${bytesText(plan.diskBytes)} of disk; raise --memory`,
    );
  }
  const files = new Map<number, string>();
  const finished = new FinishedParts(workDir, {
    model: result.model.sha256,
    stamp: modelStamp(prepared.checkpoint),
    score: prepared.experiment.score,
    samples: [tokensHash(task.train), tokensHash(task.validation)],
    ...engineOf(await pool.start(machine)),
  });
  await collectTask(
    {
      prepared,
      plans: [plan],
      runId: '',
      finished,
      pool,
      options: { machine, signal },
      emit: onEvent,
    },
    {
      task,
      index: 0,
      target: emptyTask(prepared, task),
      onLayer: (layer, file) => void files.set(layer, file),
    },
    { ...result, provenance: { ...result.provenance, seconds: {} } },
  );
  return files;
}

interface Work {
  prepared: Prepared;
  task: ResultTask;
  grams: StoredGrams;
  estimator: Estimator;
  options: TokensOptions;
  files: ReadonlyMap<number, string>;
  /** Predicted tokens N. */
  tokens: number;
}

/** @returns per layer also the influence that the run stored for the sample */
async function perLayer({
  prepared,
  task,
  grams,
  estimator,
  options,
  files,
  tokens,
}: Work): Promise<(TokenLayer & { stored: number })[]> {
  const { damping, relatif } = prepared.experiment.score;
  const layers: (TokenLayer & { stored: number })[] = [];
  for (const { index, name } of task.layers) {
    await setImmediate();
    options.signal?.throwIfAborted();
    const found = new Map(layerGrams(prepared, index, files.get(index)!).map((one) => [one.module, one.grams]));
    const influence = new Array<number>(tokens).fill(0);
    let stored = 0;
    for (const { module, grams: whole } of grams.layer(task.task, index)) {
      const settings: EstimatorOptions = { damping, relatif, signal: options.signal, where: `${name} ${module}` };
      const split = found.get(module)!;
      const { B } = estimator.influence({ ...split, K: whole.K }, settings);
      const run = estimator.influence(whole, settings).B;
      for (let k = 0; k < whole.n; k++) {
        for (let t = 0; t < tokens; t++) influence[t] = nth(influence, t) + nth(B, k * tokens + t) / tokens;
        stored += nth(run, k * whole.m + options.validation);
      }
    }
    layers.push({ index, name, influence, sum: influence.reduce((a, b) => a + b, 0), stored });
  }
  return layers;
}

function differenceOf(layers: readonly { sum: number; stored: number }[]): number {
  const largest = Math.max(...layers.map(({ stored }) => Math.abs(stored)));
  const off = Math.max(...layers.map(({ sum, stored }) => Math.abs(sum - stored)));
  return largest > 0 ? off / largest : off;
}
