/**
 * Made-up layers with a known truth: how often the interval of a layer score holds what the score is on average over
 * samples of the same kind, as many. Gradients are independent, or alike: most of every gradient is the same direction.
 */
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import type { Grams, RelatifForm } from '../../server/src/estimators/types.ts';
import { Random } from '../../server/src/random/random.ts';
import { uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';
import type { AggregationId, EstimatorId } from '../../protocol/experiment.ts';

export interface LayerCase {
  estimator: EstimatorId;
  relatif?: RelatifForm;
  aggregation: AggregationId;
  /** Share of a gradient's square that all samples have in common. */
  alike: number;
  n: number;
  m: number;
  d: number;
}

export interface LayerRates {
  /** Share of the intervals that hold the mean score of such samples. */
  coverage: number;
  /** Share of the intervals that hold their own score. */
  own: number;
  /** Mean width over the mean score. */
  width: number;
}

const LAYERS = 8;

/** Every layer of every repeat is a data set of its own. @param truths data sets that the mean score is taken from */
export async function simulateLayers(
  one: LayerCase,
  repeats: number,
  truths: number,
  seed: number,
): Promise<LayerRates> {
  const random = new Random(seed, JSON.stringify(one));
  const direction = normals(one.d, random);
  const estimator = findEstimator(one.estimator);
  const options = {
    estimator,
    relatif: one.relatif,
    damping: { rule: 'mean_square', factor: 0.1 },
    aggregation: one.aggregation,
  } as const;
  const draw = () => [{ module: 'q', grams: gramsOf(one, direction, random) }];
  let truth = 0;
  for (let i = 0; i < truths; i++) truth += scoreLayer(draw(), { ...options, layerName: 'l' }).score / truths;
  let [held, own, width] = [0, 0, 0];
  for (let repeat = 0; repeat < repeats; repeat += LAYERS) {
    const all = Array.from({ length: LAYERS }, draw);
    const layers = all.map((modules, index) => {
      const { score, positive, top25, sum, modules: parts } = scoreLayer(modules, { ...options, layerName: 'l' });
      return { index, name: `l${index}`, score, positive, top25, sum, modules: parts };
    });
    const task = { task: 't', layers, train: { samples: one.n }, validation: { samples: one.m } };
    const found = (await uncertaintyOf(task, (layer) => all[layer], { ...options, seed: repeat, replicates: 100 }))!;
    found.layers.forEach(({ interval: [low, high] }, layer) => {
      if (low <= truth && truth <= high) held++;
      if (low <= layers[layer].score && layers[layer].score <= high) own++;
      width += (high - low) / Math.abs(truth);
    });
  }
  const count = Math.ceil(repeats / LAYERS) * LAYERS;
  return { coverage: held / count, own: own / count, width: width / count };
}

export function gramsOf(
  { n, m, d, alike }: Omit<LayerCase, 'estimator' | 'aggregation'>,
  direction: Float64Array,
  random: Random,
): Grams {
  const rows = (count: number) =>
    Array.from({ length: count }, () => {
      const size = Math.exp(0.3 * random.normal());
      return Float64Array.from(
        direction,
        (c) => size * (Math.sqrt(alike) * c + Math.sqrt(1 - alike) * random.normal()),
      );
    });
  const [G, V] = [rows(n), rows(m)];
  const products = (a: Float64Array[], b: Float64Array[]) =>
    Float64Array.from(a.flatMap((x) => b.map((y) => inner(x, y))));
  // EK-FAC with one weight per input: its factors are numbers, its basis the weights.
  const squares = Float64Array.from({ length: d }, (_, k) => G.reduce((sum, g) => sum + g[k] ** 2, 0) / n);
  const meanEigenvalue = squares.reduce((sum, x) => sum + x, 0) / d;
  const solved = V.map((v) => v.map((x, k) => x / (squares[k] + 0.1 * meanEigenvalue)));
  const C = products(G, V);
  return {
    n,
    m,
    parameters: d,
    K: products(G, G),
    C,
    diagV: Float64Array.from(V, (v) => inner(v, v)),
    ekfac: { meanEigenvalue, dampings: Float64Array.of(0.1 * meanEigenvalue), B: products(G, solved) },
    checkpoints: { learningRates: Float64Array.of(0.1), C },
  };
}

/** Grams of the first samples. */
export function firstSamples({ m: all, n, C, K, diagV, parameters }: Grams, rows: number, columns: number): Grams {
  const part = (from: Float64Array, width: number, columnsOf: number) =>
    Float64Array.from(
      { length: rows * columnsOf },
      (_, at) => from[Math.floor(at / columnsOf) * width + (at % columnsOf)],
    );
  return {
    n: rows,
    m: columns,
    parameters,
    K: part(K, n, rows),
    C: part(C, all, columns),
    diagV: diagV.slice(0, columns),
  };
}

function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

export function normals(count: number, random: Random): Float64Array {
  return Float64Array.from({ length: count }, () => random.normal());
}
