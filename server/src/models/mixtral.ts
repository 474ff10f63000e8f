/**
 * Mixtral (arXiv 2401.04088): Mistral's blocks with a mixture of experts in place of the MLP. The router and all experts are
 * scored. Checked against PyTorch float64 by test/engine/gradients.test.ts.
 */
import { flag, oneOf, positiveInteger, positiveNumber } from './config.ts';
import { mixture, mixtureModules, requireSeparateExperts } from './experts.ts';
import type { Mixture } from './experts.ts';
import { causalMask } from './masks.ts';
import { rotary, rotaryTables } from './rotary.ts';
import { activations } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const mixtral: Family = {
  id: 'mixtral',
  title: 'Mixtral',
  modelTypes: ['mixtral'],
  source: 'arXiv 2401.04088',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  // A missing key means the published 8, null means as many as heads (transformers' rule).
  const kvHeads = config.num_key_value_heads === null ? heads : positiveInteger(config, 'num_key_value_heads', 8);
  const size = positiveInteger(config, 'head_dim', hidden / heads);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-5);
  const window = (config.sliding_window ?? null) === null ? null : positiveInteger(config, 'sliding_window');
  const tied = flag(config, 'tie_word_embeddings', false);
  const positions = rotary(
    {
      ...config,
      rope_theta: config.rope_theta ?? 1e6,
      max_position_embeddings: config.max_position_embeddings ?? 131_072,
    },
    size,
  );
  const experts: Mixture = {
    router: 'block_sparse_moe.gate',
    experts: 'block_sparse_moe.experts',
    gate: 'w1',
    up: 'w3',
    down: 'w2',
    count: positiveInteger(config, 'num_local_experts', 8),
    chosen: positiveInteger(config, 'num_experts_per_tok', 2),
    hidden,
    inner: positiveInteger(config, 'intermediate_size'),
    normalised: true,
    activation: activations[oneOf(config, 'hidden_act', Object.keys(activations), 'silu')],
  };
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }
  requireSeparateExperts(experts, weights, 'model.layers.0');

  const embedding = 'model.embed_tokens.weight';
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: heads * size, columns: hidden },
    { name: 'self_attn.k_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.v_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.o_proj', rows: hidden, columns: heads * size },
    ...mixtureModules(experts),
  ];

  return {
    family: 'mixtral',
    layers,
    hidden,
    vocabulary,
    heads,
    layerName: (layer) => `model.layers.${layer}`,
    modules: () => modules,
    kind: () => 'block',

    embed: (b, tokens) => b.graph.gather(b.weight(embedding, [vocabulary, hidden]), tokens, 0),

    block(b, x) {
      const g = b.graph;
      const normed = b.rmsNorm('input_layernorm', x, epsilon);
      const q = b.rotate(b.heads(b.linear('self_attn.q_proj', normed, heads * size), heads, size));
      const k = b.rotate(b.heads(b.linear('self_attn.k_proj', normed, kvHeads * size), kvHeads, size));
      const v = b.heads(b.linear('self_attn.v_proj', normed, kvHeads * size), kvHeads, size);
      const attended = b.attention(q, k, v, { scale: size ** -0.5, mask: 'mask' });
      const middle = g.add(x, b.linear('self_attn.o_proj', attended, hidden));
      return g.add(middle, mixture(b, b.rmsNorm('post_attention_layernorm', middle, epsilon), experts));
    },

    head(b, x) {
      const normed = b.rmsNorm('model.norm', x, epsilon);
      const matrix = b.weight(tied ? embedding : 'lm_head.weight', [vocabulary, hidden]);
      return b.graph.matMul(normed, b.graph.transpose(matrix, [1, 0]));
    },

    tables(length, longest) {
      const { cos, sin } = rotaryTables(positions, length, longest);
      return { 'rotary.cos': cos, 'rotary.sin': sin, mask: causalMask(length, window) };
    },
    lengthMatters: (length) => length > positions.fixedUpTo,
  };
}
