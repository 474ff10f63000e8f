/** Rules of reductions, of Max and Min, and of the normalizations, which are reductions in disguise. */
import { sortedAxes } from '../onnx/contents.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { GradRule, RuleContext } from './types.ts';
import { take } from '../lists/take.ts';

/** The axes that the node reduces: second input, or attribute below opset 18; none means all. */
function reducedAxes({ g, x, ints, int }: RuleContext): number[] {
  const rank = x[0].shape.length;
  const given = x[1] ? g.numbers(x[1]) : (ints('axes') ?? []);
  if (!given) throw new Error('the axes must be constant');
  if (given.length > 0) return sortedAxes(given, rank);
  return int('noop_with_empty_axes', 0) !== 0 ? [] : x[0].shape.map((_, i) => i);
}

/** A tensor of the result's shape, with 1 where the axes were: it broadcasts to the input. */
export function reducedBack(c: RuleContext, v: Value): Value {
  const axes = reducedAxes(c);
  return c.int('keepdims', 1) !== 0 || axes.length === 0 ? v : c.g.unsqueeze(v, axes);
}

/** The mean passes a share of the cotangent to each element. */
export const meanGradient: GradRule = (c) => {
  const count = c.g.count(c.x[0], reducedAxes(c), c.dy.type);
  const share = typeof count === 'number' ? c.g.mul(c.dy, 1 / count) : c.g.div(c.dy, count);
  return [reducedBack(c, share)];
};

function sameElements(g: Graph, x: Value, extreme: Value): Value {
  return g.cast(g.equal(x, extreme), x.type);
}

/** ReduceMax, ReduceMin: elements that tie for the extreme share the cotangent. */
export const extremeGradient: GradRule = (c) => {
  const { g, x, dy, y } = c;
  const hits = sameElements(g, x[0], reducedBack(c, y));
  const axes = reducedAxes(c);
  const share = axes.length === 0 ? dy : g.div(reducedBack(c, dy), g.reduceSum(hits, axes));
  return [g.mul(hits, share)];
};

/** Max, Min of several inputs: those that tie share the cotangent. */
export const extremum: GradRule = ({ g, dy, x, y }) => {
  const hits = x.map((input) => sameElements(g, input, y));
  const share = g.div(
    dy,
    hits.reduce((a, b) => g.add(a, b)),
  );
  return hits.map((hit) => g.mul(share, hit));
};

/** The axes from `axis` to the last. */
function normalizedAxes({ x, int }: RuleContext): number[] {
  const rank = x[0].shape.length;
  const [first] = take(sortedAxes([int('axis', -1)], rank), 1);
  return x[0].shape.flatMap((_, i) => (i >= first ? [i] : []));
}

/** With x̂ = (x − mean)/σ and c = dy·scale: dx = (c − mean(c) − x̂ · mean(c·x̂)) / σ. */
export const layerNormGradient: GradRule = (c) => {
  const { g, dy, x } = c;
  const axes = normalizedAxes(c);
  const centered = g.sub(x[0], g.reduceMean(x[0], axes));
  const variance = g.reduceMean(g.mul(centered, centered), axes);
  const inverse = g.reciprocal(g.sqrt(g.add(variance, c.float('epsilon', 1e-5))));
  const normal = g.mul(centered, inverse);
  const scaled = g.mul(dy, x[1]);
  const mean = g.sub(scaled, g.reduceMean(scaled, axes));
  const dx = g.mul(g.sub(mean, g.mul(normal, g.reduceMean(g.mul(scaled, normal), axes))), inverse);
  return [dx, g.mul(dy, normal), x[2] ? dy : null];
};

/** As for LayerNormalization, without the mean: x̂ = x / √(mean(x²) + ε), dx = (c − x̂ · mean(c·x̂)) / √(…). */
export const rmsNormGradient: GradRule = (c) => {
  const { g, dy, x } = c;
  const axes = normalizedAxes(c);
  const square = g.reduceMean(g.mul(x[0], x[0]), axes);
  const inverse = g.reciprocal(g.sqrt(g.add(square, c.float('epsilon', 1e-5))));
  const normal = g.mul(x[0], inverse);
  const scaled = g.mul(dy, x[1]);
  const dx = g.mul(g.sub(scaled, g.mul(normal, g.reduceMean(g.mul(scaled, normal), axes))), inverse);
  return [dx, g.mul(dy, normal)];
};
