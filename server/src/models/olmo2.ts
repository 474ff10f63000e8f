/**
 * OLMo 2 (arXiv 2501.00656): norms after attention and after the MLP instead of before, q and k normed over their whole
 * width (all heads together) before they are split into heads.
 */
import { flag, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, gatedMlp, logits } from './decoder.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const olmo2: Family = {
  id: 'olmo2',
  title: 'OLMo 2',
  modelTypes: ['olmo2'],
  source: 'arXiv 2501.00656',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-5);
  const bias = flag(config, 'attention_bias', false);
  const windows = Array.from({ length: d.layers }, () => null);

  return {
    ...frameOf('olmo2', config, d, windows),

    block(b, x) {
      const g = b.graph;
      const project = (name: string, heads: number) => b.linear(`self_attn.${name}_proj`, x, heads * d.size, { bias });
      const placed = (name: string, heads: number) =>
        b.rotate(b.heads(b.rmsNorm(`self_attn.${name}_norm`, project(name, heads), epsilon), heads, d.size));
      const q = placed('q', d.heads);
      const k = placed('k', d.kvHeads);
      const v = b.heads(project('v', d.kvHeads), d.kvHeads, d.size);
      const attended = attend(b, [q, k, v], d, 'mask', bias);
      const middle = g.add(x, b.rmsNorm('post_attention_layernorm', attended, epsilon));
      return g.add(middle, b.rmsNorm('post_feedforward_layernorm', gatedMlp(b, middle, d), epsilon));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
