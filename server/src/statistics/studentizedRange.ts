/**
 * The studentised range: the largest of k independent normal values less the smallest, over an estimate of their
 * standard deviation with ν degrees of freedom (Tukey). By quadrature of
 *
 *     P(Q <= q) = ∫ f_ν(s) W(q s) ds
 *     W(w)      = k ∫ φ(z) (Φ(z) - Φ(z - w))^(k-1) dz
 *
 * with f_ν the density of sqrt(χ²_ν / ν), as Copenhaver & Holland (1988) set it up; they and AS 190 (Lund & Lund 1983)
 * choose coarser grids. No package on the registry has more than six digits of it. The outer integral runs over ln s,
 * in which it is smooth for every ν, so that heavy tails need no finer grid.
 */
import { logGamma } from './beta.ts';
import { normalCdf, normalDensity } from './normal.ts';

const POINTS = 16;
const { nodes, weights } = gaussLegendre(POINTS);
/** φ is below 1e-17 outside. */
const REACH = 8.5;
const INNER_PANELS = 8;
/** Parts of f_ν below exp(-40) of its largest value are left out. */
const NEGLIGIBLE = 40;

interface Grid {
  at: Float64Array;
  weight: Float64Array;
}

/** z, and φ(z) dz; Φ(z) beside it. */
const inner = grid(-REACH, REACH, INNER_PANELS);
const innerCdf = inner.at.map(normalCdf);
for (let i = 0; i < inner.at.length; i++) inner.weight[i] *= normalDensity(inner.at[i]);

/** P(Q > q). @param groups k >= 2 @param degrees ν > 0 */
export function studentizedRangeTail(q: number, groups: number, degrees: number): number {
  return q > 0 ? tail(q, groups, scaleGrid(degrees)) : 1;
}

/** The q with P(Q <= q) = level. @param level 0 .. 1, such as 0.95 */
export function studentizedRangeQuantile(level: number, groups: number, degrees: number): number {
  if (!(level > 0 && level < 1 && groups >= 2 && degrees > 0))
    throw new Error(`studentised range for level ${level}, ${groups} groups, degrees ${degrees}`);
  const scale = scaleGrid(degrees);
  const wanted = 1 - level;
  let [low, high] = [0, 4];
  while (tail(high, groups, scale) > wanted) [low, high] = [high, 2 * high];
  // Bisection, with a step between the ends by the logarithm of the tail where it falls inside.
  let [above, below] = [Math.log(low > 0 ? tail(low, groups, scale) : 1), Math.log(tail(high, groups, scale))];
  const aim = Math.log(wanted);
  for (let step = 0; step < 100 && high - low > 1e-12 * high; step++) {
    const share = step % 2 === 0 ? (above - aim) / (above - below) : 0.5;
    const middle = low + Math.min(0.999, Math.max(0.001, share)) * (high - low);
    const value = Math.log(tail(middle, groups, scale));
    if (value > aim) [low, above] = [middle, value];
    else [high, below] = [middle, value];
  }
  return (low + high) / 2;
}

function tail(q: number, groups: number, scale: Grid): number {
  let sum = 0;
  for (let i = 0; i < scale.at.length; i++) sum += scale.weight[i] * rangeTail(q * scale.at[i], groups);
  return Math.min(1, Math.max(0, sum));
}

/** 1 - W(w). */
function rangeTail(w: number, groups: number): number {
  let within = 0;
  for (let i = 0; i < inner.at.length; i++)
    within += inner.weight[i] * (innerCdf[i] - normalCdf(inner.at[i] - w)) ** (groups - 1);
  return 1 - groups * within;
}

/** s, and f_ν(s) ds. */
function scaleGrid(degrees: number): Grid {
  const logDensity = (t: number) => degrees * (t - Math.exp(2 * t) / 2);
  const top = logDensity(0);
  const edge = (direction: number) => {
    let reach = 1 / Math.sqrt(degrees);
    while (logDensity(direction * reach) > top - NEGLIGIBLE) reach *= 1.25;
    return direction * reach;
  };
  const [from, to] = [edge(-1), edge(1)];
  const found = grid(from, to, Math.ceil((to - from) / Math.min(1, 3 / Math.sqrt(degrees))));
  const constant = (degrees / 2) * Math.log(degrees) - logGamma(degrees / 2) - (degrees / 2 - 1) * Math.LN2;
  for (let i = 0; i < found.at.length; i++) {
    found.weight[i] *= Math.exp(constant + logDensity(found.at[i]));
    found.at[i] = Math.exp(found.at[i]);
  }
  return found;
}

function grid(from: number, to: number, panels: number): Grid {
  const width = (to - from) / panels;
  const found = { at: new Float64Array(panels * POINTS), weight: new Float64Array(panels * POINTS) };
  for (let panel = 0; panel < panels; panel++)
    for (let i = 0; i < POINTS; i++) {
      found.at[panel * POINTS + i] = from + width * (panel + (1 + nodes[i]) / 2);
      found.weight[panel * POINTS + i] = (weights[i] * width) / 2;
    }
  return found;
}

/** Nodes and weights on -1 .. 1: zeros of the Legendre polynomial by Newton's method. */
function gaussLegendre(count: number): { nodes: Float64Array; weights: Float64Array } {
  const found = { nodes: new Float64Array(count), weights: new Float64Array(count) };
  for (let i = 0; i < count; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 0;
    for (let step = 0; step < 50; step++) {
      let [before, value] = [1, x];
      for (let degree = 2; degree <= count; degree++)
        [before, value] = [value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree];
      slope = (count * (x * value - before)) / (x * x - 1);
      const move = value / slope;
      x -= move;
      if (Math.abs(move) < 1e-15) break;
    }
    found.nodes[i] = x;
    found.weights[i] = 2 / ((1 - x * x) * slope * slope);
  }
  return found;
}
