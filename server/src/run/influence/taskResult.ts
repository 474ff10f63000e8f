/** A task's part of the result: filled layer by layer, rows of its matrices in the order of `layers`. */
import type { ResultSamples, ResultTask } from '../../../../protocol/result.ts';
import type { Sample } from '../../data/types.ts';
import { scoreLayer, scoreSums } from '../../estimators/layerScores.ts';
import type { LayerScores, ModuleGrams, SummedScores } from '../../estimators/layerScores.ts';
import { readLayerGrams } from '../files/gramFiles.ts';
import { relativeTo } from '../files/paths.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { scoredUnits, unitNames } from '../inputs/units.ts';

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

/** Number of weights by layer and module, or part of it. */
export function weightCounts(
  prepared: Pick<Prepared, 'model' | 'scope' | 'blocks'>,
): (layer: number, name: string) => number {
  const known = new Map<string, number>();
  for (const layer of prepared.scope.layers) {
    for (const { name, parameters } of scoredUnits(prepared, layer)) known.set(`${layer}.${name}`, parameters);
  }
  return (layer, name) => known.get(`${layer}.${name}`)!;
}

/** The Grams of a finished layer. */
export function layerGrams(prepared: Prepared, layer: number, file: string): ModuleGrams[] {
  const units = scoredUnits(prepared, layer);
  const present = new Set(units.map(({ name }) => name));
  const ordered = unitNames(prepared).filter((name) => present.has(name));
  return readLayerGrams(file, layer, ordered, (name) => units.find((unit) => unit.name === name)!.parameters);
}

/** Scores a finished layer from its Grams and puts it in its place. @throws LayerifError naming layer and module */
export function addLayer(
  target: ResultTask,
  prepared: Prepared,
  layer: number,
  file: string,
  signal?: AbortSignal,
): void {
  const { model, experiment, estimator } = prepared;
  const { damping, aggregation, per, relatif } = experiment.score;
  const layerName = model.layerName(layer);
  const options = { estimator, damping, aggregation, per, relatif, layerName, signal };
  const modules = layerGrams(prepared, layer, file);
  putLayer(target, layer, layerName, modules[0]?.sums ? scoreSums(modules, options) : scoreLayer(modules, options));
}

/** Puts a layer's scores in their place among the layers that are there. */
export function putLayer(target: ResultTask, layer: number, name: string, scores: LayerScores | SummedScores): void {
  const found = target.layers.findIndex((l) => l.index >= layer);
  const at = found < 0 ? target.layers.length : found;
  const { convergence } = scores;
  target.layers.splice(at, 0, {
    index: layer,
    name,
    score: scores.score,
    positive: scores.positive,
    top25: scores.top25,
    sum: scores.sum,
    modules: scores.modules,
    ...(scores.zeroGradient.length > 0 ? { zeroGradient: scores.zeroGradient } : {}),
    ...(convergence ? { convergence } : {}),
  });
  target.damping.splice(at, 0, scores.damping);
  target.influence.splice(at, 0, [...scores.influence]);
  target.train.gradientSquaredNorm.splice(at, 0, [...scores.trainSquaredNorm]);
  target.validation.gradientSquaredNorm.splice(at, 0, [...scores.validationSquaredNorm]);
}
