/**
 * OPT (arXiv 2205.01068): layer norm before (or, in the 350M model, after) attention and MLP, learned positions that
 * start at row 2, ReLU, biases, embeddings that may be narrower than the model. Checked against PyTorch float64 by
 * test/engine/gradients.test.ts.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, positiveInteger, prefixOf } from './config.ts';
import { headOf, project } from './head.ts';
import { placed } from './positions.ts';
import { activationOf } from './activations.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';

export const opt: Family = {
  id: 'opt',
  title: 'OPT',
  modelTypes: ['opt'],
  source: 'arXiv 2205.01068',
  architecture,
};

/** Rows of the position table that come before position 0. */
const OFFSET = 2;
const EPSILON = 1e-5;

function architecture(config: Config, weights: Weights): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'ffn_dim');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const longest = positiveInteger(config, 'max_position_embeddings', 2048);
  const width = positiveInteger(config, 'word_embed_proj_dim', hidden);
  const activation = activationOf(config, 'activation_function', 'relu');
  const bias = flag(config, 'enable_bias', true);
  const before = flag(config, 'do_layer_norm_before', true);
  const finalNorm = before && !flag(config, '_remove_final_layer_norm', false);
  if (hidden % heads !== 0) {
    throw new Error(`config.json: hidden_size ${hidden} is not a multiple of num_attention_heads ${heads}`);
  }
  if (!flag(config, 'layer_norm_elementwise_affine', true)) {
    throw new Error(
      'config.json: layer_norm_elementwise_affine is false; only layer norms with weights (true) are supported',
    );
  }
  const size = hidden / heads;

  const prefix = `${prefixOf(weights, 'model.', 'decoder.embed_tokens.weight')}decoder.`;
  const outputs = headOf(config, weights, { embedding: `${prefix}embed_tokens.weight`, tied: true, vocabulary });
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: hidden, columns: hidden },
    { name: 'self_attn.k_proj', rows: hidden, columns: hidden },
    { name: 'self_attn.v_proj', rows: hidden, columns: hidden },
    { name: 'self_attn.out_proj', rows: hidden, columns: hidden },
    { name: 'fc1', rows: inner, columns: hidden },
    { name: 'fc2', rows: hidden, columns: inner },
  ];

  return {
    family: 'opt',
    layers,
    hidden,
    vocabulary,
    outputs,
    heads,
    layerName: (layer) => `${prefix}layers.${layer}`,
    modules: () => modules,
    kind: () => 'block',

    embed(b, tokens) {
      const g = b.graph;
      const words = g.gather(b.weight(outputs.embedding, [vocabulary, width]), tokens, 0);
      const projected =
        width === hidden
          ? words
          : g.matMul(words, g.transpose(b.weight(`${prefix}project_in.weight`, [hidden, width]), [1, 0]));
      return g.add(projected, b.positions(`${prefix}embed_positions.weight`, longest + OFFSET, hidden, tokens, OFFSET));
    },

    block(b, x) {
      const g = b.graph;
      const attentionInput = before ? b.layerNorm('self_attn_layer_norm', x, EPSILON) : x;
      const projected = (name: string): Value =>
        b.heads(b.linear(`self_attn.${name}`, attentionInput, hidden, { bias }), heads, size);
      const [q, k, v] = [projected('q_proj'), projected('k_proj'), projected('v_proj')];
      const attended = b.attention(q, k, v, { scale: size ** -0.5, mask: 'mask' });
      const sum = g.add(x, b.linear('self_attn.out_proj', attended, hidden, { bias }));
      const middle = before ? sum : b.layerNorm('self_attn_layer_norm', sum, EPSILON);
      const mlpInput = before ? b.layerNorm('final_layer_norm', middle, EPSILON) : middle;
      const up = activation(g, b.linear('fc1', mlpInput, inner, { bias }));
      const out = g.add(middle, b.linear('fc2', up, hidden, { bias }));
      return before ? out : b.layerNorm('final_layer_norm', out, EPSILON);
    },

    head(b, x) {
      const g = b.graph;
      const normed = finalNorm ? b.layerNorm(`${prefix}final_layer_norm`, x, EPSILON) : x;
      const narrowed =
        width === hidden
          ? normed
          : g.matMul(normed, g.transpose(b.weight(`${prefix}project_out.weight`, [width, hidden]), [1, 0]));
      return project(b, narrowed, outputs, width);
    },

    ...placed({ masks: { mask: null } }),
    longest,
  };
}
