/** Rules of the operators that multiply and sum: Einsum, Gemm, MatMul. With Y = A B: dA = dY Bᵀ, dB = Aᵀ dY. */
import type { Graph, Value } from '../onnx/graph.ts';
import { sameShape } from '../onnx/dims.ts';
import type { GradRule } from './types.ts';
import { nth } from '../lists/nth.ts';

/**
 * A vector counts as a row on the left and as a column on the right. Batch axes that were broadcast are summed by the
 * walk, but for a matrix shared by a batch the sum is part of the product: [.., m, k]ᵀ [.., m, n] as one [k, ..m] [..m,
 * n].
 */
export const matMulGradient: GradRule = ({ g, dy, x }) => {
  const [rowVector, columnVector] = x.map(({ shape }) => shape.length === 1);
  const a = rowVector ? g.unsqueeze(x[0], [0]) : x[0];
  const b = columnVector ? g.unsqueeze(x[1], [1]) : x[1];
  let d = columnVector ? g.unsqueeze(dy, [-1]) : dy;
  if (rowVector) d = g.unsqueeze(d, [-2]);

  const da = g.matMul(d, transposed(g, b));
  const shared = b.shape.length === 2 && a.shape.length > 2;
  const db = shared ? g.matMul(g.swapLast(rows(g, a)), rows(g, d)) : g.matMul(transposed(g, a), d);
  return [rowVector ? g.squeeze(da, [-2]) : da, columnVector ? g.squeeze(db, [-1]) : db];
};

/** All axes but the last made one. */
function rows(g: Graph, x: Value): Value {
  return g.reshape(x, [-1, nth(x.shape, x.shape.length - 1)]);
}

/** The last two axes exchanged; what was made by exchanging them is taken as it was before. */
function transposed(g: Graph, x: Value): Value {
  const node = g.producer(x);
  const order = node?.op === 'Transpose' ? node.attributes.perm : undefined;
  const rank = x.shape.length;
  const swaps = [...Array(rank - 2).keys(), rank - 1, rank - 2];
  const exchanged = order?.kind === 'ints' ? sameShape(order.value, swaps) : node?.op === 'Transpose' && rank === 2;
  return exchanged ? node!.inputs[0]! : g.swapLast(x);
}

/** Y = α A' B' + β C, where ' stands for the transposition that the attribute asks for. */
export const gemmGradient: GradRule = ({ g, dy, x: [a, b, c], int, float }) => {
  const [transA, transB] = [int('transA', 0) ? 1 : 0, int('transB', 0) ? 1 : 0] as [0 | 1, 0 | 1];
  const alpha = float('alpha', 1);
  const not = (flag: 0 | 1): 0 | 1 => (flag ? 0 : 1);
  return [
    transA
      ? g.gemm(b, dy, null, { alpha, transA: transB, transB: 1 })
      : g.gemm(dy, b, null, { alpha, transB: not(transB) }),
    transB
      ? g.gemm(dy, a, null, { alpha, transA: 1, transB: transA })
      : g.gemm(a, dy, null, { alpha, transA: not(transA) }),
    c ? g.mul(dy, float('beta', 1)) : null,
  ];
};

/** The cotangent of one factor is the Einsum of `dy` with the others; letters that only it had were summed: spread. */
export const einsumGradient: GradRule = ({ g, dy, x, string }) => {
  const [left = '', result = ''] = string('equation', '').replaceAll(' ', '').split('->');
  const terms = left.split(',');
  return x.map((input, i) => {
    const letters = [...nth(terms, i)];
    if (new Set(letters).size !== letters.length) throw new Error(`"${left}" takes a diagonal, which has no rule`);
    const others = terms.filter((_, k) => k !== i);
    const present = new Set([result, ...others].join(''));
    const kept = letters.filter((letter) => present.has(letter)).join('');
    const factors = [dy, ...x.filter((_, k) => k !== i)];
    const [product] = g.node('Einsum', factors, { equation: `${[result, ...others].join(',')}->${kept}` });
    const missing = letters.flatMap((letter, axis) => (present.has(letter) ? [] : [axis]));
    return missing.length > 0 ? g.expandLike(g.unsqueeze(product, missing), input) : product;
  });
};
