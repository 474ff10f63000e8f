/**
 * GPT-2 (Radford et al. 2019): pre-norm blocks with layer norm, learned positions, biases everywhere, weights stored as
 * inputs x outputs (Conv1D), head tied to the embedding. Checked against PyTorch float64 by
 * test/engine/gradients.test.ts.
 */
import { flag, positiveInteger, positiveNumber, prefixOf } from './config.ts';
import { headOf, project } from './head.ts';
import { placed } from './positions.ts';
import { activationOf } from './activations.ts';
import type { Architecture, Config, Family, LinearModule, Weights } from './types.ts';
import { take } from '../lists/take.ts';

export const gpt2: Family = {
  id: 'gpt2',
  title: 'GPT-2',
  modelTypes: ['gpt2'],
  source: 'Language Models are Unsupervised Multitask Learners, 2019',
  architecture,
};

/** The standard names are accepted for GPT-2's own keys, as transformers does. */
const alias = {
  n_embd: 'hidden_size',
  n_layer: 'num_hidden_layers',
  n_head: 'num_attention_heads',
  n_positions: 'max_position_embeddings',
} as const;

function architecture(given: Config, weights: Weights): Architecture {
  const known = Object.entries(alias).map(([key, other]) => [key, given[key] ?? given[other]]);
  const config: Config = { ...given, ...(Object.fromEntries(known) as Config) };
  const layers = positiveInteger(config, 'n_layer');
  const hidden = positiveInteger(config, 'n_embd');
  const inner = positiveInteger(config, 'n_inner', 4 * hidden);
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'n_head');
  const longest = positiveInteger(config, 'n_positions', 1024);
  const epsilon = positiveNumber(config, 'layer_norm_epsilon', 1e-5);
  const activation = activationOf(config, 'activation_function', 'gelu_new');
  const scaled = flag(config, 'scale_attn_weights', true);
  const scaledByLayer = flag(config, 'scale_attn_by_inverse_layer_idx', false);
  if (hidden % heads !== 0) throw new Error(`config.json: n_embd ${hidden} is not a multiple of n_head ${heads}`);
  if (flag(config, 'add_cross_attention', false)) {
    throw new Error('config.json: add_cross_attention is true; only decoders without an encoder are supported (false)');
  }
  const size = hidden / heads;
  const scale = (layer: number) => (scaled ? size ** -0.5 : 1) / (scaledByLayer ? layer + 1 : 1);

  const prefix = prefixOf(weights, 'transformer.', 'wte.weight');
  const outputs = headOf(config, weights, { embedding: `${prefix}wte.weight`, tied: true, vocabulary });
  const modules: LinearModule[] = [
    { name: 'attn.c_attn', rows: 3 * hidden, columns: hidden, transposed: true },
    { name: 'attn.c_proj', rows: hidden, columns: hidden, transposed: true },
    { name: 'mlp.c_fc', rows: inner, columns: hidden, transposed: true },
    { name: 'mlp.c_proj', rows: hidden, columns: inner, transposed: true },
  ];
  const stored = { bias: true, transposed: true };

  return {
    family: 'gpt2',
    layers,
    hidden,
    vocabulary,
    outputs,
    heads,
    layerName: (layer) => `${prefix}h.${layer}`,
    modules: () => modules,
    kind: (layer) => (scaledByLayer ? `block ${layer}` : 'block'),

    embed(b, tokens) {
      const words = b.graph.gather(b.weight(outputs.embedding, [vocabulary, hidden]), tokens, 0);
      return b.graph.add(words, b.positions(`${prefix}wpe.weight`, longest, hidden, tokens));
    },

    block(b, x, layer) {
      const g = b.graph;
      const fused = b.linear('attn.c_attn', b.layerNorm('ln_1', x, epsilon), 3 * hidden, stored);
      const parts = g.split(fused, [hidden, hidden, hidden], 2);
      const [q, k, v] = take(
        parts.map((part) => b.heads(part, heads, size)),
        3,
      );
      const attended = b.attention(q, k, v, { scale: scale(layer), mask: 'mask' });
      const middle = g.add(x, b.linear('attn.c_proj', attended, hidden, stored));
      const up = b.linear('mlp.c_fc', b.layerNorm('ln_2', middle, epsilon), inner, stored);
      return g.add(middle, b.linear('mlp.c_proj', activation(g, up), hidden, stored));
    },

    head: (b, x) => project(b, b.layerNorm(`${prefix}ln_f`, x, epsilon), outputs, hidden),

    ...placed({ masks: { mask: null } }),
    longest,
  };
}
