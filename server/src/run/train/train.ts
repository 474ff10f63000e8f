/**
 * `layerif train`: fine-tunes LoRA factors or whole matrices by the engine's one training loop and writes a PEFT
 * adapter or a model folder. The state of a training is kept every few seconds; the same command goes on behind its
 * last kept step, with the same numbers.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { TrainSettings } from '../../../../protocol/experiment.ts';
import type { OptimizerSettings } from '../../../../protocol/optimizer.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { TRAINING_SUFFIX } from '../../../../protocol/training.ts';
import type { TrainedLosses, TrainingResult, TrainOutcome, TrainRequest } from '../../../../protocol/training.ts';
import { optimizerDefaults } from '../../training/optimizers.ts';
import { learningRateAt } from '../../training/schedule.ts';
import { complete, untilEnd } from '../files/ending.ts';
import { canonicalJson, engineOf, FinishedParts, removedText, tokensHash } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { provenanceOf } from '../files/provenance.ts';
import { experimentName, leaveRunFolder, openRunFolder, writeJson } from '../files/results.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { fitWeights, requireFit } from '../machine/fitting.ts';
import type { WeightMode } from '../machine/fitting.ts';
import { memoryLimit } from '../machine/machine.ts';
import { blockWork, PROGRAMS, streamedBytes, weightBytes } from '../machine/memory.ts';
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { writePrunedModel } from '../prune/prunedModel.ts';
import { makeFolders } from '../../files/writing.ts';
import { prepareTraining } from './trainInput.ts';
import type { TrainInput } from './trainInput.ts';

/** Padded tokens of one run of a layer's graph. */
const TOKENS_PER_RUN = 1024;
const CHECKPOINT_SECONDS = 10;
/**
 * Bytes of a trained number: float64 master, gradient and two moments, the float32 copy of the graphs and a gradient.
 */
const PER_TRAINED = 40;
const HEAD_BYTES = 256 << 20;

export interface TrainOptions extends FetchOptions {
  file: string;
  /** Default: that of the section, else the first. */
  task?: string | undefined;
  outputDir?: string | undefined;
  /** Between two kept states. */
  checkpointSeconds?: number | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onStarted?: ((event: { resultFile: string; resumed: boolean }) => void) | undefined;
  onTraining?: ((event: { done: number; total: number; message: string }) => void) | undefined;
}

