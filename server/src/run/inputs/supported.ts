/**
 * Words of the experiment file that a verb refuses, whatever model and data are, one row each. Refused before anything
 * is opened; nothing is ignored silently. A feature that lands takes its row away.
 */
import type { Experiment } from '../../../../protocol/experiment.ts';
import { sumsRefusal } from '../../estimators/estimators.ts';
import { isGraphPath } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { parseStructure } from '../../pruning/structure.ts';
import { checkpointVerbs, refusalsIn, requireNone } from './refusals.ts';
import type { Refusal, Verb } from './refusals.ts';

type Row = Refusal<Experiment>;

/** What asks for gradients of its own. */
const gradients: readonly Verb[] = ['score', 'validate', 'train', 'train-experts'];

const row = (
  id: string,
  path: readonly string[],
  asked: (experiment: Experiment) => boolean,
  message: (experiment: Experiment) => string,
  verbs: readonly Verb[] = gradients,
): Row => ({
  id,
  verbs,
  code: 'badExperiment',
  path,
  says: (experiment) => (asked(experiment) ? message(experiment) : null),
});

const merged = 'merge the adapter into the model first (peft: merge_and_unload)';

export const experimentRefusals: readonly Row[] = [
  ...(['layers_pattern', 'output'] as const).map((key) =>
    row(
      `${key}WithoutGraph`,
      ['model', key],
      ({ model }) => model[key] !== undefined && !isGraphPath(model.path),
      ({ model }) => `the key is for .onnx models, and ${model.path} is none; remove it`,
    ),
  ),
  row(
    'adapterOnGraph',
    ['model', 'adapter'],
    ({ model }) => model.adapter !== undefined && isGraphPath(model.path),
    () => 'an adapter cannot be applied to an .onnx model; merge it before the export and remove the key',
  ),
  row(
    'trueFisherOfGraph',
    ['score', 'fisher'],
    ({ model, score }) => score.fisher === 'true' && isGraphPath(model.path),
    () => 'the true Fisher draws labels from the model, which .onnx models do not do; set fisher: empirical',
  ),
  row(
    'projectionOfGraph',
    ['score', 'projection'],
    ({ model, score }) => typeof score.projection === 'number' && isGraphPath(model.path),
    () => 'gradients of .onnx models are exact, and as many layers at a time as memory allows; remove the key',
  ),
  row(
    'headsProjected',
    ['score', 'granularity'],
    ({ score }) => score.granularity === 'head' && typeof score.projection === 'number',
    () => 'granularity head needs exact gradients, because a projection mixes the heads; set projection: none',
  ),
  row(
    'headsOfFactorsOrGraph',
    ['score', 'granularity'],
    ({ model, score }) => score.granularity === 'head' && (score.params === 'lora' || isGraphPath(model.path)),
    () => 'granularity head cuts the attention matrices of a checkpoint, not factors of an adapter or an .onnx graph',
  ),
  row(
    'sumsOfPairs',
    ['score', 'accumulate'],
    ({ score }) => score.accumulate === 'sums' && sumsRefusal(score) !== null,
    ({ score }) => sumsRefusal(score)!,
    ['score'],
  ),
  row(
    'sumsProjected',
    ['score', 'accumulate'],
    ({ score }) => score.accumulate === 'sums' && typeof score.projection === 'number',
    () =>
      'sums are of whole gradients, whose memory does not grow with the samples; remove one of the keys accumulate and projection',
    ['score'],
  ),
  row(
    'sumsUntil',
    ['score', 'accumulate'],
    ({ score }) => score.accumulate === 'sums' && score.until !== undefined,
    () =>
      'sums keep the inner products of a subsample alone, which more rows do not make surer; remove one of the keys accumulate and until',
    ['score'],
  ),
  row(
    'checkpointsWithoutTracin',
    ['score', 'checkpoints'],
    ({ score }) => score.checkpoints !== undefined && score.estimator !== 'tracin',
    ({ score }) =>
      `checkpoints are for the estimator tracin, not for ${score.estimator}; remove the key or set estimator: tracin`,
  ),
  row(
    'tracinWithoutCheckpoints',
    ['score', 'estimator'],
    ({ score }) => score.estimator === 'tracin' && score.checkpoints === undefined,
    () =>
      'tracin adds up over checkpoints of a training run: list them under score.checkpoints with path and learning_rate, or use dot for one checkpoint',
  ),
  row(
    'tracinOfGraph',
    ['score', 'checkpoints'],
    ({ model, score }) => score.estimator === 'tracin' && score.checkpoints !== undefined && isGraphPath(model.path),
    () =>
      'tracin reads checkpoints of a model folder, and model.path is an ONNX graph; use another estimator or the model it was made from',
  ),
  row(
    'dataScoresOfGraph',
    ['data_scores'],
    ({ model, data_scores }) => data_scores !== undefined && isGraphPath(model.path),
    ({ model }) =>
      `data_scores read prompts and answers through a checkpoint, and model.path ${model.path} is an ONNX graph: give a folder with config.json, a .gguf file or a hub id`,
    ['score'],
  ),
  ...checkpointVerbs.map((verb) =>
    row(
      `graphFor${verb}`,
      ['model', 'path'],
      ({ model }) => isGraphPath(model.path),
      ({ model }) =>
        `${model.path} is an ONNX graph, which can be scored, estimated, checked and inspected; ${verb} needs a checkpoint with its weights by name: the folder or .gguf file that the graph was exported from`,
      [verb],
    ),
  ),
  row(
    'pruneWithAdapter',
    ['model', 'adapter'],
    ({ model }) => model.adapter !== undefined,
    () => `a model with an adapter cannot be pruned, since the adapter would be lost; ${merged}`,
    ['prune'],
  ),
  row(
    'validateWithAdapter',
    ['model', 'adapter'],
    ({ model }) => model.adapter !== undefined,
    () => `validation trains adapters of its own on the model; ${merged}`,
    ['validate'],
  ),
  row(
    'trainWithAdapter',
    ['model', 'adapter'],
    ({ model }) => model.adapter !== undefined,
    () => `a model is trained without an adapter on it; ${merged}`,
    ['train'],
  ),
  row(
    'expertsWithAdapter',
    ['model', 'adapter'],
    ({ model }) => model.adapter !== undefined,
    () => `experts are trained on the model itself; ${merged}`,
    ['train-experts'],
  ),
];

