/**
 * `layerif validate`: does influence predict what retraining does, on the user's own model and data? Runs the protocols
 * one after the other and writes `NAME.layerif-validation.json` after each; an interrupted validation of the same
 * experiment, data and model goes on.
 */
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ProtocolId } from '../../../../protocol/experiment.ts';
import { protocolIds } from '../../../../protocol/experiment.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { VALIDATION_SUFFIX } from '../../../../protocol/validation.ts';
import type { ValidationResult } from '../../../../protocol/validation.ts';
import { defaultValidation } from '../../config/validateSchema.ts';
import type { WholeSettings } from '../../config/validateSchema.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { prepare } from '../inputs/prepare.ts';
import { modelRefusals } from '../inputs/modelRefusals.ts';
import { requireNone } from '../inputs/refusals.ts';
import { requireSupported } from '../inputs/supported.ts';
import { complete, untilEnd } from '../files/ending.ts';
import { engineOf, FinishedParts, removedText, tokensHash } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { experimentName, leaveRunFolder, openRunFolder, writeJson } from '../files/results.ts';
import { provenanceOf } from '../files/provenance.ts';
import { labelledSamples, ValidationContext } from './validateContext.ts';
import { protocols } from './validateProtocols.ts';
import { requireLanguageModel } from '../inputs/scope.ts';
import type { Prepared } from '../inputs/prepared.ts';
import { nth } from '../../lists/nth.ts';

