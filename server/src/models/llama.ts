/**
 * Llama decoders: pre-norm blocks, rotary positions, grouped-query attention, gated MLP. Llama 2 and 3 (arXiv
 * 2307.09288, 2407.21783), Mistral (arXiv 2310.06825: a sliding window), Ministral (the window in the layers that
 * `layer_types` names), SmolLM. Checked against PyTorch float64 by test/engine/gradients.test.ts.
 */
import { flag, nullOr, positiveInteger, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import type { Defaults, Windows } from './decoder.ts';
import { slidingLayers } from './layerTypes.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const llama: Family = {
  id: 'llama',
  title: 'Llama 2/3, SmolLM, SmolLM2',
  modelTypes: ['llama'],
  source: 'arXiv 2307.09288, 2407.21783',
  architecture: (config, weights) =>
    build('llama', config, weights, {}, (layers) => Array.from({ length: layers }, () => null)),
};

export const mistral: Family = {
  id: 'mistral',
  title: 'Mistral, Ministral',
  modelTypes: ['mistral', 'ministral'],
  source: 'arXiv 2310.06825',
  architecture: (config, weights) => {
    // A missing key means the published 4,096, null means no window (transformers' rule).
    const window = nullOr(positiveInteger, config, 'sliding_window', 4096);
    const windows = (layers: number): Windows =>
      config.model_type === 'ministral'
        ? slidingLayers({ ...config, use_sliding_window: true }, layers, window, () => true)
        : Array.from({ length: layers }, () => window);
    return build('mistral', config, weights, { kvHeads: 8, maxPositions: 4096 * 32 }, windows);
  },
};

function build(
  family: string,
  config: Config,
  weights: Weights,
  defaults: Defaults,
  windowsOf: (layers: number) => Windows,
): Architecture {
  const d = decoderOf(config, weights, defaults);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  // Mistral has no biases, whatever its file says of them (transformers' rule).
  const attentionBias = family === 'llama' && flag(config, 'attention_bias', false);
  const mlpBias = family === 'llama' && flag(config, 'mlp_bias', false);
  const windows = windowsOf(d.layers);

  return {
    ...frameOf(family, config, d, windows),

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, attentionBias);
      const attended = attend(b, [b.rotate(q), b.rotate(k), v], d, maskOf(windows, layer), attentionBias);
      const middle = g.add(x, attended);
      return g.add(middle, gatedMlp(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), d, mlpBias));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
