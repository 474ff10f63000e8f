/**
 * `layerif evaluate`: accuracy and perplexity of a model on the experiment's tasks, by the rules of
 * lm-evaluation-harness.
 */
import type { FetchOptions } from '../inputs/hubInputs.ts';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EvaluateSummary, EvaluatedSample, Evaluation } from '../../../../protocol/evaluation.ts';
import { EVALUATION_SUFFIX } from '../../../../protocol/evaluation.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { endTokens } from '../../checkpoints/generationConfig.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { placeOf } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import type { Pipeline } from '../../evaluation/filters.ts';
import { mean, meanStandardError } from '../../evaluation/metrics.ts';
import type { Outcome } from '../../evaluation/metrics.ts';
import { chosenMetrics, summarise } from '../../evaluation/summary.ts';
import type { TaskSummary } from '../../evaluation/summary.ts';
import type { Architecture } from '../../models/types.ts';
import { languageConfig } from '../../models/wrappers.ts';
import { requireWritable } from '../../files/writing.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { evaluationInput, readsOf } from '../inputs/evaluationInput.ts';
import type { Document, EvaluationInput, EvaluationSelection, TaskInput } from '../inputs/evaluationInput.ts';
import { openExperiment, readExperiment } from '../inputs/openExperiment.ts';
import { memoryLimit } from '../machine/machine.ts';
import { planPass, runPass } from '../machine/observing.ts';
import type { ObservedModel } from '../machine/observing.ts';
import { generateTexts } from '../generate/generateTexts.ts';
import type { GenerateTools } from '../generate/generateTexts.ts';
import { experimentName, newFolder, newRunId, writeJson } from '../files/results.ts';
import { untilEnd } from '../files/ending.ts';
import { relativeTo } from '../files/paths.ts';
import { dataHashes, provenanceOf } from '../files/provenance.ts';
import { nth } from '../../lists/nth.ts';
import { entry } from '../../lists/entry.ts';

const TOKENS_PER_BATCH = 2048;

export interface EvaluateOptions extends EvaluationSelection {
  file: string;
  /** In place of the experiment's model: a folder, a file or a hub id; relative to the working folder. */
  model?: string | undefined;
  outputDir?: string | undefined;
  /** Keep every document's log-likelihoods in the file. */
  logSamples?: boolean | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  onWarning?: FetchOptions['onWarning'];
  signal?: AbortSignal | undefined;
}

/** @throws LayerifError */
export function evaluateExperiment(
  options: EvaluateOptions,
): Promise<{ evaluation: Evaluation; evaluationFile: string }> {
  const started = performance.now();
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const own = options.model === undefined ? null : { path: options.model };
    const read = readExperiment(options.file, 'evaluate', (experiment) => ({
      ...experiment,
      model: { ...experiment.model, ...own },
    }));
    const { file, baseDir, experiment } = read;
    const opened = await openExperiment(read, { fetching: options, ...(own && { model: own, modelDir: '.' }) });
    onEnd(() => opened.close());
    const { checkpoint, model } = opened;
    const tasks = experiment.tasks.filter(({ task }) => options.tasks?.includes(task) ?? true);
    await opened.fetchDatasets([...tasks.map(({ dataset }) => dataset), experiment.evaluate?.perplexity?.dataset]);
    const reads = readsOf(checkpoint, model, experiment);
    const input = await evaluationInput(experiment, baseDir, opened.tokenizer, reads, options);
    const output = path.resolve(baseDir, options.outputDir ?? experiment.output_dir);
    requireWritable(output);
    const engine = await pool.start(options.machine);
    const summary = await runEvaluation(pool, checkpoint, model, input, options);
    const target = { checkpoint, model, adapter: checkpoint.adapter?.path ?? null };
    const answers = await writtenAnswers(target, input, { ...options, pool, tokenizer: opened.tokenizer });
    const { numbers } = measure(input, summary, answers);
    const evaluation: Evaluation = {
      format: 'layerif-evaluation',
      version: 1,
      ...numbers,
      configs: Object.fromEntries(
        input.tasks.map(({ name, task, split }) => [name, { ...task, split, max_length: reads.maxLength }]),
      ),
      ...(input.skipped.length > 0 ? { skipped: input.skipped } : {}),
      ...(options.logSamples ? { samples: samplesOf(input, summary, answers, baseDir) } : {}),
      model: { name: checkpoint.name, family: model.family, sha256: await checkpoint.sha256() },
      experimentFile: file,
      provenance: provenanceOf(engine, {
        seconds: (performance.now() - started) / 1000,
        dataSha256: await dataHashes(input.files, baseDir),
        seed: experiment.score.seed,
      }),
    };
    const name = experimentName(file);
    const run = newFolder(path.join(output, name), (now) => `evaluation-${newRunId(evaluation.model.sha256, now)}`);
    const evaluationFile = path.join(output, name, run, `${name}${EVALUATION_SUFFIX}`);
    writeJson(evaluationFile, evaluation);
    return { evaluation, evaluationFile };
  });
}

