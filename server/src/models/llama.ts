/**
 * Llama decoders: pre-norm blocks, rotary positions, grouped-query attention, gated MLP. Llama 2 and 3 (arXiv 2307.09288,
 * 2407.21783), Mistral (arXiv 2310.06825: a sliding window), SmolLM. Checked against PyTorch float64 by test/engine/gradients.test.ts.
 */
import { flag, oneOf, positiveInteger, positiveNumber } from './config.ts';
import { causalMask } from './masks.ts';
import { rotary, rotaryTables } from './rotary.ts';
import { activations } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const llama: Family = {
  id: 'llama',
  title: 'Llama 2/3, SmolLM, SmolLM2',
  modelTypes: ['llama'],
  source: 'arXiv 2307.09288, 2407.21783',
  architecture: (config, weights) => build('llama', config, weights, null),
};

export const mistral: Family = {
  id: 'mistral',
  title: 'Mistral',
  modelTypes: ['mistral'],
  source: 'arXiv 2310.06825',
  // A missing key means the published 4,096, null means no window (transformers' rule).
  architecture: (config, weights) =>
    build(
      'mistral',
      config,
      weights,
      config.sliding_window === null ? null : positiveInteger(config, 'sliding_window', 4096),
    ),
};

function build(family: string, config: Config, weights: Weights, window: number | null): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'intermediate_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const kvHeads = positiveInteger(config, 'num_key_value_heads', heads);
  const size = positiveInteger(config, 'head_dim', hidden / heads);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const activation = activations[oneOf(config, 'hidden_act', Object.keys(activations), 'silu')];
  const attentionBias = flag(config, 'attention_bias', false);
  const mlpBias = flag(config, 'mlp_bias', false);
  const positions = rotary(config, size);
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }

  const embedding = 'model.embed_tokens.weight';
  const tied = flag(config, 'tie_word_embeddings', false) || !weights.has('lm_head.weight');
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: heads * size, columns: hidden },
    { name: 'self_attn.k_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.v_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.o_proj', rows: hidden, columns: heads * size },
    { name: 'mlp.gate_proj', rows: inner, columns: hidden },
    { name: 'mlp.up_proj', rows: inner, columns: hidden },
    { name: 'mlp.down_proj', rows: hidden, columns: inner },
  ];

  return {
    family,
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
      const bias = { bias: attentionBias };
      const q = b.rotate(b.heads(b.linear('self_attn.q_proj', normed, heads * size, bias), heads, size));
      const k = b.rotate(b.heads(b.linear('self_attn.k_proj', normed, kvHeads * size, bias), kvHeads, size));
      const v = b.heads(b.linear('self_attn.v_proj', normed, kvHeads * size, bias), kvHeads, size);
      const attended = b.attention(q, k, v, { scale: size ** -0.5, mask: 'mask' });
      const middle = g.add(x, b.linear('self_attn.o_proj', attended, hidden, bias));
      const gateInput = b.rmsNorm('post_attention_layernorm', middle, epsilon);
      const gate = activation(g, b.linear('mlp.gate_proj', gateInput, inner, { bias: mlpBias }));
      const up = b.linear('mlp.up_proj', gateInput, inner, { bias: mlpBias });
      return g.add(middle, b.linear('mlp.down_proj', g.mul(gate, up), hidden, { bias: mlpBias }));
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
