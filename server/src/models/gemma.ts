/**
 * Gemma decoders: Llama's block with a scaled embedding, norms that multiply by 1 + w, heads of a size of their own and a
 * tanh-gelu gate. Gemma 1 (arXiv 2403.08295); Gemma 2 (arXiv 2408.00118): soft caps c tanh(z / c) on attention scores and logits,
 * a norm after each half of the block too, every other layer with a sliding window; Gemma 3 text (arXiv 2503.19786): norms of
 * queries and keys, rotary bases of their own for window layers and for the others.
 *
 * One row per generation in `rows`; what differs is a field of `Traits`. Gradients: test/reference/gemma*.
 */
import { flag, nullOr, onlySupported, oneOf, positiveInteger, positiveNumber, section } from './config.ts';
import { causalMask } from './masks.ts';
import { rotary, rotaryTables } from './rotary.ts';
import type { Rotary } from './rotary.ts';
import { activations } from './segment.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Value } from '../onnx/graph.ts';
import type { Architecture, Config, Family, LinearModule, Table, Weights } from './types.ts';

const layerTypes = ['sliding_attention', 'full_attention'] as const;
type LayerType = (typeof layerTypes)[number];

/** What a generation has of its own, as its config.json says it. */
interface Traits {
  activation: string;
  kvHeads: number;
  /** Attention scores are multiplied by this to the power -1/2; null for the head size. */
  queryScalar: number | null;
  /** Norms behind attention and MLP as well as before them. */
  normsBehind: boolean;
  /** Norms of queries and keys. */
  headNorms: boolean;
  attentionCap: number | null;
  logitCap: number | null;
  layerType(layer: number): LayerType;
  window: number | null;
  /** Rotary embedding of each type of layer. */
  rotary(type: LayerType, size: number): Rotary;
}

export const gemma: Family = {
  id: 'gemma',
  title: 'Gemma, CodeGemma',
  modelTypes: ['gemma'],
  source: 'arXiv 2403.08295',
  architecture: (config, weights) =>
    build('gemma', config, weights, {
      activation: gemmaActivation(config),
      kvHeads: 16,
      queryScalar: null,
      normsBehind: false,
      headNorms: false,
      attentionCap: null,
      logitCap: null,
      layerType: () => 'full_attention',
      window: null,
      rotary: (_, size) => rotary({ max_position_embeddings: 8192, ...config }, size),
    }),
};

export const gemma2: Family = {
  id: 'gemma2',
  title: 'Gemma 2',
  modelTypes: ['gemma2'],
  source: 'arXiv 2408.00118',
  architecture: (config, weights) =>
    build('gemma2', config, weights, {
      activation: oneOf(config, 'hidden_activation', Object.keys(activations), 'gelu_pytorch_tanh'),
      kvHeads: 4,
      queryScalar: positiveNumber(config, 'query_pre_attn_scalar', 256),
      normsBehind: true,
      headNorms: false,
      attentionCap: nullOr(positiveNumber, config, 'attn_logit_softcapping', 50),
      logitCap: nullOr(positiveNumber, config, 'final_logit_softcapping', 30),
      layerType: layerTypesOf(config, 2),
      window: nullOr(positiveInteger, config, 'sliding_window', 4096),
      rotary: (_, size) => rotary({ max_position_embeddings: 8192, ...config }, size),
    }),
};

export const gemma3: Family = {
  id: 'gemma3_text',
  title: 'Gemma 3 text',
  modelTypes: ['gemma3_text'],
  source: 'arXiv 2503.19786',
  architecture(config, weights) {
    // transformers reads this key for Gemma 3 and then applies no cap; which of the two a checkpoint wants is unknown.
    onlySupported(config, 'attn_logit_softcapping', [null]);
    return build('gemma3_text', config, weights, {
      activation: oneOf(config, 'hidden_activation', Object.keys(activations), 'gelu_pytorch_tanh'),
      kvHeads: 4,
      queryScalar: positiveNumber(config, 'query_pre_attn_scalar', 256),
      normsBehind: true,
      headNorms: true,
      attentionCap: null,
      logitCap: nullOr(positiveNumber, config, 'final_logit_softcapping', null),
      layerType: layerTypesOf(config, positiveInteger(config, 'sliding_window_pattern', 6)),
      window: nullOr(positiveInteger, config, 'sliding_window', 4096),
      rotary: (type, size) => gemma3Rotary(config, type, size),
    });
  },
};

/** The first files say "gelu" and mean its tanh form (transformers' rule); `hidden_activation` came and went as its correction. */
function gemmaActivation(config: Config): string {
  const named = oneOf(config, 'hidden_act', Object.keys(activations), 'gelu_pytorch_tanh');
  const activation = named === 'gelu' ? 'gelu_pytorch_tanh' : named;
  onlySupported(config, 'hidden_activation', [null, activation]);
  return activation;
}

/** `layer_types`, or where that is missing a full layer after every `period` - 1 sliding ones. */
function layerTypesOf(config: Config, period: number): (layer: number) => LayerType {
  const given = config.layer_types ?? null;
  if (given === null) return (layer) => ((layer + 1) % period ? 'sliding_attention' : 'full_attention');
  const layers = positiveInteger(config, 'num_hidden_layers');
  if (
    !Array.isArray(given) ||
    given.length !== layers ||
    given.some((type) => !layerTypes.includes(type as LayerType))
  ) {
    throw new Error(
      `config.json: layer_types is ${JSON.stringify(given)}; a list of ${layers} (num_hidden_layers) words is needed, each one of ${layerTypes.join(', ')}`,
    );
  }
  return (layer) => given[layer] as LayerType;
}

