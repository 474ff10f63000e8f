/**
 * What the protocols of a validation ask for: Grams at the pretrained model or with a trained adapter, retrainings,
 * hidden states. Whatever is finished lies in the run folder, so an interrupted validation goes on where it stopped.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { LossId, Task } from '../../../../protocol/experiment.ts';
import type { OptimizerSettings } from '../../../../protocol/optimizer.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { LoraSettings, TrainOutcome, TrainRun } from '../../../../protocol/training.ts';
import { loadLabelled } from '../../data/labelledTask.ts';
import type { LabelledSample } from '../../data/labelledTask.ts';
import { datasetOf, slicesOf } from '../../data/loadTask.ts';
import type { WholeSettings } from '../../config/validateSchema.ts';
import { startsOf } from '../../scores/rowLosses.ts';
import { tokenPerplexities } from '../../scores/tokenMask.ts';
import type { Sample } from '../../data/types.ts';
import type { ModuleGrams } from '../../estimators/layerScores.ts';
import { optimizerDefaults } from '../../training/optimizers.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { readLayerGrams } from '../files/gramFiles.ts';
import { limitsOf, memoryLimit } from '../machine/machine.ts';
import { fits, planTask } from '../influence/plan.ts';
import type { TaskPlan } from '../influence/plan.ts';
import { numbersOf } from '../influence/collectTask.ts';
import { replacedText, type FinishedParts } from '../files/finished.ts';
import type { Prepared } from '../inputs/prepared.ts';

import { planPass, requireMemory, runPass } from '../machine/observing.ts';
import { bytesText } from '../../text/bytes.ts';
import { entry } from '../../lists/entry.ts';
import { nth } from '../../lists/nth.ts';

const CHECKPOINT_SECONDS = 10;
const TOKENS_PER_RUN = 1024;

/** Losses of all samples after a training. */
export interface Retrained {
  train: number[];
  validation: number[];
  gradientNorm: number;
}

/** Hidden states behind a layer, texts x hidden: of the last token, and the mean over the tokens. */
export interface Features {
  layer: number;
  hidden: number;
  last: Float32Array;
  mean: Float32Array;
}

/** A sample of which some tokens may be left out of the loss. */
export type MaskableSample = Sample & Pick<EncodedSample, 'counted'>;

/** Training and validation samples that belong together; `key` names their files. */
export interface SampleSet {
  key: string;
  train: readonly MaskableSample[];
  validation: readonly Sample[];
}

export interface ContextOptions {
  prepared: Prepared;
  settings: WholeSettings;
  layers: number[];
  modules: string[];
  train: LabelledSample[];
  validation: LabelledSample[];
  /** What an interrupted validation had finished, and what this one finishes. */
  finished: FinishedParts;
  pool: EnginePool;
  machine: Machine;
  signal: AbortSignal | undefined;
  onProgress: (event: ProtocolProgress) => void;
}

/** What is under way, and how much of the protocol's phase (`ValidationContext.phase`) is done, where it is known. */
export interface ProtocolProgress {
  message: string;
  done?: number;
  total?: number;
  /** Of the whole protocol, at the beginning and the end of the phase. */
  phase: readonly [number, number];
}

export class ValidationContext {
  readonly options: ContextOptions;
  readonly #trained = new Set<string>();
  #phase: readonly [number, number] = [0, 1];

  constructor(options: ContextOptions) {
    this.options = options;
  }

  /** What follows, until it is called again. @param from, to shares of the whole protocol, 0 .. 1 */
  phase(from: number, to: number): void {
    this.#phase = [from, to];
  }

