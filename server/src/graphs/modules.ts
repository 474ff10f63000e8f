/**
 * The matrices and kernels of a graph that are multiplied with activations: nodes of the table whose weight comes from
 * one constant, perhaps transposed, cast or dequantised on its way. Everything is told without running the graph.
 */
import { readerOf } from '../onnx/attributes.ts';
import type { DecodedInitializer, DecodedModel, DecodedNode } from '../onnx/decode.ts';
import { scopeOf, weightPath } from './names.ts';
import type { GraphModule, WeightSide, WeightUse } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { take } from '../lists/take.ts';
import { nth } from '../lists/nth.ts';

type Size = Pick<GraphModule, 'rows' | 'columns' | 'groups' | 'kernel'>;

interface WeightedRow {
  /** Inputs that may be the weight. */
  sides: { input: number; side: WeightSide }[];
  /** Rows and columns of W from the shape of that input. */
  size(node: DecodedNode, shape: readonly number[], side: WeightSide): Size;
}

/** The weight of y = x B as rows x columns: B is stored columns x rows. */
const product: WeightedRow = {
  sides: [
    { input: 1, side: 'right' },
    { input: 0, side: 'left' },
  ],
  size: (_, shape, side) => {
    const [a, b] = take(shape, 2);
    return side === 'right' ? matrix(b, a) : matrix(a, b);
  },
};

const flagged = (a: string, b: string): WeightedRow => ({
  sides: product.sides,
  size: (node, shape, side) => {
    const turned = readerOf(node).int(side === 'right' ? b : a, 0) !== 0;
    const [first, second] = take(turned ? shape.toReversed() : shape, 2);
    return side === 'right' ? matrix(second, first) : matrix(first, second);
  },
});

const convolution: WeightedRow = {
  sides: [{ input: 1, side: 'kernel' }],
  size: (node, shape) => ({
    rows: nth(shape, 0),
    columns: shape.slice(1).reduce((a, b) => a * b, 1),
    groups: readerOf(node).int('group', 1),
    kernel: shape.slice(2),
  }),
};

/** One row per operator that multiplies with a weight. */
const weighted: Readonly<Record<string, WeightedRow>> = {
  Conv: convolution,
  'com.microsoft.FusedConv': convolution,
  Gemm: flagged('transA', 'transB'),
  MatMul: product,
  'com.microsoft.Attention': { ...product, sides: [{ input: 1, side: 'right' }] },
  'com.microsoft.FusedGemm': flagged('transA', 'transB'),
  'com.microsoft.FusedMatMul': flagged('transA', 'transB'),
};

function matrix(rows: number, columns: number): Size {
  return { rows, columns, groups: 1, kernel: [] };
}

/** @returns modules in the order in which they run; weights that nothing in the names tells apart are numbered */
export function modulesOf(model: DecodedModel): GraphModule[] {
  const constants = new Map(model.initializers.map((constant) => [constant.name, constant]));
  const makers = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const found: { use: WeightUse; size: Size }[] = [];
  for (const node of model.nodes) {
    const row = lookup(weighted, node.op);
    for (const { input, side } of row?.sides ?? []) {
      const weight = sourceOf(node.inputs[input] ?? '', constants, makers);
      if (!weight || weight.shape.length < 2 || (side !== 'kernel' && weight.shape.length !== 2)) continue;
      found.push({
        use: { node, side, initializer: weight.initializer, turned: turnedAt(node, side) !== weight.turned },
        size: row!.size(node, weight.shape, side),
      });
      break;
    }
  }
  return named(found);
}

/** Whether a node reads its weight as columns x rows: x W does, W x does not, and flags turn either. */
function turnedAt(node: DecodedNode, side: WeightSide): boolean {
  if (side === 'kernel') return false;
  const flag = readerOf(node).int(side === 'right' ? 'transB' : 'transA', 0) !== 0;
  return (side === 'right') !== flag;
}

interface Source {
  initializer: string;
  /** Whether the first axis of the constant is the last one here. */
  turned: boolean;
  shape: readonly number[];
}

/** Constants of other types than these are no weights. */
const weightTypes = new Set<DecodedInitializer['type']>(['float32', 'float16', 'bfloat16', 'float64', 'int8', 'uint8']);

/** Follows a value back to the constant that it is made of. */
function sourceOf(
  value: string,
  constants: ReadonlyMap<string, DecodedInitializer>,
  makers: ReadonlyMap<string, DecodedNode>,
): Source | null {
  const constant = constants.get(value);
  if (constant)
    return weightTypes.has(constant.type) ? { initializer: value, shape: constant.shape, turned: false } : null;
  const node = makers.get(value);
  if (!node) return null;
  const from = (): Source | null => sourceOf(node.inputs[0] ?? '', constants, makers);
  switch (node.op) {
    case 'Identity':
    case 'Cast':
    case 'DequantizeLinear':
      return from();
    case 'Transpose': {
      const source = from();
      const order = readerOf(node).ints('perm') ?? source?.shape.map((_, i, all) => all.length - 1 - i);
      const turned = source?.turned !== (nth(order ?? [0], 0) !== 0);
      return source && { ...source, turned, shape: order!.map((axis) => nth(source.shape, axis)) };
    }
    case 'Squeeze': {
      const source = from();
      return source && { ...source, shape: source.shape.filter((size) => size !== 1) };
    }
    case 'Reshape': {
      const source = from();
      const target = constants.get(node.inputs[1] ?? '')?.data;
      if (!source || !target) return null;
      const sizes = Array.from(target as Iterable<number | bigint>, Number);
      const rest = sizes.filter((size) => size > 0).reduce((a, b) => a * b, 1);
      const whole = source.shape.reduce((a, b) => a * b, 1);
      return { ...source, shape: sizes.map((size) => (size === -1 ? whole / rest : size)) };
    }
    default:
      return null;
  }
}

/** Uses with the same weight and the same name are one module. */
function named(found: { use: WeightUse; size: Size }[]): GraphModule[] {
  const scopes = new Map<string, Set<string>>();
  for (const { use } of found) {
    const scope = scopeOf(use.node);
    const known = scopes.get(use.initializer) ?? new Set();
    scopes.set(use.initializer, known.add(scope ?? ''));
  }
  const modules = new Map<string, GraphModule>();
  const taken = new Map<string, string>();
  for (const { use, size } of found) {
    const path = pathOf(use, scopes.get(use.initializer)!.size > 1);
    const key = `${path}\0${use.initializer}`;
    const known = modules.get(key);
    if (known) {
      known.uses.push(use);
      continue;
    }
    let own = path;
    for (let i = 1; taken.has(own); i++) own = `${path}.${i}`;
    taken.set(own, key);
    modules.set(key, { path: own, ...size, uses: [use] });
  }
  return [...modules.values()];
}

/**
 * The weight's own name where it is one and says more than the node's; a weight used in several modules is none of
 * theirs alone.
 */
function pathOf({ node, initializer }: WeightUse, shared: boolean): string {
  const scope = scopeOf(node);
  const own = weightPath(initializer);
  if (own !== null && (!shared || scope === null || own.startsWith(scope))) return own;
  return scope ?? own ?? '';
}