export interface ValidateOptions {
  file: string;
  /** Default: the first task. */
  task?: string | undefined;
  /** In place of those of the experiment. */
  protocols?: readonly ProtocolId[] | undefined;
  outputDir?: string | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  onWarning?: FetchOptions['onWarning'];
  onStarted?: ((event: { resultFile: string; resumed: boolean }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws LayerifError `badExperiment`, `badRequest`, `badData`, `badModel`, `notEnoughMemory`, `cancelled` */
export function validateExperiment(
  options: ValidateOptions,
): Promise<{ result: ValidationResult; resultFile: string }> {
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const all = await prepare(
      options.file,
      options.task === undefined ? {} : { tasks: [options.task] },
      undefined,
      options,
    );
    onEnd(() => all.checkpoint.close());
    const prepared = { ...all, tasks: all.tasks.slice(0, 1) };
    const { settings, layers, modules } = settingsFor(prepared, options.protocols);
    const modelSha256 = await prepared.checkpoint.sha256();
    const output = path.resolve(prepared.baseDir, options.outputDir ?? prepared.experiment.output_dir);
    const hash = identity(prepared, settings, modelSha256);
    const folder = openRunFolder(output, experimentName(prepared.file), hash, VALIDATION_SUFFIX);
    onEnd(() => leaveRunFolder(folder));
    options.onStarted?.(folder);
    const started = performance.now();
    const engine = await pool.start(options.machine);
    const { task } = nth(prepared.tasks, 0);
    const samples = await samplesFor(prepared, settings);
    const finished = new FinishedParts(path.join(folder.folder, 'partial'), {
      hash,
      stamp: modelStamp(prepared.checkpoint),
      samples: [samples.train, samples.validation].map(tokensHash),
      ...engineOf(engine),
    });
    if (finished.removed) options.onProgress?.({ done: 0, total: 1, message: removedText('validation') });
    const result: ValidationResult = {
      format: 'layerif-validation',
      version: 1,
      status: 'partial',
      experiment: prepared.experiment,
      experimentFile: prepared.file,
      task: task.task,
      model: {
        name: prepared.checkpoint.name,
        family: prepared.model.family,
        layers: prepared.model.layers,
        sha256: modelSha256,
      },
      settings,
      layers,
      modules,
      samples: { train: samples.train.length, validation: samples.validation.length },
      protocols: [],
      skipped: [],
      provenance: {
        ...provenanceOf(engine, { seconds: 0, dataSha256: prepared.dataSha256, seed: prepared.experiment.score.seed }),
        retrainings: 0,
      },
    };
    writeJson(folder.resultFile, result);
    const chosen = protocolIds.filter((id) => settings.protocols.includes(id));
    let done = 0;
    let furthest = 0;
    const context = new ValidationContext({
      prepared,
      settings,
      layers,
      modules,
      ...samples,
      finished,
      pool,
      machine: options.machine,
      signal: options.signal,
      onProgress: ({ message, phase: [from, to], ...part }) => {
        const within = part.total ? (part.done ?? 0) / part.total : 0;
        // Of all protocols; an interrupted one that goes on is not behind where it was.
        furthest = Math.max(furthest, done + from + (to - from) * within);
        const share = Math.round(1000 * furthest);
        options.onProgress?.({ done: share, total: 1000 * chosen.length, message: `${chosen[done]}: ${message}` });
      },
    });
    for (const id of chosen) {
      options.signal?.throwIfAborted();
      const obstacle = protocols[id].obstacle(context.options);
      const begun = performance.now();
      if (obstacle !== null) result.skipped.push({ protocol: id, reason: obstacle });
      else {
        const answer = await protocols[id].run(context);
        const seconds = (performance.now() - begun) / 1000;
        result.protocols.push({ protocol: id, title: protocols[id].title, ...answer, seconds });
      }
      done += 1;
      result.provenance.retrainings = context.retrainings;
      writeJson(folder.resultFile, result);
    }
    requireSome(result.protocols, result.skipped);
    result.provenance.seconds = (performance.now() - started) / 1000;
    complete(folder.resultFile, result, finished);
    return { result, resultFile: folder.resultFile };
  });
}

/** @throws LayerifError `badExperiment`, `badModel` */
function settingsFor(
  prepared: Prepared,
  chosen: readonly ProtocolId[] | undefined,
): { settings: WholeSettings; layers: number[]; modules: string[] } {
  requireLanguageModel(prepared.model, prepared.checkpoint, 'validation by retraining');
  const settings = settingsOf(prepared, chosen);
  return { settings, ...trainedScope(prepared, settings) };
}

/** @throws LayerifError `badData` for too few */
async function samplesFor(prepared: Prepared, settings: WholeSettings) {
  const { task } = nth(prepared.tasks, 0);
  const samples = await labelledSamples(prepared, task, settings);
  requireSamples(samples, task.task);
  return samples;
}

/** @throws LayerifError `badRequest` where every protocol was skipped */
function requireSome(done: readonly unknown[], skipped: ValidationResult['skipped']): void {
  if (done.length > 0) return;
  throw new LayerifError(
    'badRequest',
    `nothing could be validated: ${skipped.map(({ protocol, reason }) => `${protocol}: ${reason}`).join('; ')}`,
  );
}

/**
 * All that a validation is refused for before anything is trained.
 * @param all of the tasks that are scored, with their samples
 * @returns protocols that it leaves out, and why
 * @throws LayerifError as `validateExperiment`
 */
export async function foreseenValidation(all: Prepared): Promise<ValidationResult['skipped']> {
  const prepared = { ...all, tasks: all.tasks.slice(0, 1) };
  const { settings } = settingsFor(prepared, undefined);
  const facts = { prepared, settings, ...(await samplesFor(prepared, settings)) };
  const skipped: ValidationResult['skipped'] = [];
  const done: ProtocolId[] = [];
  for (const id of protocolIds.filter((id) => settings.protocols.includes(id))) {
    const reason = protocols[id].obstacle(facts);
    if (reason !== null) {
      skipped.push({ protocol: id, reason });
      continue;
    }
    await protocols[id].requires?.(facts);
    done.push(id);
  }
  requireSome(done, skipped);
  return skipped;
}

/** @throws LayerifError `badExperiment` */
function settingsOf({ experiment, file }: Prepared, chosen: readonly ProtocolId[] | undefined): WholeSettings {
  requireSupported(experiment, file, 'validate');
  const settings = { ...defaultValidation, ...experiment.validate };
  return chosen === undefined ? settings : { ...settings, protocols: [...chosen] };
}

/** Layers that are trained and checked, and their modules. @throws LayerifError `badExperiment` */
function trainedScope({ model, scope, graph = null, experiment, file }: Prepared, settings: WholeSettings) {
  requireNone(modelRefusals, { model, graph, experiment }, 'validate', file);
  const layers = settings.retrain.layers ?? scope.layers.slice(-2);
  const present = new Set(layers.flatMap((layer) => model.modules(layer).map(({ name }) => name)));
  return { layers, modules: scope.modules.filter((name) => present.has(name)) };
}

/** @throws LayerifError `badData` */
function requireSamples({ train, validation }: { train: unknown[]; validation: unknown[] }, task: string): void {
  if (train.length >= 4 && validation.length >= 2) return;
  throw new LayerifError(
    'badData',
    `task "${task}" has ${train.length} training and ${validation.length} validation samples; validation by retraining needs at least 4 and 2`,
  );
}

/** Hash of everything that decides the numbers. */
function identity(prepared: Prepared, settings: WholeSettings, modelSha256: string): string {
  const { model, datasets, score, data_scores, evaluate } = prepared.experiment;
  const parts = [
    'validate',
    model,
    datasets,
    nth(prepared.tasks, 0).task,
    score,
    settings,
    data_scores,
    evaluate?.perplexity,
    prepared.dataSha256,
    modelSha256,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