/** @throws LayerifError */
export function trainExperiment(options: TrainOptions): Promise<{ result: TrainingResult; resultFile: string }> {
  return untilEnd(options.signal, async (onEnd) => {
    const started = performance.now();
    const pool = engineFor(options.engine, onEnd);
    const input = await prepareTraining(options.file, options);
    onEnd(() => input.checkpoint.close());
    const { settings, checkpoint, experiment, task, layers, modules, train, validation } = input;
    const weights = requireMemory(input, options.machine);
    const sha256 = await checkpoint.sha256();
    const hash = createHash('sha256')
      .update(canonicalJson(['train', settings, task, experiment.model, sha256, masksOf(train), masksOf(validation)]))
      .digest('hex');
    const output = path.resolve(input.baseDir, options.outputDir ?? experiment.output_dir);
    const folder = openRunFolder(output, experimentName(input.file), hash, TRAINING_SUFFIX);
    onEnd(() => leaveRunFolder(folder));
    options.onStarted?.(folder);
    const engine = await pool.start(options.machine);
    const seed = settings.seed ?? experiment.score.seed;
    const parts = new FinishedParts(path.join(folder.folder, 'partial'), {
      hash,
      stamp: modelStamp(checkpoint),
      ...engineOf(engine),
    });
    const total = settings.steps + 2;
    const say = (done: number, message: string): void => options.onTraining?.({ done, total, message });
    if (parts.removed) say(0, removedText('training'));

    const optimizer = optimizerOf(settings);
    const request: Omit<TrainRequest, 'runs'> = {
      modelPath: checkpoint.path,
      train,
      validation,
      lora: { rank: settings.rank, alpha: settings.alpha, layers, modules },
      trains: settings.method === 'lora' ? 'factors' : 'matrices',
      accumulation: settings.gradient_accumulation_steps,
      optimizer,
      batchSize: settings.batch_size,
      tokensPerRun: TOKENS_PER_RUN,
      segmentLength: 1,
      weights,
    };
    const members = train.map((_, i) => i);
    const work = async (
      run: TrainRequest['runs'][number],
      onStep: (done: number, loss: number | undefined) => void,
    ): Promise<TrainOutcome> => {
      const outcomes = await pool.work(
        'train',
        { ...request, runs: [run] },
        options.machine,
        (event) => {
          if (event.type === 'training') onStep(event.done, event.loss);
        },
        options.signal,
      );
      for (const outcome of outcomes) return outcome;
      throw new Error(`the engine trained nothing for ${run.id}`);
    };
    const before = await parts.part('before').once(async () => {
      const run = { id: 'before', seed, samples: members, start: null, steps: 0, save: null };
      const outcome = await work(run, () => say(0, 'losses before training'));
      return { train: [...outcome.trainLoss], validation: [...outcome.validationLoss] };
    });

    const result = resultOf(input, { sha256, folder: folder.folder, seed, engine });
    writeJson(folder.resultFile, result);
    const trained = parts.part('trained');
    const save = path.join(trained.folder, 'weights');
    const kept = await trained.once(async () => {
      makeFolders(trained.folder);
      const seconds = options.checkpointSeconds ?? CHECKPOINT_SECONDS;
      const checkpoint = { file: path.join(trained.folder, 'state.safetensors'), key: hash, seconds };
      const run = { id: task.task, seed, samples: members, start: null, steps: settings.steps, save, checkpoint };
      const outcome = await work(run, (done, loss) =>
        say(
          1 + done,
          `step ${Math.min(done, settings.steps)} of ${settings.steps}${loss === undefined ? '' : `, loss ${loss.toFixed(4)}`}`,
        ),
      );
      return keptOf(outcome);
    });
    const target = path.join(folder.folder, result.output);
    place(input, save, target);
    result.train = lossesOf(before.train, kept.train);
    result.validation = validation.length === 0 ? null : lossesOf(before.validation, kept.validation);
    result.curve = kept.curve;
    result.learningRates = kept.curve.map((_, step) => learningRateAt(optimizer, step, settings.steps));
    result.gradientNorm = kept.gradientNorm;
    result.provenance.seconds = (performance.now() - started) / 1000;
    complete(folder.resultFile, result, parts);
    say(total, 'written');
    return { result, resultFile: folder.resultFile };
  });
}

/** What is kept of the finished training until everything is written. */
function keptOf({ trainLoss, validationLoss, curve, gradientNorm }: TrainOutcome) {
  return {
    train: [...trainLoss],
    validation: [...validationLoss],
    curve: [...curve],
    gradientNorm: Number.isFinite(gradientNorm) ? gradientNorm : null,
  };
}

/** The adapter as it is, or the model's files with the trained matrices. @throws LayerifError `cannotWrite` */
function place({ settings, checkpoint, model }: TrainInput, save: string, target: string): void {
  fs.rmSync(target, { recursive: true, force: true });
  if (settings.method === 'lora') {
    fs.cpSync(save, target, { recursive: true });
    return;
  }
  const replaced = [path.join(save, 'trained.safetensors')];
  writePrunedModel(target, { checkpoint, model, replaced, dropped: [], report: null });
}

function lossesOf(before: readonly number[], after: readonly number[]): TrainedLosses {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { before: mean(before), after: mean(after), samples: [...after] };
}

