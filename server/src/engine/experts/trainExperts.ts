/**
 * Trains LoRA experts for one allocation with one seed, saves them and measures texts behind them. Without dropout:
 * nothing is random after the initial weights and the order of the mini-batches, so a training can be repeated to the
 * last digit.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { TrainExpertsOutcome, TrainExpertsRequest } from '../../../../protocol/experts.ts';
import { clipByNorm } from '../../training/clipping.ts';
import { miniBatches } from '../../training/miniBatches.ts';
import { initialExperts } from '../../training/expertsFactors.ts';
import { optimizers } from '../../training/optimizers.ts';
import { learningRateAt } from '../../training/schedule.ts';
import type { Report } from '../runtime/report.ts';
import type { Model } from '../sweep/model.ts';
import { saveExperts } from './expertsFiles.ts';
import { ExpertsModel } from './expertsModel.ts';

/** @throws LayerifError `failed` when a training diverges; the AbortSignal's reason when cancelled */
export async function trainExperts(
  model: Model,
  request: TrainExpertsRequest,
  report: Report,
): Promise<TrainExpertsOutcome> {
  const started = performance.now();
  const { train: samples, experts, optimizer: settings, steps, batchSize, seed } = request;
  model.weights.mode = request.weights;
  const trained = new ExpertsModel(model, samples, experts, request.tokensPerRun);
  const parameters = initialExperts(trained.modules, seed);
  trained.use(parameters);
  const optimizer = optimizers[settings.id].create(settings);
  const everything = samples.map((_, i) => i);
  const batches = miniBatches(samples.length, everything, batchSize, seed);
  const curve = new Float64Array(steps);
  const balance = new Float64Array(steps);
  for (let step = 0; step < steps; step++) {
    const answer = await trained.gradient(batches.next().value, request.balance);
    curve[step] = answer.loss;
    balance[step] = answer.balance;
    if (!Number.isFinite(answer.loss)) throw diverged(step, steps, settings.learningRate);
    if (settings.clipNorm !== null) clipByNorm(answer.gradient, settings.clipNorm);
    optimizer.step(parameters, answer.gradient, learningRateAt(settings, step, steps));
    trained.update();
    report({ type: 'training', run: '', done: step + 1, total: steps });
  }
  if (request.save !== null) {
    saveExperts(request.save, trained.modules, parameters, { settings: experts, baseModel: request.modelPath });
  }
  const total = request.sequences.length;
  const evaluation = await trained.logLikelihoods(request.sequences, request.groups, request.headRows, (done) =>
    report({ type: 'evaluating', done, total }),
  );
  if (!evaluation.logLikelihood.every(Number.isFinite)) throw diverged(steps, steps, settings.learningRate);
  return {
    curve,
    balance,
    parameters: [...parameters.values()].reduce((sum, { length }) => sum + length, 0),
    evaluation,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Without a step taken the model itself is to blame. */
function diverged(step: number, steps: number, learningRate: number): LayerifError {
  return step === 0
    ? new LayerifError('badModel', 'the loss before the first step is not finite; the model overflows in float32')
    : new LayerifError(
        'failed',
        `the training diverged: the loss after step ${step} of ${steps} is not finite; lower train_experts.learning_rate (${learningRate}) or steps`,
      );
}