/**
 * transformers 5 keeps one rotary setting per layer type in `rope_parameters`; before, `rope_theta` and `rope_scaling` were
 * those of full layers, `rope_local_base_freq` that of window layers, which were never scaled.
 */
function gemma3Rotary(config: Config, type: LayerType, size: number): Rotary {
  const perType = section(config, 'rope_parameters');
  const other = Object.keys(perType).find((key) => !layerTypes.includes(key as LayerType));
  if (other !== undefined) {
    throw new Error(
      `config.json: rope_parameters has the key "${other}"; Gemma 3 needs one setting for each of ${layerTypes.join(', ')}`,
    );
  }
  const local = type === 'sliding_attention';
  const theta = local
    ? positiveNumber(config, 'rope_local_base_freq', 10_000)
    : positiveNumber(config, 'rope_theta', 1_000_000);
  return rotary(
    {
      max_position_embeddings: positiveInteger(config, 'max_position_embeddings', 131_072),
      rope_theta: theta,
      rope_parameters: { ...section(perType, type), ...(local ? {} : section(config, 'rope_scaling')) },
    },
    size,
  );
}

function build(family: string, config: Config, weights: Weights, traits: Traits): Architecture {
  const layers = positiveInteger(config, 'num_hidden_layers');
  const hidden = positiveInteger(config, 'hidden_size');
  const inner = positiveInteger(config, 'intermediate_size');
  const vocabulary = positiveInteger(config, 'vocab_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const kvHeads = positiveInteger(config, 'num_key_value_heads', traits.kvHeads);
  const size = positiveInteger(config, 'head_dim', 256);
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const bias = { bias: flag(config, 'attention_bias', false) };
  const activation = activations[traits.activation];
  const { layerType, window, attentionCap, logitCap } = traits;
  onlySupported(config, 'use_bidirectional_attention', [false, null]);
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }

  const types = layerTypes.filter((type) => Array.from({ length: layers }, (_, i) => layerType(i)).includes(type));
  if (window === null && types.includes('sliding_attention')) {
    throw new Error(
      'config.json: sliding_window is null; layers of type sliding_attention need a positive whole number',
    );
  }
  const positions = new Map(types.map((type) => [type, traits.rotary(type, size)]));
  const embedding = 'model.embed_tokens.weight';
  const tied = flag(config, 'tie_word_embeddings', true) || !weights.has('lm_head.weight');
  const scale = (traits.queryScalar ?? size) ** -0.5;
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: heads * size, columns: hidden },
    { name: 'self_attn.k_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.v_proj', rows: kvHeads * size, columns: hidden },
    { name: 'self_attn.o_proj', rows: hidden, columns: heads * size },
    { name: 'mlp.gate_proj', rows: inner, columns: hidden },
    { name: 'mlp.up_proj', rows: inner, columns: hidden },
    { name: 'mlp.down_proj', rows: hidden, columns: inner },
  ];
  const norm = (b: SegmentBuilder, tensor: string, x: Value) => b.rmsNorm(tensor, x, epsilon, { offset: 1 });
  const [beforeMlp, behindAttention, behindMlp] = traits.normsBehind
    ? ['pre_feedforward_layernorm', 'post_attention_layernorm', 'post_feedforward_layernorm']
    : ['post_attention_layernorm', null, null];
  const behind = (b: SegmentBuilder, tensor: string | null, x: Value) => (tensor === null ? x : norm(b, tensor, x));

  return {
    family,
    layers,
    hidden,
    vocabulary,
    heads,
    layerName: (layer) => `model.layers.${layer}`,
    modules: () => modules,
    kind: layerType,

    embed: (b, tokens) =>
      b.graph.mul(b.graph.gather(b.weight(embedding, [vocabulary, hidden]), tokens, 0), hidden ** 0.5),

    block(b, x, layer) {
      const g = b.graph;
      const type = layerType(layer);
      const normed = norm(b, 'input_layernorm', x);
      const turned = (name: 'q' | 'k', count: number) => {
        const values = b.heads(b.linear(`self_attn.${name}_proj`, normed, count * size, bias), count, size);
        return b.rotate(traits.headNorms ? norm(b, `self_attn.${name}_norm`, values) : values, `${type}.rotary`);
      };
      const q = turned('q', heads);
      const k = turned('k', kvHeads);
      const v = b.heads(b.linear('self_attn.v_proj', normed, kvHeads * size, bias), kvHeads, size);
      const attended = b.attention(q, k, v, { scale, mask: `${type}.mask`, softCap: attentionCap });
      const middle = g.add(x, behind(b, behindAttention, b.linear('self_attn.o_proj', attended, hidden, bias)));
      const mlpInput = norm(b, beforeMlp!, middle);
      const gate = activation(g, b.linear('mlp.gate_proj', mlpInput, inner));
      const up = b.linear('mlp.up_proj', mlpInput, inner);
      return g.add(middle, behind(b, behindMlp, b.linear('mlp.down_proj', g.mul(gate, up), hidden)));
    },

    head(b, x) {
      const matrix = b.weight(tied ? embedding : 'lm_head.weight', [vocabulary, hidden]);
      const logits = b.graph.matMul(norm(b, 'model.norm', x), b.graph.transpose(matrix, [1, 0]));
      return b.softCap(logits, logitCap);
    },

    tables(length, longest) {
      const tables: Record<string, Table> = {};
      for (const [type, rotary] of positions) {
        const { cos, sin } = rotaryTables(rotary, length, longest);
        tables[`${type}.rotary.cos`] = cos;
        tables[`${type}.rotary.sin`] = sin;
        tables[`${type}.mask`] = causalMask(length, type === 'sliding_attention' ? window : null);
      }
      return tables;
    },
    lengthMatters: (length) => [...positions.values()].some((rotary) => length > rotary.fixedUpTo),
  };
}
