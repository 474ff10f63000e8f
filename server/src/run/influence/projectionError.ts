/**
 * What a projection costs in accuracy, from a few samples whose Grams the engine computed both ways: rank correlation
 * of the layer scores, and per weight matrix ‖[K C]' - [K C]‖ / ‖[K C]‖ (Frobenius) with [K C]' projected. Few samples
 * estimate an error of the size that the whole run has: it depends on rank and matrix, not on how many samples there
 * are.
 */
import path from 'node:path';
import type { ResultProjectionError } from '../../../../protocol/result.ts';
import { findEstimator } from '../../estimators/estimators.ts';
import { scoreLayer } from '../../estimators/layerScores.ts';
import type { ModuleGrams } from '../../estimators/layerScores.ts';
import type { Grams } from '../../estimators/types.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { readLayerGrams } from '../files/gramFiles.ts';
import type { Prepared } from '../inputs/prepared.ts';
import { nth } from '../../lists/nth.ts';

/** Indices of samples, in the order of the exact Grams. */
export interface CheckedSamples {
  train: number[];
  validation: number[];
}

/** @param workDir the engine's folder of the finished task @returns null for exact runs */
export function projectionError(
  prepared: Prepared,
  task: string,
  workDir: string,
  checked: CheckedSamples | null,
): ResultProjectionError | null {
  const { scope, model, experiment } = prepared;
  const checkFile = (layer: number) => path.join(workDir, `check-${layer}.safetensors`);
  if (!checked) return null;
  const { train, validation } = checked;
  // An estimator that needs more than Grams is compared by the default one.
  const own = prepared.estimator;
  const estimator = own.needs.includes('ekfac')
    ? findEstimator('datainf')
    : own.needs.includes('checkpoints')
      ? findEstimator('dot')
      : own;

  const scores = { exact: [] as number[], projected: [] as number[] };
  const errors: number[] = [];
  for (const layer of scope.layers) {
    const sizes = new Map(model.modules(layer).map((m) => [m.name, m.rows * m.columns]));
    const modules = scope.modules.filter((name) => sizes.has(name));
    const read = (file: string) => readLayerGrams(file, layer, modules, (name) => sizes.get(name)!);
    const exact = read(checkFile(layer));
    const projected = read(path.join(workDir, `layer-${layer}.safetensors`)).map(({ module, grams }) => {
      return { module, grams: select(grams, train, validation) };
    });
    exact.forEach(({ grams }, i) => {
      const error = relativeError(nth(projected, i).grams, grams);
      if (error !== null) errors.push(error);
    });
    const score = (list: ModuleGrams[]) =>
      scoreLayer(list, {
        estimator,
        damping: experiment.score.damping,
        aggregation: experiment.score.aggregation,
        layerName: model.layerName(layer),
      }).score;
    scores.exact.push(score(exact));
    scores.projected.push(score(projected));
  }
  errors.sort((a, b) => a - b);
  return {
    task,
    train: train.length,
    validation: validation.length,
    estimator: estimator.id,
    spearman: spearman(scores.projected, scores.exact),
    gramError: errors[errors.length >> 1] ?? 0,
    largestGramError: errors.at(-1) ?? 0,
  };
}

/** The Grams of some samples. */
export function select(grams: Grams, train: readonly number[], validation: readonly number[]): Grams {
  const { n, m, K, C, diagV, parameters } = grams;
  return {
    n: train.length,
    m: validation.length,
    parameters,
    K: Float64Array.from(train.flatMap((i) => train.map((j) => K[i * n + j]))),
    C: Float64Array.from(train.flatMap((i) => validation.map((j) => C[i * m + j]))),
    diagV: Float64Array.from(validation, (j) => nth(diagV, j)),
  };
}

/** Null where all exact numbers are zero. */
function relativeError(a: Grams, exact: Grams): number | null {
  let difference = 0;
  let size = 0;
  for (const name of ['K', 'C'] as const) {
    exact[name].forEach((value, i) => {
      difference += (nth(a[name], i) - value) ** 2;
      size += value ** 2;
    });
  }
  return size > 0 ? Math.sqrt(difference / size) : null;
}
