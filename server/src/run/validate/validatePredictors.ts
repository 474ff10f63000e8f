/**
 * Everything that predicts what a training sample does: each estimator that Grams suffice for, at each point where
 * gradients were taken, and the controls: gradient dot (an estimator too), random, uniform, length, BM25, similarity of
 * hidden states.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { estimators } from '../../estimators/estimators.ts';
import type { ModuleGrams } from '../../estimators/layerScores.ts';
import type { Damping, Grams } from '../../estimators/types.ts';
import { Random } from '../../random/random.ts';
import { bm25, words } from '../../text/bm25.ts';
import type { Predictor } from '../../validation/agreement.ts';
import { addTo, diagonal, dotAt } from '../../linear/vectors.ts';
import { nth } from '../../lists/nth.ts';

const RANDOM_DRAWS = 20;
/** Estimators that are functions of the Grams alone. */
const gramNeeds = new Set(['K', 'C', 'diagV', 'parameters']);

/**
 * @param layers Grams per layer and module; influence is summed over both
 * @returns one predictor per estimator, and why others are missing
 */
export function gramPredictors(
  layers: readonly (readonly ModuleGrams[])[],
  point: string,
  damping: Damping,
): { predictors: Predictor[]; notes: string[] } {
  const predictors: Predictor[] = [];
  const notes: string[] = [];
  const modules = layers.flat();
  const { n, m } = nth(modules, 0).grams;
  for (const estimator of estimators) {
    if (!estimator.needs.every((need) => gramNeeds.has(need))) continue;
    const B = new Float64Array(n * m);
    const self = new Float64Array(n);
    try {
      for (const { module, grams } of modules) {
        const own = estimator.influence(grams, { damping, where: module }).B;
        addTo(B, own);
        const onItself = estimator.influence(withItself(grams), { damping, where: module }).B;
        addTo(self, diagonal(onItself, n));
      }
      predictors.push({
        id: estimator.id,
        point,
        control: estimator.id === 'dot',
        B,
        self: isConstant(self) ? null : self,
      });
    } catch (error) {
      if (!(error instanceof LayerifError)) throw error;
      notes.push(`${estimator.id} (${point}) left out: ${error.message}`);
    }
  }
  return { predictors, notes };
}

/** Normalised estimators (cosine) give every sample the same self-influence, which then says nothing. */
function isConstant(values: Float64Array): boolean {
  const size = Math.max(...values.map(Math.abs));
  return values.every((v) => Math.abs(v - nth(values, 0)) <= 1e-9 * size);
}

/** The training samples in the place of the validation samples: B's diagonal is self-influence. */
export function withItself({ n, K, parameters }: Grams): Grams {
  return { n, m: n, K, C: K, diagV: diagonal(K, n), parameters };
}

/** Random scores, several draws of them, and uniform ones. */
export function blindPredictors(n: number, m: number, seed: number): Predictor[] {
  const random = new Random(seed, 'random control');
  const normals = (count: number) => Float64Array.from({ length: count }, () => random.normal());
  const draw = (): Predictor => ({ id: 'random', point: null, control: true, B: normals(n * m), self: normals(n) });
  return [
    { ...draw(), draws: Array.from({ length: RANDOM_DRAWS }, draw) },
    {
      id: 'uniform',
      point: null,
      control: true,
      B: new Float64Array(n * m).fill(1),
      self: new Float64Array(n).fill(1),
    },
  ];
}

/**
 * What texts alone say: the number of tokens of a training sample, and how well its words match those of a validation
 * sample.
 */
export function textPredictors(
  train: readonly { text: string; tokens: ArrayLike<number> }[],
  validation: readonly { text: string }[],
): Predictor[] {
  const m = validation.length;
  const lengths = Float64Array.from(train, ({ tokens }) => tokens.length);
  const matches = bm25(
    train.map(({ text }) => words(text)),
    validation.map(({ text }) => words(text)),
  );
  const control = { point: null, control: true };
  return [
    {
      id: 'length',
      ...control,
      B: Float64Array.from({ length: train.length * m }, (_, at) => nth(lengths, Math.floor(at / m))),
      self: lengths,
    },
    { id: 'bm25', ...control, B: matches, self: null },
  ];
}

/** Cosine between hidden states. @param states (n + m) x hidden, training samples first */
export function similarityPredictor(states: Float32Array, hidden: number, n: number, m: number): Predictor {
  const product = (i: number, j: number) => dotAt(states, i * hidden, j * hidden, hidden);
  const norms = Float64Array.from({ length: n + m }, (_, i) => Math.sqrt(product(i, i)));
  const cosine = (i: number, j: number) => product(i, j) / (nth(norms, i) * nth(norms, j) || 1);
  return {
    id: 'similarity',
    point: null,
    control: true,
    B: Float64Array.from({ length: n * m }, (_, at) => cosine(Math.floor(at / m), n + (at % m))),
    self: null,
  };
}
