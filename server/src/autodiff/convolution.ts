/**
 * Rules of convolutions, by plain operators. With y = Conv(x, W):
 *
 *   dx = ConvTranspose(dy, W) with the same strides, pads, dilations and groups
 *   dW = a convolution of x with dy as its kernel, strides and dilations exchanged (each sample and group by itself)
 *
 * ConvTranspose is the transposed map: its dx is Conv(dy, W), and its dW is that of the Conv with the roles of x and dy
 * exchanged. Spatial sizes must be numbers.
 */
import type { AttributeReader } from '../onnx/attributes.ts';
import type { Dim, Graph, Value } from '../onnx/graph.ts';
import { windowOf } from '../onnx/windows.ts';
import type { Window } from '../onnx/windows.ts';
import type { GradRule } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** Sizes behind batch and channels. @throws Error for symbols */
export function spatial(x: { shape: readonly Dim[]; name: string }): number[] {
  return x.shape.slice(2).map((dim) => {
    if (typeof dim !== 'number') throw new Error(`the sizes [${x.shape.join(', ')}] of "${x.name}" must be numbers`);
    return dim;
  });
}

export const convGradient: GradRule = (c) => {
  const { g, dy, x: inputs } = c;
  const [x, w, bias] = inputs;
  const window = windowOf(spatial(x), spatial(w), c);
  const group = c.int('group', 1);
  return [
    transposedConv(g, dy, w, window, spatial(x), group),
    g.reduceSum(perSampleKernels(g, x, dy, w.shape as number[], window, group), [0], false),
    bias ? overChannels(g, dy) : null,
  ];
};

export const convTransposeGradient: GradRule = (c) => {
  const { g, dy, x: inputs } = c;
  const [x, w, bias] = inputs;
  const window = windowOf(spatial(dy), spatial(w), c, transposedPads(c, spatial(x), spatial(dy), spatial(w)));
  const group = c.int('group', 1);
  const [dx] = g.node('Conv', [dy, w], { ...attributesOf(window), group });
  return [
    dx,
    g.reduceSum(perSampleKernels(g, dy, x, w.shape as number[], window, group), [0], false),
    bias ? overChannels(g, dy) : null,
  ];
};

/** The gradient of a convolution's kernel for every sample: [N, rows, columns per group, ..kernel]. */
export function kernelGradient(g: Graph, x: Value, dy: Value, shape: readonly number[], read: AttributeReader): Value {
  const window = windowOf(spatial(x), shape.slice(2), read);
  return perSampleKernels(g, x, dy, shape, window, read.int('group', 1));
}

/** x [N, C, ..], dy [N, O, ..] -> [N, O, C/group, ..kernel] */
function perSampleKernels(
  g: Graph,
  x: Value,
  dy: Value,
  shape: readonly number[],
  window: Window,
  group: number,
): Value {
  const [batch, channels] = take(x.shape as number[], 2);
  const outputs = dy.shape[1] as number;
  const [sizes, results, kernel] = [spatial(x), spatial(dy), shape.slice(2)];
  const axes = sizes.map((_, i) => i);
  const inner = channels / group;
  // Samples and groups are channels of one convolution, which runs over the channels of a group.
  const grouped = g.reshape(x, [batch * group, inner, ...sizes]);
  const swapped = g.transpose(grouped, [1, 0, ...axes.map((i) => i + 2)]);
  const kernels = g.reshape(dy, [batch * outputs, 1, ...results]);
  const [all] = g.node('Conv', [swapped, kernels], {
    strides: window.dilations,
    dilations: window.strides,
    pads: [...window.before, ...window.after],
    kernel_shape: results,
    group: batch * group,
  });
  const cut = g.slice(
    all,
    kernel.map(() => 0),
    kernel,
    axes.map((i) => i + 2),
  );
  const apart = g.reshape(cut, [inner, batch, outputs, ...kernel]);
  return g.transpose(apart, [1, 2, 0, ...axes.map((i) => i + 3)]);
}

/** The transposed map of a convolution over `sizes`. */
export function transposedConv(g: Graph, dy: Value, w: Value, window: Window, sizes: number[], group: number): Value {
  const results = spatial(dy);
  const outputPadding = sizes.map((size, i) => {
    const reach =
      (nth(results, i) - 1) * nth(window.strides, i) + nth(window.dilations, i) * (nth(window.kernel, i) - 1) + 1;
    return size - (reach - nth(window.before, i) - nth(window.after, i));
  });
  // What a stride leaves over can be more than ONNX allows as output padding only where nothing reads it: then it is
  // zero.
  const allowed = outputPadding.map((pad, i) =>
    Math.min(pad, Math.max(nth(window.strides, i), nth(window.dilations, i)) - 1),
  );
  const [dx] = g.node('ConvTranspose', [dy, w], { ...attributesOf(window), group, output_padding: allowed });
  const missing = outputPadding.map((pad, i) => pad - nth(allowed, i));
  if (missing.every((pad) => pad === 0)) return dx;
  return g.pad(dx, [0, 0, ...missing.map(() => 0), 0, 0, ...missing]);
}

function attributesOf({ strides, dilations, before, after, kernel }: Window) {
  return { strides, dilations, pads: [...before, ...after], kernel_shape: kernel };
}

/** Pads of a ConvTranspose as it ran: what is cut off its full result follows from the sizes. */
function transposedPads(
  read: AttributeReader,
  inputs: readonly number[],
  results: readonly number[],
  kernel: readonly number[],
): { before: number[]; after: number[] } {
  const rank = inputs.length;
  const strides = read.ints('strides') ?? inputs.map(() => 1);
  const dilations = read.ints('dilations') ?? inputs.map(() => 1);
  const extra = read.ints('output_padding') ?? inputs.map(() => 0);
  const total = inputs.map(
    (size, i) =>
      nth(strides, i) * (size - 1) + nth(extra, i) + (nth(kernel, i) - 1) * nth(dilations, i) + 1 - nth(results, i),
  );
  const mode = read.string('auto_pad', 'NOTSET');
  const given = read.ints('pads');
  const before =
    mode === 'NOTSET' && !read.has('output_shape')
      ? inputs.map((_, i) => given?.[i] ?? 0)
      : total.map((pad) => (mode === 'SAME_UPPER' ? Math.floor(pad / 2) : pad - Math.floor(pad / 2)));
  // The backward convolution sees the result with what was cut off put back; output padding beyond the kernel's reach
  // is not seen.
  return { before, after: total.map((pad, i) => (rank > 0 ? pad - nth(before, i) - nth(extra, i) : 0)) };
}

function overChannels(g: Graph, dy: Value): Value {
  return g.reduceSum(dy, [0, ...dy.shape.slice(2).map((_, i) => i + 2)], false);
}
