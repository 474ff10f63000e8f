/**
 * Words that the experiment file may hold but this version does not compute yet, one row each. Refused before anything runs;
 * nothing is ignored silently. A feature that lands takes its row away.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import { isGraphPath } from '../../graphs/open.ts';

interface Limit {
  /** Path of the key in the experiment file. */
  path: string[];
  asked(experiment: Experiment): boolean;
  message(experiment: Experiment): string;
}

export const limits: readonly Limit[] = [
  ...(['layers_pattern', 'output'] as const).map((key) => ({
    path: ['model', key],
    asked: ({ model }: Experiment) => model[key] !== undefined && !isGraphPath(model.path),
    message: ({ model }: Experiment) => `${key} is for .onnx models, and ${model.path} is none; remove the key`,
  })),
  {
    path: ['model', 'adapter'],
    asked: ({ model }) => model.adapter !== undefined && isGraphPath(model.path),
    message: () => 'an adapter cannot be applied to an .onnx model; merge it before the export and remove the key',
  },
  {
    path: ['score', 'fisher'],
    asked: ({ model, score }) => score.fisher === 'true' && isGraphPath(model.path),
    message: () => 'the true Fisher draws labels from the model, which .onnx models do not do; set fisher: empirical',
  },
  {
    path: ['score', 'projection'],
    asked: ({ model, score }) => typeof score.projection === 'number' && isGraphPath(model.path),
    message: () => 'gradients of .onnx models are exact, and as many layers at a time as memory allows; remove the key',
  },
  {
    path: ['score', 'granularity'],
    asked: ({ score }) => score.granularity === 'head' && typeof score.projection === 'number',
    message: () => 'granularity head needs exact gradients, because a projection mixes the heads; set projection: none',
  },
  {
    path: ['score', 'granularity'],
    asked: ({ model, score }) => score.granularity === 'head' && (score.params === 'lora' || isGraphPath(model.path)),
    message: () =>
      'granularity head cuts the attention matrices of a checkpoint, not factors of an adapter or an .onnx graph',
  },
  {
    path: ['score', 'checkpoints'],
    asked: ({ score }) => score.checkpoints !== undefined && score.estimator !== 'tracin',
    message: ({ score }) =>
      `checkpoints are for the estimator tracin, not for ${score.estimator}; remove the key or set estimator: tracin`,
  },
  {
    path: ['score', 'estimator'],
    asked: ({ score }) => score.estimator === 'tracin' && score.checkpoints === undefined,
    message: () =>
      'tracin adds up over checkpoints of a training run: list them under score.checkpoints with path and learning_rate, or use dot for one checkpoint',
  },
  ...(['scores', 'data_scores'] as const).map((key) => ({
    path: [key],
    asked: (experiment: Experiment) => experiment[key] !== undefined,
    message: () => `${key} is not available in this version; remove the section`,
  })),
];

/** The limits that an experiment runs into. */
export function unsupported(experiment: Experiment): { path: string[]; message: string }[] {
  return limits.filter((l) => l.asked(experiment)).map((l) => ({ path: l.path, message: l.message(experiment) }));
}

/** @throws LayerifError `badExperiment` for the first limit, placed at `file`. */
export function requireSupported(experiment: Experiment, file: string): void {
  const [first] = unsupported(experiment);
  if (first) throw new LayerifError('badExperiment', `${first.path.join('.')}: ${first.message}`, { place: { file } });
}
