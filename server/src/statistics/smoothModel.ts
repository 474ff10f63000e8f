/**
 * A generalised additive mixed model of normal errors: response ~ intercept + fixed factors + smooth curves + one
 * random effect, as in R `gam(y ~ A + s(x, bs = "ps") + s(G, bs = "re"), method = "REML")`. With `by` there is a curve
 * for each level of a factor.
 */
import { dependentColumns, fitMixedModel } from './mixedModel.ts';
import type { FittedModel, FittedTerm, Term } from './mixedModel.ts';
import { splineBasis } from './splines.ts';

/** A column of names: the level of each row, and what the levels are called. */
export interface Levels {
  name: string;
  /** 0 .. names.length - 1 */
  of: Int32Array;
  names: readonly string[];
}

export interface Covariate {
  name: string;
  values: Float64Array;
}

export interface ModelSpec {
  response: Float64Array;
  smooths: readonly Covariate[];
  /** The first level of each is what the intercept stands for. */
  fixed?: readonly Levels[];
  random?: Levels | null;
  /** Curves for each of its levels; it must be fixed too, since curves have no mean. */
  by?: Levels | null;
}

export interface Curve {
  term: FittedTerm;
  covariate: string;
  /** Of `by`; null without. */
  level: string | null;
  /** Effect at x on the scale of the response, with its standard error. */
  at(x: number): { effect: number; error: number };
}

export interface SmoothModel {
  fit: FittedModel;
  intercept: { value: number; error: number };
  curves: Curve[];
  fixed: { factor: string; level: string; value: number; error: number }[];
  /** Levels of the random effect with their predicted effects, and the standard deviation of the effect. */
  random: { term: FittedTerm; deviation: number; levels: { name: string; value: number; error: number }[] } | null;
}

/** B-splines of a curve, as in mgcv's default; fewer where there are fewer different values. */
const FUNCTIONS = 10;
export const LEAST_VALUES = 4;

/** Why a model cannot be fitted. */
export type ModelFault =
  | { kind: 'fewValues'; name: string; values: number }
  | { kind: 'dependent'; names: string[] }
  | { kind: 'fewRows'; rows: number };

/** @returns a fault in place of the model where it cannot be fitted */
export function fitSmoothModel(
  spec: ModelSpec,
): { model: SmoothModel; fault: null } | { model: null; fault: ModelFault } {
  const { response, smooths, fixed = [], random = null, by = null } = spec;
  const n = response.length;
  const fail = (fault: ModelFault) => ({ model: null, fault });
  for (const { name, values } of smooths) {
    const different = new Set(values).size;
    if (different < LEAST_VALUES) return fail({ kind: 'fewValues', name, values: different });
  }
  const dummies = fixed.flatMap((factor) =>
    factor.names.slice(1).map((level, k) => ({ factor: factor.name, level, values: indicator(factor, k + 1) })),
  );
  // A curve holds a straight line that no penalty holds back.
  const straight = smooths.flatMap(({ name, values }): [string, ArrayLike<number>][] =>
    by ? by.names.map((level, k) => [`${name} in ${level}`, product(values, indicator(by, k))]) : [[name, values]],
  );
  const dependent = dependentColumns([
    ['intercept', new Float64Array(n).fill(1)],
    ...dummies.map(({ factor, level, values }): [string, ArrayLike<number>] => [`${factor} ${level}`, values]),
    ...straight.map(([name, values]): [string, ArrayLike<number>] => [name, centred(values)]),
  ]);
  if (dependent.length > 0) return fail({ kind: 'dependent', names: dependent });

  const parametric = new Float64Array(n * (1 + dummies.length));
  for (let i = 0; i < n; i++) {
    parametric[i * (1 + dummies.length)] = 1;
    dummies.forEach(({ values }, k) => (parametric[i * (1 + dummies.length) + 1 + k] = values[i]));
  }
  const terms: Term[] = [
    { name: 'parametric', columns: parametric, width: 1 + dummies.length, penalty: null, rank: 0 },
  ];
  const bases = smooths.flatMap(({ name, values }) => {
    const basis = splineBasis(values, Math.min(FUNCTIONS, new Set(values).size));
    const own = { name, basis };
    const columns = new Float64Array(n * basis.width);
    for (let i = 0; i < n; i++) columns.set(basis.at(values[i]), i * basis.width);
    const term = { width: basis.width, penalty: basis.penalty, rank: basis.rank };
    if (!by) {
      terms.push({ name: `s(${name})`, columns, ...term });
      return [{ ...own, level: null as string | null }];
    }
    return by.names.map((level, k) => {
      terms.push({
        name: `s(${name}) in ${level}`,
        columns: columns.map((value, at) => (by.of[Math.floor(at / basis.width)] === k ? value : 0)),
        ...term,
      });
      return { ...own, level };
    });
  });
  if (random) terms.push(randomTerm(random, n));
  const fit = fitMixedModel(response, terms);
  if (!fit) return fail({ kind: 'fewRows', rows: n });

  const size = fit.coefficients.length;
  const parameter = (k: number) => ({ value: fit.coefficients[k], error: Math.sqrt(fit.covariance[k * size + k]) });
  const last = fit.terms.at(-1)!;
  return {
    fault: null,
    model: {
      fit,
      intercept: parameter(0),
      fixed: dummies.map(({ factor, level }, k) => ({ factor, level, ...parameter(1 + k) })),
      curves: bases.map(({ name, basis, level }, k): Curve => {
        const term = fit.terms[1 + k];
        return { term, covariate: name, level, at: (x) => effectAt(fit, term, basis.at(x)) };
      }),
      random: random && {
        term: last,
        deviation: Math.sqrt(fit.variance / last.lambda!),
        levels: random.names.map((name, k) => ({ name, ...parameter(last.from + k) })),
      },
    },
  };
}

function effectAt(
  { coefficients, covariance }: FittedModel,
  { from, width }: FittedTerm,
  values: Float64Array,
): { effect: number; error: number } {
  const size = coefficients.length;
  let [effect, variance] = [0, 0];
  for (let a = 0; a < width; a++) {
    effect += values[a] * coefficients[from + a];
    for (let b = 0; b < width; b++) variance += values[a] * covariance[(from + a) * size + from + b] * values[b];
  }
  return { effect, error: Math.sqrt(Math.max(variance, 0)) };
}

/** A dummy for each level, with a ridge. */
function randomTerm({ name, of, names }: Levels, n: number): Term {
  const width = names.length;
  const columns = new Float64Array(n * width);
  for (let i = 0; i < n; i++) columns[i * width + of[i]] = 1;
  const penalty = new Float64Array(width * width);
  for (let k = 0; k < width; k++) penalty[k * width + k] = 1;
  return { name: `random(${name})`, columns, width, penalty, rank: width };
}

const indicator = ({ of }: Levels, level: number) => Float64Array.from(of, (own) => Number(own === level));
const product = (a: ArrayLike<number>, b: ArrayLike<number>) => Float64Array.from(a, (value, i) => value * b[i]);

function centred(values: ArrayLike<number>): Float64Array {
  const own = Float64Array.from(values);
  const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
  return own.map((value) => value - mean);
}
