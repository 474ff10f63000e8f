/**
 * Phi-3, Phi-3.5 and Phi-4 (arXiv 2404.14219, 2412.08905, 2503.01743): Llama's block with queries, keys and values from one fused
 * matrix, gate and up from another; rotary positions stretched by LongRoPE, on part of every head in Phi-4-mini; a sliding
 * window in some. Gradients: test/reference/phi3.
 */
import { flag, nullOr, oneOf, onlySupported, positiveInteger, positiveNumber, section } from './config.ts';
import { causalMask } from './masks.ts';
import { rotary, rotaryDim, rotaryTables } from './rotary.ts';
import type { Rotary } from './rotary.ts';
import { activations } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const phi3: Family = {
  id: 'phi3',
  title: 'Phi-3, Phi-3.5, Phi-4, Phi-4-mini',
  modelTypes: ['phi3'],
  source: 'arXiv 2404.14219, 2412.08905, 2503.01743',
  architecture: build,
};

/** First files call LongRoPE "su" or "yarn" (transformers' rule). The original length stands outside the rotary setting. */
function phi3Rotary(config: Config, dim: number): Rotary {
  const key = config.rope_scaling ? 'rope_scaling' : 'rope_parameters';
  const parameters = section(config, key);
  const named = oneOf(
    { [`${key}.rope_type`]: parameters.rope_type ?? parameters.type },
    `${key}.rope_type`,
    ['default', 'longrope', 'su', 'yarn'],
    'default',
  );
  return rotary(
    {
      max_position_embeddings: positiveInteger(config, 'max_position_embeddings', 4096),
      original_max_position_embeddings: positiveInteger(config, 'original_max_position_embeddings', 4096),
      rope_theta: positiveNumber(config, 'rope_theta', 10_000),
      rope_parameters: { ...parameters, rope_type: named === 'default' ? named : 'longrope' },
    },
    dim,
  );
}

function build(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'intermediate_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const kvHeads = positiveInteger(config, 'num_key_value_heads', heads);
  const size = positiveInteger(config, 'head_dim', hidden / heads);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-5);
  const activation = activations[oneOf(config, 'hidden_act', Object.keys(activations), 'silu')];
  const window = nullOr(positiveInteger, config, 'sliding_window', null);
  const turnedSize = rotaryDim(config, size, 1);
  const positions = phi3Rotary(config, turnedSize);
  for (const key of ['attention_bias', 'mlp_bias', 'lm_head_bias']) onlySupported(config, key, [false, null]);
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }

  const embedding = 'model.embed_tokens.weight';
  const tied = flag(config, 'tie_word_embeddings', false) || !weights.has('lm_head.weight');
  const fused = [heads * size, kvHeads * size, kvHeads * size];
  const fusedRows = fused[0] + fused[1] + fused[2];
  const modules: LinearModule[] = [
    { name: 'self_attn.qkv_proj', rows: fusedRows, columns: hidden },
    { name: 'self_attn.o_proj', rows: hidden, columns: heads * size },
    { name: 'mlp.gate_up_proj', rows: 2 * inner, columns: hidden },
    { name: 'mlp.down_proj', rows: hidden, columns: inner },
  ];

  return {
    family: 'phi3',
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
      const [queries, keys, values] = g.split(b.linear('self_attn.qkv_proj', normed, fusedRows), fused, 2);
      const q = b.rotatePart(b.heads(queries, heads, size), turnedSize);
      const k = b.rotatePart(b.heads(keys, kvHeads, size), turnedSize);
      const v = b.heads(values, kvHeads, size);
      const attended = b.attention(q, k, v, { scale: size ** -0.5, mask: 'mask' });
      const middle = g.add(x, b.linear('self_attn.o_proj', attended, hidden));
      const mlpInput = b.rmsNorm('post_attention_layernorm', middle, epsilon);
      const [gate, up] = g.split(b.linear('mlp.gate_up_proj', mlpInput, 2 * inner), [inner, inner], 2);
      return g.add(middle, b.linear('mlp.down_proj', g.mul(activation(g, gate), up), hidden));
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