function resultOf(
  { experiment, file, task, checkpoint, model, settings, layers, modules, train, validation, dataSha256 }: TrainInput,
  {
    sha256,
    seed,
    engine,
  }: { sha256: string; folder: string; seed: number; engine: Parameters<typeof provenanceOf>[0] },
): TrainingResult {
  const all = [...train, ...validation];
  return {
    format: 'layerif-training',
    version: 1,
    status: 'partial',
    experiment,
    experimentFile: file,
    task: task.task,
    model: { name: checkpoint.name, family: model.family, layers: model.layers, sha256 },
    settings,
    trained: { layers, modules, parameters: trainedNumbers({ model, settings, layers, modules }) },
    samples: {
      train: train.length,
      validation: validation.length,
      tokens: all.reduce((sum, { tokens }) => sum + tokens.length, 0),
      counted: all.reduce((sum, sample) => sum + countedOf(sample), 0),
    },
    train: null,
    validation: null,
    curve: [],
    learningRates: [],
    gradientNorm: null,
    output: settings.method === 'lora' ? 'adapter' : 'model',
    provenance: provenanceOf(engine, { seconds: 0, dataSha256, seed }),
  };
}

function countedOf({ tokens, countedFrom, counted }: EncodedSample): number {
  return counted ? counted.reduce((sum, one) => sum + one, 0) : tokens.length - countedFrom;
}

/** Tokens and masks, hashed. */
function masksOf(samples: readonly EncodedSample[]): string {
  const hash = createHash('sha256').update(tokensHash(samples));
  for (const { counted } of samples) hash.update(counted ?? '-');
  return hash.digest('hex');
}

function trainedNumbers({
  model,
  settings: { method, rank },
  layers,
  modules,
}: Pick<TrainInput, 'model' | 'settings' | 'layers' | 'modules'>): number {
  return layers.reduce(
    (sum, layer) =>
      model
        .modules(layer)
        .filter(({ name, factor }) => !factor && modules.includes(name))
        .reduce((all, { rows, columns }) => all + (method === 'lora' ? rank * (rows + columns) : rows * columns), sum),
    0,
  );
}

/** @throws LayerifError `notEnoughMemory` */
export function requireMemory(input: TrainInput, machine: Machine): WeightMode {
  const { checkpoint, model, settings, layers, train, validation } = input;
  const all = [...train, ...validation];
  const longest = all.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const tokens = all.reduce((sum, sample) => sum + sample.tokens.length, 0);
  const runTokens = Math.max(longest, TOKENS_PER_RUN);
  const numbers = trainedNumbers(input);
  const bytes = weightBytes(checkpoint, model);
  const limit = memoryLimit(machine);
  const { weights, memoryBytes } = fitWeights(
    {
      programs: PROGRAMS,
      head: HEAD_BYTES,
      trained: PER_TRAINED * numbers,
      // Inputs of the lowest trained layer, in memory and in runs that come again; inputs of every trained layer of a
      // run.
      kept: 8 * tokens * model.hidden + 4 * runTokens * model.hidden * (model.layers - Math.min(...layers) + 2),
      work: 2 * blockWork(model, runTokens, longest),
    },
    { resident: bytes.total, streamed: streamedBytes(bytes) },
    limit,
  );
  requireFit(
    memoryBytes,
    limit,
    `training ${numbers.toLocaleString('en-US')} numbers`,
    `train fewer layers or modules${settings.method === 'full' ? ', set method: lora' : ', lower train.rank'}, or raise --memory`,
  );
  return weights;
}

function optimizerOf(settings: TrainSettings): OptimizerSettings {
  return {
    ...optimizerDefaults,
    id: settings.optimizer,
    learningRate: settings.learning_rate,
    weightDecay: settings.weight_decay,
    betas: settings.betas,
    epsilon: settings.epsilon,
    momentum: settings.momentum,
    schedule: settings.schedule,
    warmupSteps: settings.warmup_steps,
    clipNorm: settings.max_grad_norm ?? null,
  };
}
