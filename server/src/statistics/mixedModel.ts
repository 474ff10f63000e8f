/**
 * Linear models with penalised terms (smooth curves, random effects), their penalties chosen by restricted maximum
 * likelihood (Wood 2011; a random effect is a ridge on dummies, Speed 1991):
 *
 *     minimise ‖y - Xβ‖² + Σ λ_j βᵀ S_j β
 *     2 REML = (n - M) ln D(λ) + ln|XᵀX + S_λ| - Σ rank_j ln λ_j,   D = the minimum, M = columns without penalty
 *
 * Numbers as mgcv's `gam(..., method = "REML")` reports them: effective degrees of freedom are traces of blocks of
 * (XᵀX + S_λ)⁻¹ XᵀX, the covariance of β is Bayesian.
 */
import { choleskyInPlace, choleskyInverse } from '../linear/cholesky.ts';
import { symmetricEigen } from '../linear/eigenvectors.ts';
import { fTail } from './beta.ts';
import { minimise } from './lbfgs.ts';

/** Columns of the model that belong together. */
export interface Term {
  name: string;
  /** rows x width, row-major. */
  columns: Float64Array;
  width: number;
  /** width x width; null without penalty. */
  penalty: Float64Array | null;
  /** Of the penalty; 0 without. */
  rank: number;
}

export interface FittedTerm {
  name: string;
  /** First coefficient. */
  from: number;
  width: number;
  edf: number;
  /** λ of its penalty on the scale of `penalty`; null without. */
  lambda: number | null;
  /** Wald statistic over its rank, and its probability where the term has no effect: approximate. */
  f: number;
  rank: number;
  p: number;
}

export interface FittedModel {
  coefficients: Float64Array;
  /** Bayesian, size x size. */
  covariance: Float64Array;
  /** σ²: residual sum of squares over residual degrees of freedom. */
  variance: number;
  terms: FittedTerm[];
  edf: number;
  adjustedR2: number;
  /** 0 .. 1; of normal errors the share of the variance. */
  devianceExplained: number;
  /** Negative restricted log-likelihood. */
  reml: number;
}

/** ln λ beyond this, on the scale of XᵀX, is as good as infinite. */
const FARTHEST = 20;
/** Below this share of its own square a pivot says that columns depend on each other. */
const DEPENDENT = 1e-10;

/**
 * @param terms the first one holds the intercept
 * @returns null where rows are too few for the coefficients that have no penalty
 */
