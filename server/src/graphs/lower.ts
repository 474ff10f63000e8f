/**
 * One node of a user's graph -> nodes of opset 21. Most operators go over as they are; a row below brings an older form
 * into the new one, or makes a fused operator of others, which all have gradient rules. Shapes are numbers. To support
 * an operator: a row here, or in one of the tables that are joined, and where it has neither row nor rule, a rule in
 * `autodiff/rules.ts`.
 */
import { readerOf } from '../onnx/attributes.ts';
import type { Value } from '../onnx/graph.ts';
import { attentionForms } from './attention.ts';
import { fusedForms } from './fused.ts';
import type { LowerContext, Lowering } from './lowering.ts';
import { oldForms } from './oldForms.ts';
import { lookup } from '../text/lookup.ts';

export const lowerings: Readonly<Record<string, Lowering>> = {
  ...attentionForms,
  ...fusedForms,
  ...oldForms,
  Conv: (c) => {
    const y = convolved(c);
    return [y];
  },
  Gemm: (c) => {
    const [a, b, bias] = [c.x(0), c.x(1), c.inputs[2] ?? null];
    const [transA, transB] = [c.int('transA', 0), c.int('transB', 0)] as [0 | 1, 0 | 1];
    const alpha = c.float('alpha', 1);
    const left = sideOf(c) === 'left';
    const input = left ? b : a;
    // Without the bias, whose sum would be the same value's business.
    const [turned] = [left ? transB : transA];
    const x = turned ? c.g.transpose(input, [1, 0]) : input;
    const y = c.g.gemm(a, b, bias, { transA, transB, alpha, beta: c.float('beta', 1) });
    c.captured(x, y, { left, alpha });
    return [y];
  },
  MatMul: (c) => {
    const left = sideOf(c) === 'left';
    const [y] = c.same();
    c.captured(c.x(left ? 1 : 0), y, { left });
    return [y];
  },
};

function convolved(c: LowerContext): Value {
  const [y] = c.same();
  c.captured(c.x(0), y);
  return y;
}

/** The weight's side: the one that is a graph input or made of one, without the data. */
function sideOf({ g, inputs }: Pick<LowerContext, 'g' | 'inputs'>): 'left' | 'right' {
  const fromData = (value: Value | null): boolean => {
    if (!value) return false;
    const node = g.producer(value);
    if (!node) return value.name.startsWith('input/');
    return node.inputs.some(fromData);
  };
  return fromData(inputs[1] ?? null) && !fromData(inputs[0] ?? null) ? 'left' : 'right';
}

export function lower(
  given: Pick<LowerContext, 'g' | 'node' | 'opset' | 'inputs' | 'outputs' | 'captured'>,
): (Value | null)[] {
  const { g, node, inputs, outputs } = given;
  const context: LowerContext = {
    ...readerOf(node),
    ...given,
    x: (i) => {
      const value = inputs[i];
      if (!value) throw new Error(`input ${i} is missing`);
      return value;
    },
    numbers: (i) => {
      const value = inputs[i];
      if (!value) return null;
      const content = g.numbers(value);
      if (!content) throw new Error(`input ${i} must be constant`);
      return content;
    },
    same: (changed = inputs, attributes = node.attributes) => {
      const typed = outputs.map((output, i) => output ?? { type: 'float32' as const, shape: [], unused: i });
      return g.append(
        node.op,
        changed,
        attributes,
        typed.map(({ type, shape }) => ({ type, shape })),
      );
    },
  };
  const row = lookup(lowerings, node.op);
  const made = row ? row(context) : context.same();
  made.forEach((value, i) => {
    const told = outputs[i];
    if (value && told && value.shape.join() !== told.shape.join()) {
      throw new Error(`came out as [${value.shape.join(', ')}], ONNX Runtime gives [${told.shape.join(', ')}]`);
    }
  });
  return made;
}
