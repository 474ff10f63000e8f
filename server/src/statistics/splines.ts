/**
 * Penalised splines (Eilers & Marx 1996) as mgcv's `s(x, bs = "ps")` builds them: cubic B-splines on evenly spaced
 * knots, second differences of neighbouring coefficients as the penalty, and the constraint that the curve sums to zero
 * over the rows, so that it can stand beside an intercept.
 */

export interface SplineBasis {
  /** Coefficients after the constraint: one fewer than B-splines. */
  width: number;
  /** Values of the basis functions at `x`, length `width`. */
  at(x: number): Float64Array;
  /** width x width, row-major; `rank` of it is not zero. */
  penalty: Float64Array;
  rank: number;
}

const DEGREE = 3;
const DIFFERENCES = 2;
/** The knots reach this share of the range beyond it, as mgcv has it. */
const MARGIN = 0.001;

/** @param values with at least two different ones @param functions B-splines, at least 4 */
export function splineBasis(values: ArrayLike<number>, functions: number): SplineBasis {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  const margin = (high - low) * MARGIN;
  const step = (high - low + 2 * margin) / (functions - DEGREE);
  const first = low - margin - DEGREE * step;
  const knot = (i: number) => first + i * step;

  /** All B-splines at x, by the recursion of Cox and de Boor. */
  const all = (x: number): Float64Array => {
    const found = new Float64Array(functions + DEGREE);
    const interval = Math.min(functions - 1, Math.max(DEGREE, Math.floor((x - first) / step)));
    found[interval] = 1;
    for (let degree = 1; degree <= DEGREE; degree++)
      for (let i = interval - degree; i <= interval; i++)
        found[i] =
          (found[i] * (x - knot(i))) / (degree * step) + (found[i + 1] * (knot(i + degree + 1) - x)) / (degree * step);
    return found.subarray(0, functions);
  };

  const constraint = new Float64Array(functions);
  for (let i = 0; i < values.length; i++) all(values[i]).forEach((value, k) => (constraint[k] += value));
  const reduce = withoutConstraint(constraint);
  return {
    width: functions - 1,
    at: (x) => reduce(all(x)),
    penalty: reducedPenalty(functions, reduce),
    rank: functions - DIFFERENCES,
  };
}

/**
 * The Householder reflection that turns the constraint into a multiple of the first axis: a vector's other entries are
 * its coordinates in the space where the constraint holds.
 */
function withoutConstraint(constraint: Float64Array): (vector: Float64Array) => Float64Array {
  const size = Math.hypot(...constraint);
  const normal = constraint.slice();
  normal[0] += constraint[0] >= 0 ? size : -size;
  const squares = normal.reduce((sum, value) => sum + value * value, 0);
  return (vector) => {
    let product = 0;
    for (let k = 0; k < vector.length; k++) product += vector[k] * normal[k];
    const reflected = Float64Array.from(vector, (value, k) => value - (2 * product * normal[k]) / squares);
    return reflected.subarray(1);
  };
}

/** Zᵀ Dᵀ D Z with D the second differences. */
function reducedPenalty(functions: number, reduce: (vector: Float64Array) => Float64Array): Float64Array {
  const width = functions - 1;
  const penalty = new Float64Array(width * width);
  for (let row = 0; row + DIFFERENCES < functions; row++) {
    const difference = new Float64Array(functions);
    difference.set([1, -2, 1], row);
    const reduced = reduce(difference);
    for (let a = 0; a < width; a++) for (let b = 0; b < width; b++) penalty[a * width + b] += reduced[a] * reduced[b];
  }
  return penalty;
}