export function fitMixedModel(y: Float64Array, terms: readonly Term[]): FittedModel | null {
  const n = y.length;
  const size = terms.reduce((sum, { width }) => sum + width, 0);
  const free = size - terms.reduce((sum, { rank }) => sum + rank, 0);
  if (n <= free) return null;
  const starts: number[] = [];
  terms.reduce((from, { width }) => (starts.push(from), from + width), 0);
  const gram = gramOf(terms, starts, n, size);
  const moments = momentsOf(terms, starts, y, size);
  const squares = y.reduce((sum, value) => sum + value * value, 0);
  const penalised = terms.flatMap(({ penalty, rank, width }, place) =>
    penalty ? [{ place, rank, scaled: scaledPenalty(penalty, width, gram, starts[place], size) }] : [],
  );

  /** At ln λ: β, the inverse of XᵀX + S, D and the criterion. */
  const solve = (logs: Float64Array) => {
    const system = gram.slice();
    penalised.forEach(({ place, scaled }, j) => {
      const { width } = terms[place];
      for (let a = 0; a < width; a++)
        for (let b = 0; b < width; b++)
          system[(starts[place] + a) * size + starts[place] + b] += Math.exp(logs[j]) * scaled.matrix[a * width + b];
    });
    if (!choleskyInPlace(system, size)) return null;
    let logDeterminant = 0;
    for (let k = 0; k < size; k++) logDeterminant += 2 * Math.log(system[k * size + k]);
    const inverse = choleskyInverse(system, size);
    const coefficients = new Float64Array(size);
    for (let a = 0; a < size; a++) for (let b = 0; b < size; b++) coefficients[a] += inverse[a * size + b] * moments[b];
    let minimum = squares;
    for (let k = 0; k < size; k++) minimum -= coefficients[k] * moments[k];
    const ranks = penalised.reduce((sum, { rank, scaled }, j) => sum + rank * logs[j] + scaled.logDeterminant, 0);
    const value = ((n - free) * Math.log(minimum) + logDeterminant - ranks) / 2;
    return { coefficients, inverse, minimum, value };
  };

  const objective = (logs: Float64Array, gradient: Float64Array): number => {
    if (logs.some((value) => Math.abs(value) > FARTHEST)) return Infinity;
    const found = solve(logs);
    if (!found || !(found.minimum > 0)) return Infinity;
    penalised.forEach(({ place, rank, scaled }, j) => {
      const { width } = terms[place];
      let [form, trace] = [0, 0];
      for (let a = 0; a < width; a++)
        for (let b = 0; b < width; b++) {
          const weight = scaled.matrix[a * width + b];
          form += found.coefficients[starts[place] + a] * weight * found.coefficients[starts[place] + b];
          trace += found.inverse[(starts[place] + a) * size + starts[place] + b] * weight;
        }
      gradient[j] = (((n - free) * Math.exp(logs[j]) * form) / found.minimum + Math.exp(logs[j]) * trace - rank) / 2;
    });
    return found.value;
  };
  const best = bestOf(objective, penalised.length);
  const found = best && solve(best);
  if (!found) return null;
  const { coefficients, inverse, value } = found;

  const hat = new Float64Array(size); // diagonal of (XᵀX + S)⁻¹ XᵀX
  for (let a = 0; a < size; a++) for (let b = 0; b < size; b++) hat[a] += inverse[a * size + b] * gram[b * size + a];
  const edf = hat.reduce((sum, one) => sum + one, 0);
  let residual = squares;
  for (let a = 0; a < size; a++) {
    let row = 0;
    for (let b = 0; b < size; b++) row += gram[a * size + b] * coefficients[b];
    residual += coefficients[a] * (row - 2 * moments[a]);
  }
  const variance = residual / (n - edf);
  const covariance = inverse.map((one) => one * variance);
  const mean = y.reduce((sum, one) => sum + one, 0) / n;
  const total = y.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const logs = penalised.map(({ scaled }, j) => Math.exp(best[j]) * scaled.factor);
  return {
    coefficients,
    covariance,
    variance,
    edf,
    adjustedR2: 1 - variance / (total / (n - 1)),
    devianceExplained: 1 - residual / total,
    reml: value + ((n - free) / 2) * (1 + Math.log((2 * Math.PI) / (n - free))),
    terms: terms.map((term, place): FittedTerm => {
      const from = starts[place];
      const own = hat.slice(from, from + term.width).reduce((sum, one) => sum + one, 0);
      const j = penalised.findIndex((one) => one.place === place);
      const rank = Math.max(1, Math.min(term.width, Math.round(own)));
      const f = waldF({ gram, covariance, coefficients, from, width: term.width, size, rank });
      return {
        name: term.name,
        from,
        width: term.width,
        edf: own,
        lambda: j < 0 ? null : logs[j],
        f,
        rank,
        p: fTail(f, rank, n - edf),
      };
    }),
  };
}

/**
 * Names of terms whose unpenalised part the terms before them make up already; empty where all is well.
 *
 * @param columns what no penalty holds back, the intercept first: [name, values]
 */
export function dependentColumns(columns: readonly (readonly [name: string, values: ArrayLike<number>])[]): string[] {
  const basis: Float64Array[] = [];
  const found: string[] = [];
  for (const [name, values] of columns) {
    const rest = Float64Array.from(values);
    const before = rest.reduce((sum, one) => sum + one * one, 0);
    // Twice: rounding of the first pass is removed by the second.
    for (let pass = 0; pass < 2; pass++)
      for (const one of basis) {
        let product = 0;
        for (let i = 0; i < rest.length; i++) product += rest[i] * one[i];
        for (let i = 0; i < rest.length; i++) rest[i] -= product * one[i];
      }
    const after = rest.reduce((sum, one) => sum + one * one, 0);
    if (after <= DEPENDENT * before) found.push(name);
    else basis.push(rest.map((one) => one / Math.sqrt(after)));
  }
  return found;
}

