/**
 * Trainings one after the other on one warm model: draw or load the factors, take steps on mini-batches, measure the losses of every
 * sample, save. Every finished run is an event of its own, so that whoever asked can keep it when the request is cancelled.
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
import { loadFactors, saveAdapter } from './adapterFiles.ts';
import type { Model } from '../sweep/model.ts';
import { TrainedModel } from './trainedModel.ts';

/** @throws LayerifError `failed` when a training diverges; the AbortSignal's reason when cancelled */
export async function train(model: Model, request: TrainRequest, report: Report): Promise<TrainOutcome[]> {
  model.weights.mode = request.weights;
  const trained = await TrainedModel.create(model, [...request.train, ...request.validation], request);
  const total = request.runs.reduce((sum, run) => sum + run.steps + 1, 0);
  let done = 0;
  const outcomes: TrainOutcome[] = [];
  for (const run of request.runs) {
    const outcome = await trainOnce(trained, request, run, () => {
      done += 1;
      report({ type: 'training', run: run.id, done, total });
    });
    report({ type: 'trained', outcome });
    outcomes.push(outcome);
  }
  return outcomes;
}

async function trainOnce(
  trained: TrainedModel,
  { train: samples, validation, lora, optimizer: settings, batchSize, modelPath }: TrainRequest,
  run: TrainRun,
  onStep: () => void,
): Promise<TrainOutcome> {
  const started = performance.now();
  const parameters: Parameters =
    run.start === null ? initialFactors(trained.shapes, run.seed) : loadFactors(run.start, trained.shapes, lora.alpha);
  trained.use(parameters);
  const optimizer = optimizers[settings.id].create(settings);
  const batches = miniBatches(samples.length, run.samples, batchSize, run.seed);
  const curve = new Float64Array(run.steps);
  let gradientNorm = NaN;
  for (let step = 0; step < run.steps; step++) {
    const { loss, gradient } = await trained.gradient(batches.next().value);
    curve[step] = loss;
    if (!Number.isFinite(loss)) throw diverged(run, step, settings.learningRate);
    gradientNorm = settings.clipNorm === null ? globalNorm(gradient) : clipByNorm(gradient, settings.clipNorm);
    optimizer.step(parameters, gradient, learningRateAt(settings, step, run.steps));
    trained.update();
    onStep();
  }
  const losses = await trained.losses(Array.from({ length: samples.length + validation.length }, (_, i) => i));
  if (!losses.every(Number.isFinite)) throw diverged(run, run.steps, settings.learningRate);
  if (run.save !== null) {
    const { architecture } = trained;
    saveAdapter(run.save, trained.shapes, parameters, { alpha: lora.alpha, baseModel: modelPath, architecture });
  }
  onStep();
  return {
    id: run.id,
    trainLoss: losses.slice(0, samples.length),
    validationLoss: losses.slice(samples.length),
    curve,
    gradientNorm,
    seconds: (performance.now() - started) / 1000,
  };
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
