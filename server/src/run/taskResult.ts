/** A task's part of the result: filled layer by layer, rows of its matrices in the order of `layers`. */
import type { ResultSamples, ResultTask } from '../../../protocol/result.ts';
import type { Sample } from '../data/types.ts';
import { scoreLayer } from '../estimators/layerScores.ts';
import { readLayerGrams } from './gramFiles.ts';
import { relativeTo } from './prepare.ts';
import type { Prepared, PreparedTask } from './prepare.ts';

export function emptyTask(prepared: Prepared, { task, train, validation }: PreparedTask): ResultTask {
  const samples = (list: Sample[]): ResultSamples => ({
    samples: list.length,
    tokens: list.reduce((sum, s) => sum + s.tokens.length, 0),
    truncated: list.filter((s) => s.truncated).length,
    rows: list.map(({ file, row, line, tokens, truncated }) => ({
      file: relativeTo(prepared.baseDir, file),
      row,
      line,
      tokens: tokens.length,
      truncated,
    })),
    loss: [],
    gradientSquaredNorm: [],
  });
  return {
    task: task.task,
    train: samples(train),
    validation: samples(validation),
    damping: [],
    influence: [],
    layers: [],
  };
}

export function setLosses(target: ResultTask, train: number[], validation: number[]): void {
  target.train.loss = train;
  target.validation.loss = validation;
}

/** Scores a finished layer from its Grams and puts it in its place. @throws LayerifError naming layer and module */
export function addLayer(
  target: ResultTask,
  prepared: Prepared,
  layer: number,
  file: string,
  signal?: AbortSignal,
): void {
  const { model, scope, experiment, estimator } = prepared;
  const sizes = new Map(model.modules(layer).map((m) => [m.name, m.rows * m.columns]));
  const modules = scope.modules.filter((name) => sizes.has(name));
  const scores = scoreLayer(
    readLayerGrams(file, layer, modules, (name) => sizes.get(name)!),
    {
      estimator,
      damping: experiment.score.damping,
      aggregation: experiment.score.aggregation,
      layerName: model.layerName(layer),
      signal,
    },
  );
  const found = target.layers.findIndex((l) => l.index >= layer);
  const at = found < 0 ? target.layers.length : found;
  target.layers.splice(at, 0, {
    index: layer,
    name: model.layerName(layer),
    score: scores.score,
    positive: scores.positive,
    top25: scores.top25,
    sum: scores.sum,
    modules: scores.modules,
    ...(scores.zeroGradient.length > 0 ? { zeroGradient: scores.zeroGradient } : {}),
  });
  target.damping.splice(at, 0, scores.damping);
  target.influence.splice(at, 0, [...scores.influence]);
  target.train.gradientSquaredNorm.splice(at, 0, [...scores.trainSquaredNorm]);
  target.validation.gradientSquaredNorm.splice(at, 0, [...scores.validationSquaredNorm]);
}
