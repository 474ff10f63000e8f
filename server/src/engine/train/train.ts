/**
 * Trainings one after the other on one warm model: draw or load the factors, take steps on mini-batches, measure the
 * losses of every sample, save. Every finished run is an event of its own, so that whoever asked can keep it when the
 * request is cancelled.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { TrainOutcome, TrainRequest, TrainRun } from '../../../../protocol/training.ts';
import type { Report } from '../runtime/report.ts';
import { clipByNorm } from '../../training/clipping.ts';
import { initialFactors } from '../../training/lora.ts';
import { miniBatches } from '../../training/miniBatches.ts';
import { optimizers } from '../../training/optimizers.ts';
import { globalNorm } from '../../training/parameters.ts';
import type { Parameters } from '../../training/parameters.ts';
import { learningRateAt } from '../../training/schedule.ts';
import { loadFactors, saveAdapter, saveMatrices } from './adapterFiles.ts';
import type { Model } from '../sweep/model.ts';
import { TrainedModel } from './trainedModel.ts';
import { KeptTraining } from './trainingState.ts';

/** @throws LayerifError `failed` when a training diverges; the AbortSignal's reason when cancelled */
export async function train(model: Model, request: TrainRequest, report: Report): Promise<TrainOutcome[]> {
  model.weights.mode = request.weights;
  const trained = await TrainedModel.create(model, [...request.train, ...request.validation], request);
  const total = request.runs.reduce((sum, run) => sum + run.steps + 1, 0);
  let done = 0;
  const outcomes: TrainOutcome[] = [];
  for (const run of request.runs) {
    const outcome = await trainOnce(trained, request, run, (steps, loss) => {
      done += steps;
      report({ type: 'training', run: run.id, done, total, ...(loss === undefined ? {} : { loss }) });
    });
    report({ type: 'trained', outcome });
    outcomes.push(outcome);
  }
  return outcomes;
}

async function trainOnce(
  trained: TrainedModel,
  { train: samples, validation, lora, trains = 'factors', accumulation = 1, ...request }: TrainRequest,
  run: TrainRun,
  onStep: (steps: number, loss?: number) => void,
): Promise<TrainOutcome> {
  const started = performance.now();
  const { optimizer: settings, batchSize, modelPath } = request;
  const kept = run.checkpoint ? new KeptTraining(run.checkpoint) : null;
  const sizes = new Map([...trained.sizes].map(([name, shape]) => [name, shape.reduce((a, b) => a * b, 1)]));
  const resumed = kept?.load(sizes) ?? null;
  const parameters = resumed?.parameters ?? startOf(trained, run, lora.alpha, trains);
  trained.use(parameters);
  const optimizer = optimizers[settings.id].create(settings);
  const batches = miniBatches(samples.length, run.samples, batchSize, run.seed);
  const curve = new Float64Array(run.steps);
  let gradientNorm = NaN;
  const resumedSteps = resumed?.step ?? 0;
  if (resumed) {
    optimizer.restore(resumed.optimizer);
    curve.set(resumed.curve.subarray(0, resumedSteps));
    // The order of the batches follows from the seed.
    for (let batch = 0; batch < resumedSteps * accumulation; batch++) batches.next();
    onStep(resumedSteps);
  }
  for (let step = resumedSteps; step < run.steps; step++) {
    const { loss, gradient } = await meanGradient(trained, batches, accumulation);
    curve[step] = loss;
    if (!Number.isFinite(loss)) throw diverged(run, step, settings.learningRate);
    gradientNorm = settings.clipNorm === null ? globalNorm(gradient) : clipByNorm(gradient, settings.clipNorm);
    optimizer.step(parameters, gradient, learningRateAt(settings, step, run.steps));
    trained.update();
    kept?.save({ step: step + 1, parameters, optimizer: optimizer.state(), curve: curve.slice(0, step + 1) });
    onStep(1, loss);
  }
  const losses = await trained.losses(Array.from({ length: samples.length + validation.length }, (_, i) => i));
  if (!losses.every(Number.isFinite)) throw diverged(run, run.steps, settings.learningRate);
  if (run.save !== null) {
    const { architecture } = trained;
    if (trains === 'matrices') saveMatrices(run.save, trained.sizes, parameters);
    else saveAdapter(run.save, trained.shapes, parameters, { alpha: lora.alpha, baseModel: modelPath, architecture });
  }
  kept?.remove();
  onStep(1);
  return {
    id: run.id,
    trainLoss: losses.slice(0, samples.length),
    validationLoss: losses.slice(samples.length),
    curve,
    gradientNorm,
    resumedSteps,
    seconds: (performance.now() - started) / 1000,
  };
}

function startOf(
  trained: TrainedModel,
  { start, seed }: TrainRun,
  alpha: number,
  trains: 'factors' | 'matrices',
): Parameters {
  if (trains === 'matrices') return trained.original();
  return start === null ? initialFactors(trained.shapes, seed) : loadFactors(start, trained.shapes, alpha);
}

/** Mean over several mini-batches, of which each counts alike. */
async function meanGradient(
  trained: TrainedModel,
  batches: Generator<number[], never, undefined>,
  count: number,
): Promise<{ loss: number; gradient: Parameters }> {
  const { loss: first, gradient } = await trained.gradient(batches.next().value);
  let loss = first;
  for (let more = 1; more < count; more++) {
    const next = await trained.gradient(batches.next().value);
    loss += next.loss;
    for (const [name, sum] of gradient) {
      const part = next.gradient.get(name)!;
      for (let i = 0; i < sum.length; i++) sum[i] += part[i];
    }
  }
  if (count > 1) for (const sum of gradient.values()) for (let i = 0; i < sum.length; i++) sum[i] /= count;
  return { loss: loss / count, gradient };
}

/** Without a step taken the model itself is to blame. */
function diverged({ id, steps }: TrainRun, step: number, learningRate: number): LayerifError {
  return step === 0
    ? new LayerifError('badModel', `the losses before training ${id} are not finite; the model overflows in float32`)
    : new LayerifError(
        'failed',
        `training ${id} diverged: the loss after step ${step} of ${steps} is not finite; lower the learning rate (${learningRate}) or the number of steps`,
      );
}
