/**
 * Phi-1, 1.5 and 2 (arXiv 2306.11644, 2309.05463): attention and MLP side by side behind one layer norm, rotary positions on part
 * of every head, biases everywhere, the head's included; optionally layer norms of queries and keys. Gradients: test/reference/phi.
 */
import { flag, oneOf, positiveInteger, positiveNumber } from './config.ts';
import { causalMask } from './masks.ts';
import { rotary, rotaryDim, rotaryTables } from './rotary.ts';
import { activations } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const phi: Family = {
  id: 'phi',
  title: 'Phi-1, Phi-1.5, Phi-2',
  modelTypes: ['phi'],
  source: 'arXiv 2306.11644, 2309.05463',
  architecture: build,
};

function build(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'intermediate_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const kvHeads = positiveInteger(config, 'num_key_value_heads', heads);
  const size = positiveInteger(config, 'head_dim', hidden / heads);
  const epsilon = positiveNumber(config, 'layer_norm_eps', 1e-5);
  const activation = activations[oneOf(config, 'hidden_act', Object.keys(activations), 'gelu_new')];
  const headNorms = flag(config, 'qk_layernorm', false);
  const turnedSize = rotaryDim(config, size, 0.5);
  const positions = rotary(config, turnedSize);
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }

  const embedding = 'model.embed_tokens.weight';
  const tied = flag(config, 'tie_word_embeddings', false) || !weights.has('lm_head.weight');
  const bias = { bias: true };
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: heads * size, columns: hidden },
    { name: 'self_attn.k_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.v_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.dense', rows: hidden, columns: heads * size },
    { name: 'mlp.fc1', rows: inner, columns: hidden },
    { name: 'mlp.fc2', rows: hidden, columns: inner },
  ];

  return {
    family: 'phi',
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
      const normed = b.layerNorm('input_layernorm', x, epsilon);
      const turned = (name: 'q' | 'k', count: number) => {
        const values = b.heads(b.linear(`self_attn.${name}_proj`, normed, count * size, bias), count, size);
        const even = headNorms ? b.layerNorm(`self_attn.${name}_layernorm`, values, epsilon) : values;
        return b.rotatePart(even, turnedSize);
      };
      const q = turned('q', heads);
      const k = turned('k', kvHeads);
      const v = b.heads(b.linear('self_attn.v_proj', normed, kvHeads * size, bias), kvHeads, size);
      const mixed = b.attention(q, k, v, { scale: size ** -0.5, mask: 'mask' });
      const attended = b.linear('self_attn.dense', mixed, hidden, bias);
      const up = activation(g, b.linear('mlp.fc1', normed, inner, bias));
      return g.add(g.add(attended, b.linear('mlp.fc2', up, hidden, bias)), x);
    },

    head(b, x) {
      const normed = b.layerNorm('model.final_layernorm', x, epsilon);
      const matrix = b.weight(tied ? embedding : 'lm_head.weight', [vocabulary, hidden]);
      const logits = b.graph.matMul(normed, b.graph.transpose(matrix, [1, 0]));
      return b.graph.add(logits, b.weight('lm_head.bias', [vocabulary]));
    },

    tables(length, longest) {
      const { cos, sin } = rotaryTables(positions, length, longest);
      return { 'rotary.cos': cos, 'rotary.sin': sin, mask: causalMask(length, null) };
    },
    lengthMatters: (length) => length > positions.fixedUpTo,
  };
}
