/**
 * Operators whose older versions say the same in another way: axes, sizes and bounds as attributes (up to opset 9 to
 * 17), Softmax over several axes at once (below 13). Each row gives the form of opset 21.
 */
import type { Value } from '../onnx/graph.ts';
import type { Attribute, Attributes } from '../onnx/types.ts';
import type { LowerContext, Lowering } from './lowering.ts';

function without(attributes: Attributes, ...names: string[]): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));
}

/** `axes` as the second input. */
const axesAsInput: Lowering = (c) => {
  const axes = c.ints('axes');
  if (!axes) return c.same();
  return c.same([c.x(0), c.g.ints(axes)], without(c.node.attributes, 'axes'));
};

/** Below opset 13 all axes from `axis` on are one (and `axis` is 1 where nothing is said). */
const overLast =
  (op: 'Softmax' | 'LogSoftmax'): Lowering =>
  (c) => {
    const x = c.x(0);
    const rank = x.shape.length;
    if (c.opset >= 13 || c.int('axis', 1) === rank - 1 || c.int('axis', 1) === -1)
      return c.same([x], { axis: { kind: 'int', value: c.int('axis', c.opset >= 13 ? -1 : 1) } });
    const axis = c.int('axis', 1);
    const at = axis < 0 ? axis + rank : axis;
    const flat = c.g.reshape(x, [numberOf(x.shape.slice(0, at)), numberOf(x.shape.slice(at))]);
    const [y] = c.g.node(op, [flat], { axis: -1 });
    return [c.g.reshape(y, x.shape)];
  };

function numberOf(shape: readonly (number | string)[]): number {
  return (shape as number[]).reduce((a, b) => a * b, 1);
}

/** Attributes that became inputs, as int64 lists or scalars of the first input's type. */
function inputOf(c: LowerContext, name: string): Value | null {
  const attribute = c.node.attributes[name] as Attribute | undefined;
  if (!attribute) return null;
  if (attribute.kind === 'ints') return c.g.ints(attribute.value);
  if (attribute.kind === 'float' || attribute.kind === 'int') return c.g.scalar(attribute.value, c.x(0).type);
  throw new Error(`attribute "${name}" is of kind ${attribute.kind}`);
}

export const oldForms: Readonly<Record<string, Lowering>> = {
  Clip: (c) => {
    if (!c.has('min') && !c.has('max')) return c.same();
    return c.same([c.x(0), inputOf(c, 'min'), inputOf(c, 'max')], {});
  },
  // An empty cache in front of new keys adds nothing; of one part it is the part itself.
  Concat: (c) => {
    const parts = c.inputs.filter((part) => part && !part.shape.includes(0)) as Value[];
    if (parts.length <= 1) return [c.g.identity(parts[0] ?? c.x(0))];
    return parts.length === c.inputs.length ? c.same() : [c.g.concat(parts, c.int('axis', 0))];
  },
  // At inference nothing is dropped.
  Dropout: (c) => {
    const training = c.inputs[2] ? c.numbers(2)![0] : 0;
    if (training !== 0) throw new Error('drops elements at random (training mode); export the model in eval mode');
    return [c.g.identity(c.x(0)), null];
  },
  LogSoftmax: overLast('LogSoftmax'),
  Pad: (c) => {
    const pads = c.ints('pads') ?? c.ints('paddings');
    if (!pads) return c.same();
    const mode = { mode: { kind: 'string' as const, value: c.string('mode', 'constant') } };
    return c.same([c.x(0), c.g.ints(pads), c.g.scalar(c.float('value', 0), c.x(0).type)], mode);
  },
  ReduceL1: axesAsInput,
  ReduceL2: axesAsInput,
  ReduceLogSum: axesAsInput,
  ReduceLogSumExp: axesAsInput,
  ReduceMax: axesAsInput,
  ReduceMean: axesAsInput,
  ReduceMin: axesAsInput,
  ReduceProd: axesAsInput,
  ReduceSum: axesAsInput,
  ReduceSumSquare: axesAsInput,
  Reshape: (c) => {
    // The probe tells the shape, whatever the target was computed from.
    const shape = c.outputs[0]!.shape;
    return [c.g.reshape(c.x(0), shape)];
  },
  Scatter: (c) => [c.g.scatterElements(c.x(0), c.x(1), c.x(2), c.int('axis', 0))],
  Slice: (c) => {
    const starts = c.ints('starts');
    if (!starts) return c.same();
    const axes = c.ints('axes') ?? starts.map((_, i) => i);
    return c.same([c.x(0), c.g.ints(starts), c.g.ints(c.ints('ends')!), c.g.ints(axes)], {});
  },
  Softmax: overLast('Softmax'),
  Split: (c) => {
    const axis = { axis: { kind: 'int' as const, value: c.int('axis', 0) } };
    const at = c.int('axis', 0) < 0 ? c.int('axis', 0) + c.x(0).shape.length : c.int('axis', 0);
    // Sizes of outputs that nothing reads follow from the others' only when one is missing.
    const given = c.inputs[1] ? c.numbers(1)! : c.ints('split');
    const count = c.node.outputs.length;
    const whole = c.x(0).shape[at] as number;
    const part = Math.ceil(whole / count);
    const sizes = given ?? Array.from({ length: count }, (_, i) => Math.min(part, whole - i * part));
    return c.g.node('Split', [c.x(0), c.g.ints(sizes)], axis, count);
  },
  Squeeze: (c) => [c.g.reshape(c.x(0), c.outputs[0]!.shape)],
  Sum: (c) => [c.inputs.map((_, i) => c.x(i)).reduce((a, b) => c.g.add(a, b))],
  Unsqueeze: (c) => [c.g.reshape(c.x(0), c.outputs[0]!.shape)],
  Flatten: (c) => [c.g.reshape(c.x(0), c.outputs[0]!.shape)],
  Expand: (c) => [c.g.expand(c.x(0), c.outputs[0]!.shape)],
};
