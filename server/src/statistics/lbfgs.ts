/**
 * Limited-memory BFGS (Nocedal 1980) with a backtracking line search: minima of smooth functions of many variables. No
 * package on the registry that is kept up does it for typed arrays; `ml-logistic-regression` descends by fixed steps
 * without a penalty.
 */
const MEMORY = 10;
const SUFFICIENT = 1e-4;

export interface Minimum {
  at: Float64Array;
  value: number;
  steps: number;
  /** Largest entry of the gradient in size. */
  gradient: number;
}

/**
 * @param objective writes its gradient and returns its value
 * @param start is not changed
 */
export function minimise(
  objective: (at: Float64Array, gradient: Float64Array) => number,
  start: Float64Array,
  { tolerance = 1e-6, mostSteps = 500 } = {},
): Minimum {
  const size = start.length;
  let at = start.slice();
  let gradient = new Float64Array(size);
  let value = objective(at, gradient);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let steps = 0;
  while (steps < mostSteps && largest(gradient) > tolerance) {
    const direction = descent(gradient, pairs);
    let slope = dot(direction, gradient);
    if (!(slope < 0)) {
      // The remembered curvature misleads: begin anew from the gradient.
      pairs.length = 0;
      for (let i = 0; i < size; i++) direction[i] = -gradient[i];
      slope = dot(direction, gradient);
    }
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    const next = new Float64Array(size);
    const nextGradient = new Float64Array(size);
    let nextValue = Infinity;
    for (let tries = 0; tries < 40; tries++) {
      for (let i = 0; i < size; i++) next[i] = at[i] + length * direction[i];
      nextValue = objective(next, nextGradient);
      if (nextValue <= value + SUFFICIENT * length * slope) break;
      length /= 2;
    }
    if (!(nextValue < value)) break;
    const s = new Float64Array(size);
    const y = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      s[i] = next[i] - at[i];
      y[i] = nextGradient[i] - gradient[i];
    }
    const curvature = dot(s, y);
    if (curvature > 1e-12 * Math.sqrt(dot(s, s) * dot(y, y))) {
      pairs.push({ s, y, rho: 1 / curvature });
      if (pairs.length > MEMORY) pairs.shift();
    }
    at = next;
    gradient = nextGradient;
    value = nextValue;
    steps++;
  }
  return { at, value, steps, gradient: largest(gradient) };
}

/** -H g by the two loops over the remembered pairs. */
function descent(gradient: Float64Array, pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[]) {
  const q = gradient.slice();
  const alphas = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    alphas[k] = pairs[k].rho * dot(pairs[k].s, q);
    add(q, pairs[k].y, -alphas[k]);
  }
  const newest = pairs.at(-1);
  if (newest) {
    const scale = 1 / (newest.rho * dot(newest.y, newest.y));
    for (let i = 0; i < q.length; i++) q[i] *= scale;
  }
  for (const [k, { s, y, rho }] of pairs.entries()) add(q, s, alphas[k] - rho * dot(y, q));
  for (let i = 0; i < q.length; i++) q[i] = -q[i];
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(to: Float64Array, of: Float64Array, times: number): void {
  for (let i = 0; i < to.length; i++) to[i] += times * of[i];
}

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
