/**
 * Qwen2 and Qwen2.5 (arXiv 2407.10671, 2412.15115): Llama's block with biases on q, k and v, optionally a window in the
 * upper layers.
 */
import { positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import { qwenWindows } from './layerTypes.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const qwen2: Family = {
  id: 'qwen2',
  title: 'Qwen2, Qwen2.5',
  modelTypes: ['qwen2'],
  source: 'arXiv 2407.10671, 2412.15115',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { kvHeads: 32, maxPositions: 32_768 });
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const windows = qwenWindows(config, d.layers);

  return {
    ...frameOf('qwen2', config, d, windows),

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, true);
      const middle = g.add(x, attend(b, [b.rotate(q), b.rotate(k), v], d, maskOf(windows, layer), false));
      return g.add(middle, gatedMlp(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), d));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