/** From several starts: the criterion may have more than one valley. */
function bestOf(objective: (at: Float64Array, gradient: Float64Array) => number, count: number): Float64Array | null {
  if (count === 0) return new Float64Array(0);
  let best: { at: Float64Array; value: number } | null = null;
  for (const start of [0, 6, -4]) {
    const found = minimise(objective, new Float64Array(count).fill(start), { tolerance: 1e-7, mostSteps: 300 });
    if (Number.isFinite(found.value) && (!best || found.value < best.value - 1e-9)) best = found;
  }
  return best && best.at;
}

function gramOf(terms: readonly Term[], starts: readonly number[], n: number, size: number): Float64Array {
  const gram = new Float64Array(size * size);
  const row = new Float64Array(size);
  for (let i = 0; i < n; i++) {
    terms.forEach(({ columns, width }, place) => row.set(columns.subarray(i * width, (i + 1) * width), starts[place]));
    for (let a = 0; a < size; a++) {
      if (row[a] === 0) continue;
      for (let b = 0; b < size; b++) gram[a * size + b] += row[a] * row[b];
    }
  }
  return gram;
}

function momentsOf(terms: readonly Term[], starts: readonly number[], y: Float64Array, size: number): Float64Array {
  const moments = new Float64Array(size);
  terms.forEach(({ columns, width }, place) => {
    for (let i = 0; i < y.length; i++)
      for (let a = 0; a < width; a++) moments[starts[place] + a] += columns[i * width + a] * y[i];
  });
  return moments;
}

interface ScaledPenalty {
  matrix: Float64Array;
  /** matrix = factor · penalty. */
  factor: number;
  /** Of the part that is not zero. */
  logDeterminant: number;
}

/** As large as the term's block of XᵀX, so that ln λ = 0 is a sensible start. */
function scaledPenalty(
  penalty: Float64Array,
  width: number,
  gram: Float64Array,
  from: number,
  size: number,
): ScaledPenalty {
  let [own, columns] = [0, 0];
  for (let a = 0; a < width; a++) {
    own += penalty[a * width + a];
    columns += gram[(from + a) * size + from + a];
  }
  const factor = columns / own;
  const matrix = penalty.map((value) => value * factor);
  const { values } = symmetricEigen(matrix, width);
  const largest = values[width - 1];
  let logDeterminant = 0;
  for (const value of values) if (value > 1e-9 * largest) logDeterminant += Math.log(value);
  return { matrix, factor, logDeterminant };
}

interface WaldInput {
  gram: Float64Array;
  covariance: Float64Array;
  coefficients: Float64Array;
  from: number;
  width: number;
  size: number;
  rank: number;
}

/**
 * Wood's (2013) test in its simple form: the fitted curve against its covariance, in the `rank` directions in which the
 * covariance is largest. Chosen penalties count as known.
 */
function waldF({ gram, covariance, coefficients, from, width, size, rank }: WaldInput): number {
  // R with RᵀR = the term's block of XᵀX, by its eigenvectors.
  const block = new Float64Array(width * width);
  for (let a = 0; a < width; a++)
    for (let b = 0; b < width; b++) block[a * width + b] = gram[(from + a) * size + from + b];
  const own = symmetricEigen(block, width);
  const root = (k: number, a: number) => Math.sqrt(Math.max(own.values[k], 0)) * own.vectors[a * width + k];
  const curve = new Float64Array(width);
  const half = new Float64Array(width * width);
  for (let k = 0; k < width; k++)
    for (let a = 0; a < width; a++) {
      curve[k] += root(k, a) * coefficients[from + a];
      for (let b = 0; b < width; b++) half[k * width + b] += root(k, a) * covariance[(from + a) * size + from + b];
    }
  const spread = new Float64Array(width * width);
  for (let k = 0; k < width; k++)
    for (let l = 0; l < width; l++)
      for (let b = 0; b < width; b++) spread[k * width + l] += half[k * width + b] * root(l, b);
  const { values, vectors } = symmetricEigen(spread, width);
  let statistic = 0;
  for (let k = width - rank; k < width; k++) {
    let along = 0;
    for (let a = 0; a < width; a++) along += vectors[a * width + k] * curve[a];
    statistic += (along * along) / values[k];
  }
  return statistic / rank;
}
