/**
 * `layerif train-experts`: the chain of LayerIF's first use, run through. Scores give every layer a number of LoRA
 * experts; the experts are trained for every allocation with several seeds, and all are evaluated on the same
 * documents. `NAME.layerif-experts.json` is written after every training; an interrupted run of the same experiment,
 * data and model goes on with the next one.
 */
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { EvaluateSummary } from '../../../../protocol/evaluation.ts';
import { EXPERTS_SUFFIX } from '../../../../protocol/experts.ts';
import type { ExpertsResult, ExpertsTraining } from '../../../../protocol/experts.ts';
import type { Machine } from '../../../../protocol/run.ts';
import { compareAllocations, findingsOf } from '../../evaluation/expertsComparison.ts';
import type { DocumentValues } from '../../evaluation/expertsComparison.ts';
import { optimizerDefaults } from '../../training/optimizers.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { measure, runEvaluation } from '../evaluate/evaluate.ts';
import { expertAllocations } from './expertAllocations.ts';
import type { ExpertAllocation } from './expertAllocations.ts';
import { experimentName, leaveRunFolder, openRunFolder, writeJson } from '../files/results.ts';
import { prepareExperts } from './trainExpertsInput.ts';
import type { ExpertsInput, ExpertsSelection } from './trainExpertsInput.ts';
import { requireMemory } from './trainExpertsMemory.ts';
import { complete, untilEnd } from '../files/ending.ts';
import { provenanceOf } from '../files/provenance.ts';
import { engineOf, FinishedParts, removedText, tokensHash } from '../files/finished.ts';
import { modelStamp } from '../files/modelStamp.ts';
import { batchesOf, headRowsOf } from '../machine/batching.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';
import { lookup } from '../../text/lookup.ts';

/** Padded tokens of one run of a layer's graph. */
const TOKENS_PER_RUN = 1024;
/** Batches of an evaluation that are in memory at a time. */
const BATCHES_PER_GROUP = 8;
/** Metrics whose value is the mean over the documents. */
const MEANS = new Set(['acc', 'acc_norm', 'acc_bytes', 'exact_match']);

