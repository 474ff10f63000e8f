/**
 * Mixtral (arXiv 2401.04088): Mistral's block with a mixture of experts in place of the MLP. The router and all experts
 * are scored. Checked against PyTorch float64 by test/engine/gradients.test.ts.
 */
import { eitherKey, nullOr, positiveInteger, positiveNumber } from './config.ts';
import { attend, decoderOf, frameOf, logits, maskOf, projections } from './decoder.ts';
import { mixture, mixtureModules, requireSeparateExperts } from './experts.ts';
import type { Mixture } from './experts.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';

export const mixtral: Family = {
  id: 'mixtral',
  title: 'Mixtral',
  modelTypes: ['mixtral'],
  source: 'arXiv 2401.04088',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const d = decoderOf(config, weights, { kvHeads: 8, theta: 1e6, maxPositions: 4096 * 32 });
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-5);
  const window = nullOr(positiveInteger, config, 'sliding_window', null);
  const windows = Array.from({ length: d.layers }, () => window);
  const experts: Mixture = {
    router: 'block_sparse_moe.gate',
    experts: 'block_sparse_moe.experts',
    gate: 'w1',
    up: 'w3',
    down: 'w2',
    count: positiveInteger(eitherKey(config, 'num_local_experts', 'num_experts'), 'num_local_experts', 8),
    chosen: positiveInteger(config, 'num_experts_per_tok', 2),
    hidden: d.hidden,
    inner: d.inner,
    normalised: true,
    activation: d.activation,
  };
  requireSeparateExperts(experts, weights, 'model.layers.0');
  const frame = frameOf('mixtral', config, d, windows);
  const modules = [...frame.modules().filter((m) => m.name.startsWith('self_attn.')), ...mixtureModules(experts)];

  return {
    ...frame,
    modules: () => modules,

    block(b, x, layer) {
      const g = b.graph;
      const [q, k, v] = projections(b, b.rmsNorm('input_layernorm', x, epsilon), d, false);
      const middle = g.add(x, attend(b, [b.rotate(q), b.rotate(k), v], d, maskOf(windows, layer), false));
      return g.add(middle, mixture(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), experts));
    },

    head: (b, x) => logits(b, b.rmsNorm('model.norm', x, epsilon), d),
  };
}
