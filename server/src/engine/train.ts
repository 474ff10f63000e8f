/**
 * Trainings one after the other on one warm model: draw or load the factors, take steps on mini-batches, measure the losses of every
 * sample, save. Every finished run is an event of its own, so that whoever asked can keep it when the request is cancelled.
 */
import type { TrainOutcome, TrainRequest, TrainRun } from '../../../protocol/training.ts';
import type { EngineEvent } from '../../../protocol/engine.ts';
import { clipByNorm } from '../training/clipping.ts';
import { initialFactors } from '../training/lora.ts';
import { miniBatches } from '../training/miniBatches.ts';
import { optimizers } from '../training/optimizers.ts';
import { globalNorm } from '../training/parameters.ts';
import type { Parameters } from '../training/parameters.ts';
import { learningRateAt } from '../training/schedule.ts';
import { loadFactors, saveAdapter } from './adapterFiles.ts';
import type { Model } from './model.ts';
import { requireFinite } from './sweep.ts';
import { TrainedModel } from './trainedModel.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
type Report = (event: WithoutId<EngineEvent>) => void;

/** @throws LayerifError `badModel` when a loss is not finite; the AbortSignal's reason when cancelled */
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
    requireFinite(curve.subarray(step, step + 1), `step ${step} of training ${run.id}, batch`);
    gradientNorm = settings.clipNorm === null ? globalNorm(gradient) : clipByNorm(gradient, settings.clipNorm);
    optimizer.step(parameters, gradient, learningRateAt(settings, step, run.steps));
    trained.update();
    onStep();
  }
  const losses = await trained.losses(Array.from({ length: samples.length + validation.length }, (_, i) => i));
  requireFinite(losses, `training ${run.id}, `);
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
