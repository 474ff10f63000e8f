/** A small pre-norm attention block with its gradient: what the golden file and the round trip look at. */
import { backward } from '../../server/src/autodiff/backward.ts';
import { Graph } from '../../server/src/onnx/graph.ts';

const [heads, size, width] = [2, 4, 8];

export function attentionBlock(): Graph {
  const g = new Graph('attention');
  const x = g.input('x', 'float32', ['B', 'T', width]);
  const bias = g.input('bias', 'float32', ['B', 1, 'T', 'T']);
  const gain = g.initializer(
    'gain',
    'float32',
    [width],
    Float32Array.from({ length: width }, (_, i) => 1 + i / 8),
  );
  const weight = (name: string, offset: number): ReturnType<typeof g.external> =>
    g.external(name, 'float32', [width, width], { location: 'model.safetensors', offset, length: 256 });

  const { q, y } = g.scope('layers.0/self_attn', () => {
    const norm = g.mul(g.mul(x, g.reciprocal(g.sqrt(g.add(g.reduceMean(g.pow(x, 2), [-1]), 1e-5)))), gain);
    const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map((name, i) =>
      g.scope(name, () => g.matMul(norm, g.transpose(weight(name, 7 + 256 * i), [1, 0]))),
    );
    const split = (t: typeof q): typeof q => g.transpose(g.reshape(t, ['B', 'T', heads, size]), [0, 2, 1, 3]);
    const scores = g.add(g.mul(g.matMul(split(q), g.swapLast(split(k))), size ** -0.5), bias);
    const mixed = g.reshape(g.transpose(g.matMul(g.softmax(scores), split(v)), [0, 2, 1, 3]), ['B', 'T', width]);
    return { q, y: g.add(x, mixed) };
  });
  const seed = g.input('dy', 'float32', ['B', 'T', width]);
  const [dx, dq] = backward(g, [{ of: y, cotangent: seed }], [x, q]);
  g.output(y, 'y');
  g.output(dx!, 'dx');
  g.output(dq!, 'dq');
  return g;
}
