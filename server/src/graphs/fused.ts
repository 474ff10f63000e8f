/**
 * Fused and composite operators made of simpler ones: those of ONNX Runtime's optimizer, and rarer activations of the
 * standard.
 */
import type { Graph, Value } from '../onnx/graph.ts';
import type { Attributes } from '../onnx/types.ts';
import type { LowerContext, Lowering } from './lowering.ts';
import { lookup } from '../text/lookup.ts';
import { take } from '../lists/take.ts';

/** y = (x − mean) / √(variance + ε) · scale + bias over the last axes; without the mean it is RMSNormalization. */
function normalized(c: LowerContext, x: Value, scale: Value, bias: Value | null, centre: boolean, axis: number): Value {
  const { g } = c;
  const rank = x.shape.length;
  const first = axis < 0 ? axis + rank : axis;
  const axes = x.shape.flatMap((_, i) => (i >= first ? [i] : []));
  const centred = centre ? g.sub(x, g.reduceMean(x, axes)) : x;
  const inverse = g.reciprocal(g.sqrt(g.add(g.reduceMean(g.mul(centred, centred), axes), c.float('epsilon', 1e-5))));
  const y = g.mul(g.mul(centred, inverse), scale);
  return bias ? g.add(y, bias) : y;
}

/** Input + skip (+ bias), normalised; the sum is the fourth output. */
const skipNorm =
  (centre: boolean): Lowering =>
  (c) => {
    const [beta, bias] = centre ? [c.inputs[3] ?? null, c.inputs[4] ?? null] : [null, c.inputs[3] ?? null];
    const plain = c.g.add(c.x(0), c.x(1));
    const sum = bias ? c.g.add(plain, bias) : plain;
    return [normalized(c, sum, c.x(2), beta, centre, -1), null, null, sum];
  };

const simplified: Lowering = (c) => [normalized(c, c.x(0), c.x(1), null, false, c.int('axis', -1)), null];

const activations: Readonly<Record<string, (g: Graph, x: Value, parameters: readonly number[]) => Value>> = {
  Relu: (g, x) => g.relu(x),
  Tanh: (g, x) => g.tanh(x),
  Sigmoid: (g, x) => g.sigmoid(x),
  LeakyRelu: (g, x, [alpha = 0.01]) => g.node('LeakyRelu', [x], { alpha })[0],
  Clip: (g, x, [low, high]) => g.clip(x, low ?? null, high ?? null),
  HardSigmoid: (g, x, [alpha = 0.2, beta = 0.5]) => g.node('HardSigmoid', [x], { alpha, beta })[0],
};

function activated(c: LowerContext, x: Value): Value {
  const name = c.string('activation', '');
  if (name === '') return x;
  const row = lookup(activations, name);
  if (!row) throw new Error(`activation "${name}" has no decomposition`);
  const list = c.node.attributes.activation_params;
  return row(c.g, x, list?.kind === 'floats' ? list.value : []);
}

function kept(attributes: Attributes, ...names: string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => names.includes(name)));
}