/** Log-likelihoods of all sequences, by the weights that the engine has now. @throws LayerifError */
export async function runEvaluation(
  pool: EnginePool,
  checkpoint: Checkpoint,
  model: Architecture,
  { sequences }: EvaluationInput,
  { machine, onProgress, signal }: Pick<EvaluateOptions, 'machine' | 'onProgress' | 'signal'>,
): Promise<EvaluateSummary> {
  const limit = memoryLimit(machine);
  const target = { checkpoint, model, adapter: checkpoint.adapter?.path ?? null };
  const asked = [{ name: 'texts', of: 'log_probabilities', options: {} }] as const;
  const pass = planPass(target, sequences, asked, limit, { tokensPerBatch: TOKENS_PER_BATCH });
  const total = sequences.length;
  const onLayers = (event: { done: number; total: number }): void => {
    const done = Math.floor((event.done / event.total) * total);
    onProgress?.({ done, total, message: `evaluating: ${done} of ${total} texts` });
  };
  const { observations } = await runPass(pass, { pool, machine, onProgress: onLayers, signal }, null, true);
  const texts = entry(observations, 'texts');
  return {
    logLikelihood: Float64Array.from(entry(texts, 'logLikelihood').data),
    greedy: Uint8Array.from(entry(texts, 'misses').data, (count) => (count === 0 ? 1 : 0)),
    counted: Int32Array.from(entry(texts, 'counted').data),
  };
}

export interface Measured {
  numbers: Pick<Evaluation, 'results' | 'versions' | 'n-shot' | 'n-samples' | 'higher_is_better'>;
  /** By the same names: what each document, or window of a perplexity (`loss`), contributes. */
  contributions: Record<string, Record<string, number>[]>;
}

/**
 * What the model writes behind the prompts of all tasks; those of one way of choosing tokens go through it together.
 */