  progress(event: Omit<ProtocolProgress, 'phase'>): void {
    this.options.onProgress({ ...event, phase: this.#phase });
  }

  /** Different trainings so far, those of an interrupted validation included. */
  get retrainings(): number {
    return this.#trained.size;
  }

  get seed(): number {
    return this.options.prepared.experiment.score.seed;
  }

  /** Where the adapter of a training is saved. */
  adapter(id: string): string {
    return this.options.finished.part({ adapter: id }).folder;
  }

  get lora(): LoraSettings {
    const { layers, modules, settings } = this.options;
    return { rank: settings.retrain.rank, alpha: settings.retrain.alpha, layers, modules };
  }

  /**
   * Grams of the chosen layers.
   * @param adapter folder of a trained adapter, whose factors are differentiated; null: the model's own matrices
   * @throws LayerifError
   */
  async grams(set: SampleSet, adapter: string | null): Promise<ModuleGrams[][]> {
    const { prepared, pool, machine, layers, modules, finished, signal } = this.options;
    const { plan } = this.plan(set);
    const kept = finished.part(
      { grams: set.key, at: adapter === null ? 'pretrained' : 'trained' },
      numbersOf(plan, false),
    );
    const workDir = kept.folder;
    if (kept.replaced) this.progress({ message: replacedText('gradients') });
    const names = adapter === null ? modules : modules.flatMap((name) => [`${name}.lora_A`, `${name}.lora_B`]);
    if (kept.read() === null) {
      this.progress({
        message: `gradients ${adapter === null ? 'of the pretrained model' : 'with the trained adapter'}`,
      });
      await pool.work(
        'collect',
        {
          modelPath: prepared.checkpoint.path,
          adapter: adapter ?? undefined,
          layers,
          modules: names,
          train: set.train.map(encoded),
          validation: set.validation.map(encoded),
          plan: { ...plan, checkpointSeconds: CHECKPOINT_SECONDS },
          workDir,
        },
        machine,
        () => undefined,
        signal,
      );
      kept.write({});
    }
    return layers.map((layer) => {
      const present = new Set(prepared.model.modules(layer).map((m) => m.name));
      const here = names.filter((name) => present.has(name.replace(/\.lora_[AB]$/, '')));
      const file = path.join(workDir, `layer-${layer}.safetensors`);
      return readLayerGrams(file, layer, here, (name) => this.#parameters(layer, name));
    });
  }

  /**
   * Losses after each training, in the order of `runs`; those that an interrupted validation had finished are not run
   * again.
   */
  async retrain(set: SampleSet, runs: readonly TrainRun[]): Promise<Retrained[]> {
    const { prepared, settings, pool, machine, signal, finished } = this.options;
    // The settings decide the rest: an id stands for one training.
    const parts = new Map(runs.map(({ id }) => [id, finished.part({ retrained: id })]));
    const isDone = ({ id, save }: TrainRun) =>
      parts.get(id)!.read() !== null && (save === null || fs.existsSync(path.join(save, 'adapter_config.json')));
    const open = runs.filter((run) => !isDone(run));
    if (open.length > 0) {
      const { plan } = this.plan(set);
      await pool.work(
        'train',
        {
          modelPath: prepared.checkpoint.path,
          train: set.train.map(encoded),
          validation: set.validation.map(encoded),
          lora: this.lora,
          optimizer: optimizerOf(settings),
          batchSize: settings.retrain.batch_size,
          tokensPerRun: TOKENS_PER_RUN,
          segmentLength: 1,
          weights: plan.weights,
          runs: open,
        },
        machine,
        (event) => {
          if (event.type === 'trained') parts.get(event.outcome.id)!.write(retrained(event.outcome));
          if (event.type !== 'training') return;
          const { run, done, total } = event;
          this.progress({ message: `training ${run}, step ${done} of ${total}`, done, total });
        },
        signal,
      );
    }
    for (const { id } of runs) this.#trained.add(id);
    return runs.map(({ id }) => parts.get(id)!.read<Retrained>()!);
  }

  /** The task with its dataset and slices. */
  slices(): ReturnType<typeof taskSlices> {
    return taskSlices(this.options.prepared);
  }

  /** Samples of the task. @param changes other slices */
  labelled(changes: Partial<Task>, sizes: { train: number; validation: number }, loss?: LossId) {
    const { prepared } = this.options;
    return labelledSamples(prepared, { ...nth(prepared.tasks, 0).task, ...changes }, sizes, loss);
  }

  /** Of the counted tokens of each sample, under the model as it is before training. */
  async perplexities(samples: readonly Sample[]): Promise<number[][]> {
    const texts = samples.map(encoded);
    const asked = [{ name: 'tokens', of: 'token_log_probabilities' as const, options: {} }];
    const own = { samples: texts, tensors: entry(await this.#observed(texts, asked), 'tokens') };
    return [...startsOf(texts)].map((start, i) => tokenPerplexities(own, null, i, start).own);
  }

  /** Hidden states of texts behind layers, ascending. */
  async features(texts: readonly Int32Array[], layers: readonly number[]): Promise<Features[]> {
    const { model } = this.options.prepared;
    this.progress({ message: 'hidden states' });
    const samples = texts.map((tokens) => ({ tokens, countedFrom: tokens.length }));
    const asked = [{ name: 'states', of: 'hidden_pooled' as const, options: { layers: [...layers] } }];
    const states = entry(await this.#observed(samples, asked), 'states');
    const { hidden } = model;
    const size = texts.length * hidden;
    const part = (pool: string, i: number) =>
      Float32Array.from(entry(states, pool).data.subarray(i * size, (i + 1) * size));
    return layers.map((layer, i) => ({ layer, hidden, last: part('last', i), mean: part('mean', i) }));
  }

  /** Of the model as it is before training. @throws LayerifError `notEnoughMemory` */
  async #observed(samples: EncodedSample[], asked: Parameters<typeof planPass>[2]) {
    const { prepared, pool, machine, signal } = this.options;
    const { checkpoint, model } = prepared;
    const limit = memoryLimit(machine);
    const pass = planPass({ checkpoint, model, adapter: null }, samples, asked, limit);
    requireMemory(pass, limit, `observing ${samples.length} texts`);
    return (await runPass(pass, { pool, machine, signal })).observations;
  }

  /** @throws LayerifError `notEnoughMemory` */
  plan({ train, validation }: SampleSet): TaskPlan {
    const { prepared, layers, machine, finished } = this.options;
    const limits = limitsOf(machine, finished.folder);
    const here = { ...prepared, scope: { ...prepared.scope, layers } };
    const { task } = nth(prepared.tasks, 0);
    const plan = planTask(here, { task, train: [...train], validation: [...validation] }, limits);
    if (fits(plan, limits)) return plan;
    throw new LayerifError(
      plan.memoryBytes > limits.memoryBytes ? 'notEnoughMemory' : 'notEnoughDisk',
      `validating with ${train.length} training samples needs about ${bytesText(plan.memoryBytes)} of memory and ${bytesText(plan.diskBytes)} of disk, the limits are ${bytesText(limits.memoryBytes)} and ${bytesText(limits.diskBytes)}; lower validate.train or model.max_length, or raise --memory`,
    );
  }

  #parameters(layer: number, name: string): number {
    const { prepared, settings } = this.options;
    const [, base, side] = /^(.*?)(?:\.lora_([AB]))?$/.exec(name)!;
    const { rows, columns } = prepared.model.modules(layer).find((m) => m.name === base)!;
    if (side === undefined) return rows * columns;
    return settings.retrain.rank * (side === 'A' ? columns : rows);
  }
}

function encoded({ tokens, countedFrom, counted }: MaskableSample): EncodedSample {
  return { tokens, countedFrom, ...(counted ? { counted } : {}) };
}

/** The first task with its dataset and slices. @throws LayerifError `badData` */
export async function taskSlices({ tasks, experiment: { datasets }, baseDir }: Prepared) {
  const { task } = nth(tasks, 0);
  const dataset = await datasetOf({ task, datasets, baseDir });
  return { task, dataset, slices: await slicesOf(task, dataset) };
}

/** Of a task with its own slices. @throws LayerifError `badData` */
export function labelledSamples(
  { experiment, baseDir, opened }: Prepared,
  task: Task,
  sizes: { train: number; validation: number },
  loss: LossId = experiment.score.loss,
): ReturnType<typeof loadLabelled> {
  const { tokenizer } = opened;
  const maxLength = experiment.model.max_length;
  return loadLabelled({ task, datasets: experiment.datasets, baseDir, maxLength, loss, tokenizer }, sizes);
}

function retrained({ trainLoss, validationLoss, gradientNorm }: TrainOutcome): Retrained {
  return { train: [...trainLoss], validation: [...validationLoss], gradientNorm };
}

function optimizerOf({ retrain }: WholeSettings): OptimizerSettings {
  return {
    ...optimizerDefaults,
    id: retrain.optimizer,
    learningRate: retrain.learning_rate,
    weightDecay: retrain.weight_decay,
    schedule: retrain.schedule,
    warmupSteps: retrain.warmup_steps,
    clipNorm: retrain.max_grad_norm ?? null,
  };
}
