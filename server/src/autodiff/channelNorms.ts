/**
 * Rules of normalizations over channels: Batch-, Instance- and GroupNormalization. x [N, C, ..]; scale, bias and
 * statistics [C].
 */
import type { Graph, Value } from '../onnx/graph.ts';
import type { GradRule } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** [C] -> [1, C, 1, ..] */
function perChannel(g: Graph, value: Value, like: Value): Value {
  return g.reshape(
    value,
    like.shape.map((_, i) => (i === 1 ? nth(value.shape, 0) : 1)),
  );
}

function overRest(g: Graph, value: Value): Value {
  const axes = value.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
  return g.reduceSum(value, axes, false);
}

/** At inference: y = (x − mean) / √(var + ε) · scale + bias with statistics that are given. */
export const batchNormGradient: GradRule = ({ g, dy, x: [x, scale, , mean, variance], int, float }) => {
  if (int('training_mode', 0) !== 0) throw new Error('training mode has no rule; export the model in eval mode');
  const inverse = g.reciprocal(g.sqrt(g.add(variance, float('epsilon', 1e-5))));
  const slope = g.mul(scale, inverse);
  const centred = g.sub(x, perChannel(g, mean, x));
  const total = overRest(g, dy);
  const weighted = overRest(g, g.mul(dy, centred));
  return [
    g.mul(dy, perChannel(g, slope, x)),
    g.mul(weighted, inverse),
    total,
    g.neg(g.mul(total, slope)),
    g.mul(g.mul(g.mul(weighted, slope), g.mul(inverse, inverse)), -0.5),
  ];
};

/** dx = (c − mean(c) − x̂ mean(c x̂)) / σ with c = dy · scale, over the last axis. */
function normalizedBack(g: Graph, x: Value, c: Value, epsilon: number): { dx: Value; normal: Value } {
  const axes = [x.shape.length - 1];
  const centred = g.sub(x, g.reduceMean(x, axes));
  const inverse = g.reciprocal(g.sqrt(g.add(g.reduceMean(g.mul(centred, centred), axes), epsilon)));
  const normal = g.mul(centred, inverse);
  const mean = g.sub(c, g.reduceMean(c, axes));
  return { dx: g.mul(g.sub(mean, g.mul(normal, g.reduceMean(g.mul(c, normal), axes))), inverse), normal };
}

/** Statistics of every sample and group of channels. */
function grouped(groups: (channels: number) => number): GradRule {
  return (context) => {
    const {
      g,
      dy,
      x: [x, scale],
      float,
    } = context;
    const [batch, channels] = take(x.shape, 2);
    if (typeof channels !== 'number') throw new Error('the number of channels must be a number');
    const flat = [batch, groups(channels), -1];
    const c = g.mul(dy, perChannel(g, scale, x));
    const { dx, normal } = normalizedBack(g, g.reshape(x, flat), g.reshape(c, flat), float('epsilon', 1e-5));
    return [g.reshapeLike(dx, x), overRest(g, g.mul(dy, g.reshapeLike(normal, x))), overRest(g, dy)];
  };
}

export const instanceNormGradient = grouped((channels) => channels);

/** From opset 21 on scale and bias are by channel. */
export const groupNormGradient: GradRule = (c) => grouped(() => c.int('num_groups', 1))(c);
