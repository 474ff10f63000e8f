/**
 * SmolLM3 (huggingface.co/HuggingFaceTB/SmolLM3-3B): Llama's block, in which every fourth layer, or those with a 0 in
 * `no_rope_layers`, has no rotary positions (Yang et al. 2025, arXiv 2501.18795). Those layers may have a window.
 */
import { flag, positiveInteger, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import { slidingLayers } from './layerTypes.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const smollm3: Family = {
  id: 'smollm3',
  title: 'SmolLM3',
  modelTypes: ['smollm3'],
  source: 'huggingface.co/HuggingFaceTB/SmolLM3-3B, arXiv 2501.18795',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { kvHeads: 4, theta: 2e6, maxPositions: 32_768, tied: true });
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const attentionBias = flag(config, 'attention_bias', false);
  const mlpBias = flag(config, 'mlp_bias', false);
  const rotated = rotatedLayers(config, d.layers);
  const windows = slidingLayers(config, d.layers, null, (layer) => !rotated[layer]);

  return {
    ...frameOf('smollm3', config, d, windows),
    kind: (layer) => `${maskOf(windows, layer)} ${rotated[layer] ? 'rotary' : 'plain'}`,

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, attentionBias);
      const [placedQ, placedK] = rotated[layer] ? [b.rotate(q), b.rotate(k)] : [q, k];
      const middle = g.add(x, attend(b, [placedQ, placedK, v], d, maskOf(windows, layer), attentionBias));
      return g.add(middle, gatedMlp(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), d, mlpBias));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}

/**
 * `no_rope_layers` holds, in spite of its name, a 1 for each layer that rotates. It may be longer than there are
 * layers.
 */
function rotatedLayers(config: Config, layers: number): boolean[] {
  const given = config.no_rope_layers ?? null;
  if (given === null) {
    const interval = positiveInteger(config, 'no_rope_layer_interval', 4);
    return Array.from({ length: layers }, (_, i) => (i + 1) % interval !== 0);
  }
  if (!Array.isArray(given) || given.length < layers || given.some((x) => x !== 0 && x !== 1)) {
    throw new Error(
      `config.json: no_rope_layers is ${JSON.stringify(given)}; a list of ${layers} numbers is needed, 1 for a layer with rotary positions, 0 without`,
    );
  }
  return given.slice(0, layers).map((x) => x === 1);
}
