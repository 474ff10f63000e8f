/**
 * StableLM 3B and StableLM 2 (arXiv 2402.17834): layer norms, rotary positions on the first part of each head, and by
 * configuration biases on q, k and v, a layer norm for each head of q and k, attention and MLP side by side.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, projections } from './decoder.ts';
import { rotaryDim } from './rotary.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const stablelm: Family = {
  id: 'stablelm',
  title: 'StableLM 3B, StableLM 2',
  modelTypes: ['stablelm'],
  source: 'arXiv 2402.17834',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { kvHeads: 32, maxPositions: 4096 });
  if (d.size * d.heads !== d.hidden) {
    throw new Error(
      `config.json: ${d.heads} heads of ${d.size} do not make up hidden_size ${d.hidden}, as StableLM has them`,
    );
  }
  const epsilon = positiveNumber(config, 'layer_norm_eps', 1e-5);
  const bias = flag(config, 'use_qkv_bias', false);
  const headNorm = flag(config, 'qk_layernorm', false);
  const parallel = flag(config, 'use_parallel_residual', false);
  const rotated = rotaryDim(config, d.size, 0.25);
  const windows = Array.from({ length: d.layers }, () => null);

  return {
    ...frameOf('stablelm', config, d, windows, rotated),

    block(b, x) {
      const g = b.graph;
      const normed = b.layerNorm('input_layernorm', x, epsilon);
      const [q, k, v] = projections(b, normed, d, bias);
      const placed = (name: string, y: Value) =>
        b.rotatePart(headNorm ? normPerHead(b, `self_attn.${name}_layernorm`, y, epsilon) : y, rotated);
      const attended = g.add(x, attend(b, [placed('q', q), placed('k', k), v], d, 'mask', false));
      const mlpInput = parallel ? normed : b.layerNorm('post_attention_layernorm', attended, epsilon);
      return g.add(attended, gatedMlp(b, mlpInput, d));
    },

    head: (b, x) => logits(b, b.layerNorm('model.norm', x, epsilon), d),
  };
}

/**
 * Layer norm of [B, heads, T, size] over each head with a gain of its own, `<tensor>.norms.<head>.weight`, without
 * bias.
 */
function normPerHead(b: SegmentBuilder, tensor: string, x: Value, epsilon: number): Value {
  const g = b.graph;
  return g.scope(tensor, () => {
    const [, heads, , size] = x.shape as [unknown, number, unknown, number];
    const gains = Array.from({ length: heads }, (_, head) => b.weight(`${tensor}.norms.${head}.weight`, [size]));
    const centred = g.sub(x, g.reduceMean(x, [-1], true));
    const variance = g.reduceMean(g.mul(centred, centred), [-1], true);
    const normed = g.mul(centred, g.reciprocal(g.sqrt(g.add(variance, g.scalar(epsilon)))));
    return g.mul(normed, g.reshape(g.concat(gains, 0), [heads, 1, size]));
  });
}