/** Of the section `prune` with what was asked for beside it. */
export const pruneRefusals: readonly Refusal<NonNullable<Experiment['prune']>>[] = [
  {
    id: 'pruneStructure',
    verbs: ['prune'],
    code: 'badRequest',
    path: ['prune', 'structure'],
    says({ structure = 'unstructured' }) {
      if (structure === 'layers') return null;
      try {
        parseStructure(structure);
        return null;
      } catch (error) {
        return `${(error as Error).message}, or layers`;
      }
    },
  },
  {
    id: 'pruneSparsity',
    verbs: ['prune'],
    code: 'badRequest',
    path: ['prune', 'sparsity'],
    says: ({ sparsity = 0.5 }) =>
      sparsity >= 0 && sparsity < 1 ? null : `the sparsity ${sparsity} is outside 0 (nothing) to below 1 (everything)`,
  },
];

/** Where whole layers are left out. */
export const dropRefusals: readonly Refusal<NonNullable<Experiment['prune']>>[] = [
  {
    id: 'layersWithoutRule',
    verbs: ['prune'],
    code: 'badRequest',
    path: ['prune', 'map'],
    says: ({ structure, by, map = by === undefined ? 'uniform' : 'layerif' }) =>
      structure === 'layers' && (Array.isArray(map) || map === 'uniform')
        ? 'structure layers leaves out the layers that a rule names: give prune.map or --map a rule such as layerif, a score with prune.by or --by, or a file of: layerif allocate RESULT --kind drop'
        : null,
  },
];

/** Of the section `prune` and the model that it is about. */
export const prunedModelRefusals: readonly Refusal<{
  section: NonNullable<Experiment['prune']>;
  model: Architecture;
}>[] = [
  {
    id: 'groupsDoNotFit',
    verbs: ['prune'],
    code: 'badRequest',
    path: ['prune', 'structure'],
    says({ section: { structure = 'unstructured' }, model }) {
      const shape = structure === 'layers' ? null : parseStructure(structure);
      if (!shape) return null;
      for (let layer = 0; layer < model.layers; layer++) {
        const odd = model.modules(layer).find(({ columns }) => columns % shape.m !== 0);
        if (odd)
          return `structure ${structure}: ${odd.name} of layer ${layer} has ${odd.columns} inputs, which is not a multiple of ${shape.m}`;
      }
      return null;
    },
  },
  {
    id: 'mapOfOtherLength',
    verbs: ['prune'],
    code: 'badRequest',
    path: ['prune', 'map'],
    says: ({ section: { map }, model }) =>
      Array.isArray(map) && map.length !== model.layers
        ? `prune.map has ${map.length} sparsities, the model has ${model.layers} layers`
        : null,
  },
];

/** What gradients of an experiment run into. @throws LayerifError `badExperiment` for the first, placed at `file` */
export function requireSupported(experiment: Experiment, file: string, verb: Verb = 'score'): void {
  requireNone(experimentRefusals, experiment, verb, file);
}

/** @param asked whose refusals are wanted */
export function unsupported(experiment: Experiment, asked: readonly Verb[]): ReturnType<typeof refusalsIn> {
  const { prune } = experiment;
  return [
    ...refusalsIn(experimentRefusals, experiment, asked),
    ...(prune ? refusalsIn([...pruneRefusals, ...dropRefusals], prune, asked) : []),
  ];
}
