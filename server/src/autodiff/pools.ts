/** Rules of pools and of Resize. Spatial sizes must be numbers. */
import type { Graph, Value } from '../onnx/graph.ts';
import { windowOf } from '../onnx/windows.ts';
import { spatial, transposedConv } from './convolution.ts';
import type { GradRule, RuleContext } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** The greatest of a window takes the cotangent; where several tie it is the one that MaxPool names. */
export const maxPoolGradient: GradRule = ({ g, node, dy, x: [x] }) => {
  const [, places] = take(g.node('MaxPool', [x], { ...node.attributes, storage_order: 0 }, 2), 2);
  const flat = (value: Value): Value => g.reshape(value, [-1]);
  // Positions count over all samples and channels.
  return [g.reshapeLike(g.scatterElements(flat(g.zerosLike(x)), flat(places), flat(dy), 0, 'add'), x)];
};

/** Each element of a window takes its share: a transposed convolution, channel by channel, with ones as its kernel. */
export const averagePoolGradient: GradRule = (c) => {
  const {
    g,
    dy,
    x: [x],
  } = c;
  const kernel = c.ints('kernel_shape')!;
  const sizes = spatial(x);
  const window = windowOf(sizes, kernel, c);
  // With ceil_mode the last window may reach beyond the padding; it is as if there were more of it.
  const results = spatial(dy);
  const beyond = results.map((count, i) => {
    const reach = (count - 1) * nth(window.strides, i) + (nth(kernel, i) - 1) * nth(window.dilations, i) + 1;
    return Math.max(0, reach - nth(sizes, i) - nth(window.before, i) - nth(window.after, i));
  });
  const padded = c.int('count_include_pad', 0) !== 0;
  if (padded && beyond.some((pad) => pad > 0))
    throw new Error('count_include_pad with a window beyond the padding has no rule');
  const whole = { ...window, after: window.after.map((pad, i) => pad + nth(beyond, i)) };
  const channels = x.shape[1] as number;
  const ones = (shape: number[]): Value => g.expand(g.scalar(1, x.type), shape);
  const count = kernel.reduce((a, b) => a * b, 1);
  const share = padded
    ? g.mul(dy, 1 / count)
    : g.div(
        dy,
        g.node('Conv', [ones([1, 1, ...sizes]), ones([1, 1, ...kernel])], {
          strides: whole.strides,
          dilations: whole.dilations,
          pads: [...whole.before, ...whole.after],
          kernel_shape: kernel,
        })[0],
      );
  return [transposedConv(g, share, ones([channels, 1, ...kernel]), whole, sizes, channels)];
};

export const globalAverageGradient: GradRule = ({ g, dy, x: [x] }) => {
  const count = spatial(x).reduce((a, b) => a * b, 1);
  return [g.expandLike(g.mul(dy, 1 / count), x)];
};

/** Elements that tie share. */
export const globalMaxGradient: GradRule = ({ g, dy, x: [x], y }) => {
  const hits = g.cast(g.equal(x, y), x.type);
  const axes = x.shape.slice(2).map((_, i) => i + 2);
  return [g.mul(hits, g.div(dy, g.reduceSum(hits, axes)))];
};

/**
 * Resizing is linear and goes axis by axis: y = x M₁ᵀ M₂ᵀ .., where Mᵀ is the resized identity. So nearest, linear and
 * cubic have one rule: dy times each M.
 */
export const resizeGradient: GradRule = (c) => {
  const { g, node, dy, x: inputs, y } = c;
  const [x] = inputs;
  if (c.string('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize')
    throw new Error('coordinate_transformation_mode "tf_crop_and_resize" has no rule');
  if (c.string('keep_aspect_ratio_policy', 'stretch') !== 'stretch')
    throw new Error('keep_aspect_ratio_policy other than "stretch" has no rule');
  const rank = x.shape.length;
  const axes = c.ints('axes')?.map((axis) => (axis < 0 ? axis + rank : axis)) ?? x.shape.map((_, i) => i);
  const scales = inputs[2] && inputs[2].shape[0] !== 0 ? g.numbers(inputs[2]) : null;
  let back = dy;
  axes.forEach((axis, at) => {
    const [from, to] = [x.shape[axis], y.shape[axis]];
    if (typeof from !== 'number' || typeof to !== 'number') throw new Error('the sizes must be numbers');
    if (from === to && (scales === null || scales[at] === 1)) return;
    const matrix = resizedIdentity(g, c, from, to, scales ? nth(scales, at) : null); // [from, to]
    const order = [...Array(rank).keys()].filter((i) => i !== axis);
    const last = g.transpose(back, [...order, axis]);
    const made = g.matMul(last, g.transpose(matrix, [1, 0]));
    const places = [...Array(rank).keys()].map((i) => (i === axis ? rank - 1 : order.indexOf(i)));
    back = g.transpose(made, places);
  });
  return [back, ...node.inputs.slice(1).map(() => null)];
};

function resizedIdentity(g: Graph, c: RuleContext, from: number, to: number, scale: number | null): Value {
  const eye = new Float32Array(from * from);
  for (let i = 0; i < from; i++) eye[i * from + i] = 1;
  const identity = g.initializer(`resize ${from} ${to} ${g.nodes.length}`, 'float32', [1, 1, from, from], eye);
  const attributes = Object.fromEntries(Object.entries(c.node.attributes).filter(([name]) => name !== 'axes'));
  const scales =
    scale === null
      ? null
      : g.initializer(`scale ${from} ${to} ${g.nodes.length}`, 'float32', [4], Float32Array.of(1, 1, 1, scale));
  const [made] = g.append(
    'Resize',
    scales ? [identity, null, scales] : [identity, null, null, g.ints([1, 1, from, to])],
    attributes,
    [{ type: 'float32', shape: [1, 1, from, to] }],
  );
  return g.cast(g.reshape(made, [from, to]), c.dy.type);
}