async function writtenAnswers(
  target: ObservedModel,
  { prompts }: EvaluationInput,
  tools: GenerateTools,
): Promise<string[]> {
  const answers = new Array<string>(prompts.length);
  const groups = new Map<string, number[]>();
  prompts.forEach(({ sampling }, i) => {
    const key = JSON.stringify(sampling);
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  const config = languageConfig(target.checkpoint.config);
  for (const group of groups.values()) {
    const { sampling } = nth(prompts, nth(group, 0));
    const eos = endTokens(target.checkpoint, config, (token) => tools.tokenizer.idOf(token));
    // Greedy repeats are the same text: it is written once.
    const apart = sampling.doSample ? group : [...new Map(group.map((i) => [prompts[i], i])).values()];
    const { texts } = await generateTexts(
      target,
      apart.map((i) => nth(prompts, i)),
      { eos, sampling },
      tools,
    );
    const byPrompt = new Map(apart.map((i, t) => [prompts[i], nth(texts, t).text]));
    group.forEach((i) => (answers[i] = byPrompt.get(prompts[i])!));
    if (sampling.doSample) apart.forEach((i, t) => (answers[i] = nth(texts, t).text));
  }
  return answers;
}

/** By filter: what it makes of the answers to each document. */
function filtered(
  { pipelines, documents }: TaskInput,
  answers: readonly string[],
): Record<string, (string | string[])[]> {
  return Object.fromEntries(
    pipelines.map(({ name, apply }) => [
      name,
      documents.map(({ written, row }) =>
        applied(
          apply,
          (written?.prompts ?? []).map((i) => nth(answers, i)),
          row,
        ),
      ),
    ]),
  );
}

/** @throws LayerifError `badData` with file and row, for columns that a filter does not find */
function applied(apply: Pipeline['apply'], answers: readonly string[], row: Row): string | string[] {
  try {
    return apply(answers, row.values);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LayerifError('badData', `row ${row.row}: ${reason}`, { place: placeOf(row), cause: error });
  }
}

/** The numbers of every task, and of the perplexity. @param answers of `input.prompts` */
export function measure(input: EvaluationInput, summary: EvaluateSummary, answers: readonly string[] = []): Measured {
  const numbers: Measured['numbers'] = {
    results: {},
    versions: {},
    'n-shot': {},
    'n-samples': {},
    higher_is_better: {},
  };
  const contributions: Measured['contributions'] = {};
  const put = (name: string, shots: number, original: number, count: number, part: TaskSummary): void => {
    numbers.results[name] = { alias: name, ...part.results };
    numbers.versions[name] = 0;
    numbers['n-shot'][name] = shots;
    numbers['n-samples'][name] = { original, effective: count };
    numbers.higher_is_better[name] = part.higherIsBetter;
    contributions[name] = part.contributions;
  };
  for (const part of input.tasks) {
    const { name, task, metrics, documents, original } = part;
    const outcomes = documents.map((d) => outcomeOf(d, summary));
    put(name, task.num_fewshot, original, documents.length, summarise(metrics, outcomes, filtered(part, answers)));
  }
  if (input.perplexity) {
    const { dataset, windows, documents } = input.perplexity;
    const losses = windows.map((i): [number, number] => [-nth(summary.logLikelihood, i) / nth(summary.counted, i), 1]);
    const perplexity = Math.exp(mean(losses));
    const error = meanStandardError(losses);
    const outcomes = documents.map((d) => outcomeOf(d, summary));
    const part = summarise(chosenMetrics('loglikelihood_rolling', undefined), outcomes);
    put(`perplexity:${dataset}`, 0, documents.length, documents.length, {
      results: {
        'perplexity,none': perplexity,
        // The standard error of the mean loss, carried through the exponential.
        'perplexity_stderr,none': error === null ? 'N/A' : perplexity * error,
        ...part.results,
      },
      higherIsBetter: { perplexity: false, ...part.higherIsBetter },
      contributions: losses.map(([loss]) => ({ loss })),
    });
  }
  return { numbers, contributions };
}

function outcomeOf(
  { candidates, choices, golds, written }: Document,
  { logLikelihood, greedy }: EvaluateSummary,
): Outcome {
  return {
    logLikelihoods: candidates.map((c) => c.sequences.reduce((sum, i) => sum + nth(logLikelihood, i), 0)),
    greedy: candidates.map((c) => c.sequences.every((i) => greedy[i] === 1)),
    choices,
    golds,
    targets: written?.targets,
  };
}

function samplesOf(
  input: EvaluationInput,
  summary: EvaluateSummary,
  answers: readonly string[],
  baseDir: string,
): Record<string, EvaluatedSample[]> {
  const entries = input.tasks.map((part): [string, EvaluatedSample[]] => {
    const { name, metrics, documents } = part;
    const byFilter = filtered(part, answers);
    const outcomes = documents.map((d) => outcomeOf(d, summary));
    const { contributions } = summarise(metrics, outcomes, byFilter);
    return [
      name,
      documents.map((document, i) => {
        const { logLikelihoods, greedy } = outcomeOf(document, summary);
        return {
          doc_id: i,
          file: relativeTo(baseDir, document.row.file),
          row: document.row.row,
          target: document.golds[0] ?? 0,
          candidates: document.candidates.map(({ context, continuation, sequences }, c) => ({
            context,
            continuation,
            logLikelihood: nth(logLikelihoods, c),
            greedy: nth(greedy, c),
            tokens: sequences.reduce((sum, s) => sum + nth(summary.counted, s), 0),
          })),
          ...(document.written
            ? {
                generated: {
                  context: document.written.context,
                  answers: document.written.prompts.map((prompt) => nth(answers, prompt)),
                  filtered: Object.fromEntries(
                    Object.entries(byFilter).map(([filter, list]) => [filter, nth(list, i)]),
                  ),
                  targets: document.written.targets,
                },
              }
            : {}),
          metrics: nth(contributions, i),
        };
      }),
    ];
  });
  return Object.fromEntries(entries);
}
