/**
 * Qwen3 without experts (arXiv 2505.09388): Llama's block with an RMS norm over each head's q and k, the gain shared by
 * all heads.
 */
import { flag, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import { qwenWindows } from './layerTypes.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const qwen3: Family = {
  id: 'qwen3',
  title: 'Qwen3',
  modelTypes: ['qwen3'],
  source: 'arXiv 2505.09388',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { kvHeads: 32, headDim: 128, maxPositions: 32_768 });
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const bias = flag(config, 'attention_bias', false);
  const windows = qwenWindows(config, d.layers);

  return {
    ...frameOf('qwen3', config, d, windows),

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, bias);
      const placedQ = b.rotate(b.rmsNorm('self_attn.q_norm', q, epsilon));
      const placedK = b.rotate(b.rmsNorm('self_attn.k_norm', k, epsilon));
      const middle = g.add(x, attend(b, [placedQ, placedK, v], d, maskOf(windows, layer), bias));
      return g.add(middle, gatedMlp(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), d));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