export interface TrainExpertsOptions extends ExpertsSelection {
  file: string;
  /** In place of the newest result of the experiment. */
  resultFile?: string | undefined;
  outputDir?: string | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  onWarning?: FetchOptions['onWarning'];
  onStarted?: ((event: { resultFile: string; resumed: boolean }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What is kept of a finished training. */
interface Finished {
  training: Omit<ExpertsTraining, 'adapter'>;
  parameters: number;
  values: DocumentValues;
}

/** @throws LayerifError `badExperiment`, `badRequest`, `badData`, `badModel`, `notEnoughMemory`, `cancelled` */
export function trainExpertsOf(options: TrainExpertsOptions): Promise<{ result: ExpertsResult; resultFile: string }> {
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const input = await prepareExperts(options.file, options);
    onEnd(() => input.checkpoint.close());
    const { task, settings, checkpoint, model, experiment } = input;
    const { allocations, scores } = await expertAllocations({
      ...input,
      ...options,
      engine: pool,
      file: input.file,
      task: task.task,
    });
    const weights = requireMemory(input, allocations, options.machine);
    const sha256 = await checkpoint.sha256();
    const hash = identity(input, allocations, sha256, options.limit);
    const output = path.resolve(input.baseDir, options.outputDir ?? experiment.output_dir);
    const folder = openRunFolder(output, experimentName(input.file), hash, EXPERTS_SUFFIX);
    onEnd(() => leaveRunFolder(folder));
    options.onStarted?.(folder);
    const engine = await pool.start(options.machine);
    const [evaluated] = take(input.evaluation.tasks, 1);
    const result: ExpertsResult = {
      format: 'layerif-experts',
      version: 1,
      status: 'partial',
      experiment,
      experimentFile: input.file,
      task: task.task,
      model: { name: checkpoint.name, family: model.family, layers: model.layers, sha256 },
      settings,
      modules: input.modules,
      samples: {
        train: input.train.length,
        tokens: input.train.reduce((sum, { tokens }) => sum + tokens.length, 0),
        evaluated: evaluated.documents.length,
        split: evaluated.split,
      },
      scores,
      untrained: {},
      allocations: allocations.map(({ id, title, experts, topK, notes }) => {
        const all = experts.reduce((sum, count) => sum + count, 0);
        return { id, title, experts, topK, total: all, parameters: null, notes, trainings: [], metrics: [] };
      }),
      findings: [],
      provenance: provenanceOf(engine, { seconds: 0, dataSha256: input.dataSha256, seed: experiment.score.seed }),
    };
    const total = 1 + allocations.length * settings.seeds;
    let finished = 0;
    const report = (share: number, message: string) =>
      options.onProgress?.({ done: Math.round(1000 * (finished + share)), total: 1000 * total, message });
    const finishedParts = new FinishedParts(path.join(folder.folder, 'partial'), {
      hash,
      stamp: modelStamp(checkpoint),
      samples: [tokensHash(input.train), tokensHash(input.evaluation.sequences)],
      ...engineOf(engine),
    });
    if (finishedParts.removed) report(0, removedText('training'));

    const plain = await finishedParts.part('untrained').once(async () => {
      const onProgress = ({ done, total: all }: { done: number; total: number }) =>
        report(done / all, `without experts: evaluating, ${done} of ${all} texts`);
      const answer = await runEvaluation(pool, checkpoint, model, input.evaluation, { ...options, onProgress });
      return valuesOf(input, answer);
    });
    result.untrained = meansOf(plain);
    finished = 1;
    writeJson(folder.resultFile, result);

    const values = allocations.map(({ id }) => ({ id, seeds: [] as DocumentValues[] }));
    // Seed by seed, so that an interrupted run has compared all allocations with the seeds it got to.
    for (let s = 0; s < settings.seeds; s++) {
      const seed = experiment.score.seed + s;
      for (const [a, allocation] of allocations.entries()) {
        const name = `${allocation.sameAs ?? allocation.id}-s${seed}`;
        const save = path.join(folder.folder, 'experts', name);
        const done = await finishedParts.part({ training: name }).once(() => {
          const say = (share: number, message: string) => report(share, `${allocation.id}, seed ${seed}: ${message}`);
          return trainOnce(input, allocation, { seed, save, weights, pool, options, say });
        });
        finished += 1;
        const own = nth(result.allocations, a);
        own.parameters = done.parameters;
        own.trainings.push({ ...done.training, adapter: path.relative(folder.folder, save).split(path.sep).join('/') });
        nth(values, a).seeds.push(done.values);
        const metrics = compareAllocations(values, betterOf(input), experiment.score.seed);
        metrics.forEach((list, i) => (nth(result.allocations, i).metrics = list));
        result.findings = findingsOf(
          values.map(({ id }) => id),
          metrics,
        );
        if (allocation.sameAs === null) result.provenance.seconds += done.training.seconds;
        writeJson(folder.resultFile, result);
      }
    }
    complete(folder.resultFile, result, finishedParts);
    return { result, resultFile: folder.resultFile };
  });
}

interface Training {
  seed: number;
  save: string;
  weights: 'resident' | 'streamed';
  pool: EnginePool;
  options: TrainExpertsOptions;
  say: (share: number, message: string) => void;
}

async function trainOnce(
  input: ExpertsInput,
  { experts, topK }: ExpertAllocation,
  { seed, save, weights, pool, options: { machine, signal }, say }: Training,
): Promise<Finished> {
  const { settings, checkpoint, model, modules, evaluation } = input;
  const { sequences } = evaluation;
  const batches = batchesOf(
    model,
    sequences.map(({ tokens }) => tokens.length),
    TOKENS_PER_RUN,
  );
  const groups = Array.from({ length: Math.ceil(batches.length / BATCHES_PER_GROUP) }, (_, g) =>
    batches.slice(g * BATCHES_PER_GROUP, (g + 1) * BATCHES_PER_GROUP),
  );
  const outcome = await pool.work(
    'trainExperts',
    {
      modelPath: checkpoint.path,
      train: input.train,
      experts: { experts, topK, rank: settings.rank, alpha: settings.alpha, modules },
      optimizer: {
        ...optimizerDefaults,
        learningRate: settings.learning_rate,
        weightDecay: settings.weight_decay,
        schedule: settings.schedule,
        warmupSteps: settings.warmup_steps,
        clipNorm: settings.max_grad_norm ?? null,
      },
      steps: settings.steps,
      batchSize: settings.batch_size,
      seed,
      balance: settings.balance,
      tokensPerRun: TOKENS_PER_RUN,
      weights,
      save,
      sequences,
      groups,
      headRows: headRowsOf(model),
    },
    machine,
    (event) => {
      if (event.type === 'training') say((0.8 * event.done) / event.total, `step ${event.done} of ${event.total}`);
      if (event.type === 'evaluating')
        say(0.8 + (0.2 * event.done) / event.total, `evaluating, ${event.done} of ${event.total} texts`);
    },
    signal,
  );
  const values = valuesOf(input, outcome.evaluation);
  const { curve, balance, parameters, seconds } = outcome;
  const training = { seed, curve: [...curve], balance: [...balance], metrics: meansOf(values), seconds };
  return { training, parameters, values };
}

/** Every document's metrics, and `answer_loss`: how improbable the right answer is, in nats. */
function valuesOf({ evaluation, task }: ExpertsInput, summary: EvaluateSummary): DocumentValues {
  const contributions = lookup(measure(evaluation, summary).contributions, task.task) ?? [];
  const [{ documents, metrics }] = take(evaluation.tasks, 1);
  const means = metrics.map(({ id }) => id).filter((id) => MEANS.has(id));
  const lossOf = ({ candidates, golds }: (typeof documents)[number]): number =>
    -nth(candidates, nth(golds, 0)).sequences.reduce((sum, i) => sum + nth(summary.logLikelihood, i), 0);
  return {
    ...Object.fromEntries(means.map((id) => [id, contributions.map((values) => values[id])])),
    answer_loss: documents.map(lossOf),
  };
}

function betterOf({ evaluation }: ExpertsInput): Record<string, boolean> {
  const known = nth(evaluation.tasks, 0).metrics.map(({ id, higherIsBetter }): [string, boolean] => [
    id,
    higherIsBetter,
  ]);
  return { ...Object.fromEntries(known), answer_loss: false };
}

function meansOf(values: DocumentValues): Record<string, number> {
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  return Object.fromEntries(Object.entries(values).map(([metric, list]) => [metric, mean(list)]));
}

/** Hash of everything that decides the numbers. */
function identity(input: ExpertsInput, allocations: ExpertAllocation[], sha256: string, limit: number | undefined) {
  const { experiment, task, settings, modules, dataSha256 } = input;
  const { model, datasets, score } = experiment;
  const counts = allocations.map(({ id, experts, topK }) => [id, experts, topK]);
  const parts = [
    'train-experts',
    model,
    datasets,
    task,
    score.seed,
    score.loss,
    experiment.evaluate?.max_length,
    settings,
    modules,
    counts,
    limit,
    dataSha256,
    sha256,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