/** Channels and blocks of an image exchanged, [N, C, H, W]. */
const depthToSpace: Lowering = (c) => {
  const [n, channels, h, w] = take(c.x(0).shape as number[], 4);
  const block = c.int('blocksize', 1);
  const inner = channels / block ** 2;
  const columnFirst = c.string('mode', 'DCR') === 'CRD';
  const split = c.g.reshape(c.x(0), columnFirst ? [n, inner, block, block, h, w] : [n, block, block, inner, h, w]);
  const moved = c.g.transpose(split, columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return [c.g.reshape(moved, [n, inner, h * block, w * block])];
};

const spaceToDepth: Lowering = (c) => {
  const [n, channels, h, w] = take(c.x(0).shape as number[], 4);
  const block = c.int('blocksize', 1);
  const split = c.g.reshape(c.x(0), [n, channels, h / block, block, w / block, block]);
  const moved = c.g.transpose(split, [0, 3, 5, 1, 2, 4]);
  return [c.g.reshape(moved, [n, channels * block ** 2, h / block, w / block])];
};

const elu = (g: Graph, x: Value, alpha: number): Value => g.node('Elu', [x], { alpha })[0];

export const fusedForms: Readonly<Record<string, Lowering>> = {
  // max(0, x) + min(0, α (exp(x/α) − 1))
  Celu: (c) => {
    const alpha = c.float('alpha', 1);
    return [c.g.mul(elu(c.g, c.g.div(c.x(0), alpha), 1), alpha)];
  },
  CastLike: (c) => [c.g.cast(c.x(0), c.x(1).type)],
  DepthToSpace: depthToSpace,
  // Scale and bias are by group below opset 21.
  GroupNormalization: (c) => {
    const [x, scale, bias] = [c.x(0), c.x(1), c.x(2)];
    const channels = x.shape[1] as number;
    const groups = c.int('num_groups', 1);
    const wide = (v: Value): Value =>
      v.shape[0] === channels
        ? v
        : c.g.reshape(c.g.expand(c.g.unsqueeze(v, [1]), [groups, channels / groups]), [channels]);
    return c.same([x, wide(scale), wide(bias)], kept(c.node.attributes, 'num_groups', 'epsilon'));
  },
  // x / (Σ |x|ᵖ)^(1/p)
  LpNormalization: (c) => {
    const op = c.int('p', 2) === 1 ? 'ReduceL1' : 'ReduceL2';
    const [norm] = c.g.node(op, [c.x(0), c.g.ints([c.int('axis', -1)])]);
    return [c.g.div(c.x(0), norm)];
  },
  Mish: (c) => [c.g.mul(c.x(0), c.g.tanh(c.g.node('Softplus', [c.x(0)])[0]))],
  PRelu: (c) => [c.g.where(c.g.greater(c.x(0), 0), c.x(0), c.g.mul(c.x(0), c.x(1)))],
  Selu: (c) => [c.g.mul(elu(c.g, c.x(0), c.float('alpha', 1.6732632423543772)), c.float('gamma', 1.0507009873554805))],
  SimplifiedLayerNormalization: simplified,
  Softsign: (c) => [c.g.div(c.x(0), c.g.add(c.g.abs(c.x(0)), 1))],
  SpaceToDepth: spaceToDepth,
  Swish: (c) => [c.g.mul(c.x(0), c.g.sigmoid(c.g.mul(c.x(0), c.float('alpha', 1))))],
  ThresholdedRelu: (c) => [c.g.where(c.g.greater(c.x(0), c.float('alpha', 1)), c.x(0), 0)],
  // Resize by whole factors; the scales were an attribute at first.
  Upsample: (c) => {
    const list = c.node.attributes.scales;
    const scales =
      list?.kind === 'floats'
        ? c.g.initializer(`scales ${c.g.nodes.length}`, 'float32', [list.value.length], Float32Array.from(list.value))
        : c.x(1);
    const text = (value: string) => ({ kind: 'string' as const, value });
    const attributes = {
      mode: text(c.string('mode', 'nearest')),
      coordinate_transformation_mode: text('asymmetric'),
      nearest_mode: text('floor'),
    };
    return c.g.append('Resize', [c.x(0), null, scales], attributes, [
      { type: c.x(0).type, shape: c.outputs[0]!.shape },
    ]);
  },
  'com.microsoft.BiasGelu': (c) => [c.g.gelu(c.g.add(c.x(0), c.x(1)), 'none')],
  'com.microsoft.FastGelu': (c) => [c.g.gelu(c.inputs[1] ? c.g.add(c.x(0), c.inputs[1]) : c.x(0), 'tanh')],
  'com.microsoft.FusedConv': (c) => {
    const inputs = [c.x(0), c.x(1), ...(c.inputs[2] ? [c.inputs[2]] : [])];
    const names = ['strides', 'pads', 'dilations', 'group', 'kernel_shape', 'auto_pad'];
    const shape = c.outputs[0]!.shape;
    const [y] = c.g.append('Conv', inputs, kept(c.node.attributes, ...names), [{ type: c.x(0).type, shape }]);
    c.captured(c.x(0), y);
    return [activated(c, c.inputs[3] ? c.g.add(y, c.inputs[3]) : y)];
  },
  'com.microsoft.FusedGemm': (c) => {
    const [transA, transB] = [c.int('transA', 0), c.int('transB', 0)] as [0 | 1, 0 | 1];
    const [a, alpha] = [c.x(0), c.float('alpha', 1)];
    const y = c.g.gemm(a, c.x(1), c.inputs[2] ?? null, { transA, transB, alpha, beta: c.float('beta', 1) });
    c.captured(transA ? c.g.transpose(a, [1, 0]) : a, y, { alpha });
    return [activated(c, y)];
  },
  'com.microsoft.FusedMatMul': (c) => {
    if (c.int('transBatchA', 0) !== 0 || c.int('transBatchB', 0) !== 0)
      throw new Error('transBatchA and transBatchB have no decomposition');
    const turned = (i: number, name: string): Value => (c.int(name, 0) !== 0 ? c.g.swapLast(c.x(i)) : c.x(i));
    const [a, b] = [turned(0, 'transA'), turned(1, 'transB')];
    const product = c.g.matMul(a, b);
    c.captured(a, product);
    const alpha = c.float('alpha', 1);
    return [alpha === 1 ? product : c.g.mul(product, alpha)];
  },
  'com.microsoft.Gelu': (c) => [c.g.gelu(c.x(0), 'none')],
  'com.microsoft.QuickGelu': (c) => [c.g.mul(c.x(0), c.g.sigmoid(c.g.mul(c.x(0), c.float('alpha', 1.702))))],
  'com.microsoft.SimplifiedLayerNormalization': simplified,
  'com.microsoft.SkipLayerNormalization': skipNorm(true),
  'com.microsoft.SkipSimplifiedLayerNormalization': skipNorm(false),
};
