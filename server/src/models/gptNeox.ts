/**
 * GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373): attention and MLP side by side on the same input (or one after
 * the other), rotary positions on a part of each head, a fused projection by head, layer norm, biases. Checked against
 * PyTorch float64 by test/engine/gradients.test.ts.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, positiveInteger, positiveNumber, prefixOf } from './config.ts';
import { headOf, project } from './head.ts';
import { placed } from './positions.ts';
import { ropeParameters, rotary } from './rotary.ts';
import { activationOf } from './activations.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const gptNeox: Family = {
  id: 'gpt_neox',
  title: 'GPT-NeoX, Pythia',
  modelTypes: ['gpt_neox'],
  source: 'arXiv 2204.06745, 2304.01373',
  architecture,
};

function architecture(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'intermediate_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const epsilon = positiveNumber(config, 'layer_norm_eps', 1e-5);
  const activation = activationOf(config, 'hidden_act', 'gelu');
  const bias = flag(config, 'attention_bias', true);
  const parallel = flag(config, 'use_parallel_residual', true);
  if (hidden % heads !== 0) {
    throw new Error(`config.json: hidden_size ${hidden} is not a multiple of num_attention_heads ${heads}`);
  }
  const size = hidden / heads;
  const { rotated, positions } = partialRotary(config, size);

  const prefix = prefixOf(weights, 'gpt_neox.', 'embed_in.weight');
  const outputs = headOf(config, weights, {
    embedding: `${prefix}embed_in.weight`,
    heads: ['embed_out.weight', 'lm_head.weight'],
    tied: false,
    vocabulary,
  });
  const modules: LinearModule[] = [
    { name: 'attention.query_key_value', rows: 3 * hidden, columns: hidden },
    { name: 'attention.dense', rows: hidden, columns: hidden },
    { name: 'mlp.dense_h_to_4h', rows: inner, columns: hidden },
    { name: 'mlp.dense_4h_to_h', rows: hidden, columns: inner },
  ];

  const attention = (b: SegmentBuilder, x: Value): Value => {
    const normed = b.layerNorm('input_layernorm', x, epsilon);
    const fused = b.linear('attention.query_key_value', normed, 3 * hidden, { bias });
    const { q, k, v } = b.splitGroups(fused, heads, heads, size);
    const attended = b.attention(b.rotatePart(q, rotated), b.rotatePart(k, rotated), v, {
      scale: size ** -0.5,
      mask: 'mask',
    });
    return b.linear('attention.dense', attended, hidden, { bias });
  };
  const mlp = (b: SegmentBuilder, x: Value): Value => {
    const up = b.linear('mlp.dense_h_to_4h', b.layerNorm('post_attention_layernorm', x, epsilon), inner, {
      bias: true,
    });
    return b.linear('mlp.dense_4h_to_h', activation(b.graph, up), hidden, { bias: true });
  };

  return {
    family: 'gpt_neox',
    layers,
    hidden,
    vocabulary,
    outputs,
    heads,
    layerName: (layer) => `${prefix}layers.${layer}`,
    modules: () => modules,
    kind: () => 'block',

    embed: (b, tokens) => b.graph.gather(b.weight(outputs.embedding, [vocabulary, hidden]), tokens, 0),

    block(b, x) {
      const middle = b.graph.add(x, attention(b, x));
      return b.graph.add(middle, mlp(b, parallel ? x : middle));
    },

    head: (b, x) => project(b, b.layerNorm(`${prefix}final_layer_norm`, x, epsilon), outputs, hidden),

    ...placed({ masks: { mask: null }, rotary: { rotary: positions } }),
  };
}

/** Rotary keys of transformers 5 (`rope_parameters`), else GPT-NeoX's own `rotary_pct` and `rotary_emb_base`. */
function partialRotary(config: Config, size: number) {
  const parameters = ropeParameters(config);
  const share = positiveNumber(parameters, 'partial_rotary_factor', positiveNumber(config, 'rotary_pct', 0.25));
  const rotated = Math.trunc(size * share);
  if (share > 1 || rotated < 2 || rotated % 2 !== 0) {
    throw new Error(
      `config.json: rotary_pct is ${share}, which rotates ${rotated} of ${size} components of a head; an even number of them is needed`,
    );
  }
  return { rotated, positions: rotary({ ...config, rope_theta: config.rotary_emb_base ?? 10_000 }, rotated) };
}
