/**
 * Gemma decoders: Llama's block with a scaled embedding, norms that multiply by 1 + w, heads of a size of their own and
 * a tanh-gelu gate. Gemma 1 (arXiv 2403.08295); Gemma 2 (arXiv 2408.00118): soft caps c tanh(z / c) on attention scores
 * and logits, a norm after each half of the block too, every other layer with a sliding window; Gemma 3 text (arXiv
 * 2503.19786): norms of queries and keys, rotary bases of their own for window layers and for the others.
 *
 * One row per generation; what differs is a field of `Traits`. Gradients: test/reference/gemma, gemma2, gemma3.
 */
import type { Value } from '../onnx/graph.ts';
import { flag, nullOr, onlySupported, positiveInteger, positiveNumber, section } from './config.ts';
import { decoderOf, frameOf, gatedMlp, logits, maskOf, projections } from './decoder.ts';
import type { Windows } from './decoder.ts';
import { slidingLayers } from './layerTypes.ts';
import { rotary } from './rotary.ts';
import { activationName, activations } from './activations.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Config, Family, Weights } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

/** What a generation has of its own, as its config.json says it. */
interface Traits {
  activation: string;
  /** Key-value heads and positions that transformers takes for missing keys. */
  kvHeads: number;
  maxPositions: number;
  /** Attention scores are multiplied by this to the power -1/2; null for the head size. */
  queryScalar: number | null;
  attentionCap: number | null;
  logitCap: number | null;
  /** Norms behind attention and MLP as well as before them. */
  normsBehind: boolean;
  /** Norms of queries and keys. */
  headNorms: boolean;
  windows: Windows | null;
  /** Rotary settings as `rotary` reads them, of layers without a window and, where they differ, of those with one. */
  positions: { full: Config; local: Config | null };
}

export const gemma: Family = {
  id: 'gemma',
  title: 'Gemma, CodeGemma',
  modelTypes: ['gemma'],
  source: 'arXiv 2403.08295',
  architecture: (config, weights) =>
    build('gemma', config, weights, {
      activation: firstActivation(config),
      kvHeads: 16,
      maxPositions: 8192,
      queryScalar: null,
      attentionCap: null,
      logitCap: null,
      normsBehind: false,
      headNorms: false,
      windows: null,
      positions: { full: config, local: null },
    }),
};

export const gemma2: Family = {
  id: 'gemma2',
  title: 'Gemma 2',
  modelTypes: ['gemma2'],
  source: 'arXiv 2408.00118',
  architecture: (config, weights) =>
    build('gemma2', config, weights, {
      ...laterGenerations(config, 2),
      maxPositions: 8192,
      attentionCap: nullOr(positiveNumber, config, 'attn_logit_softcapping', 50),
      logitCap: nullOr(positiveNumber, config, 'final_logit_softcapping', 30),
      headNorms: false,
      positions: { full: config, local: null },
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
      ...laterGenerations(config, positiveInteger(config, 'sliding_window_pattern', 6)),
      maxPositions: 131_072,
      attentionCap: null,
      logitCap: nullOr(positiveNumber, config, 'final_logit_softcapping', null),
      headNorms: true,
      positions: positionsPerType(config),
    });
  },
};

/**
 * The first files say "gelu" and mean its tanh form (transformers' rule); `hidden_activation` came and went as its
 * correction.
 */
function firstActivation(config: Config): string {
  const named = activationName(config, 'hidden_act', 'gelu_pytorch_tanh');
  const activation = named === 'gelu' ? 'gelu_pytorch_tanh' : named;
  onlySupported(config, 'hidden_activation', [null, activation]);
  return activation;
}

/** What Gemma 2 and 3 share. @param period without `layer_types`, the last of so many layers has no window */
function laterGenerations(config: Config, period: number) {
  const window = nullOr(positiveInteger, config, 'sliding_window', 4096);
  if (window === null) throw new Error('config.json: sliding_window is null; a positive whole number is needed');
  const layers = positiveInteger(config, 'num_hidden_layers');
  const settings = { ...config, use_sliding_window: true };
  return {
    activation: activationName(config, 'hidden_activation', 'gelu_pytorch_tanh'),
    kvHeads: 4,
    queryScalar: positiveNumber(config, 'query_pre_attn_scalar', 256),
    normsBehind: true,
    windows: slidingLayers(settings, layers, window, (layer) => (layer + 1) % period !== 0),
  };
}

/**
 * transformers 5 keeps one rotary setting per type of layer in `rope_parameters`; before, `rope_theta` and
 * `rope_scaling` were those of layers without a window, `rope_local_base_freq` that of layers with one, which were
 * never scaled.
 */
function positionsPerType(config: Config): { full: Config; local: Config } {
  const perType = section(config, 'rope_parameters');
  const types = ['full_attention', 'sliding_attention'];
  const other = Object.keys(perType).find((key) => !types.includes(key));
  if (other !== undefined) {
    throw new Error(
      `config.json: rope_parameters has the key "${other}"; Gemma 3 needs one setting for each of ${types.join(', ')}`,
    );
  }
  // A scaling that is named by the older `type` alone does not replace the plain rule of its layers (transformers'
  // rule).
  const plain = Object.keys(perType).length === 0 ? { rope_type: 'default' } : {};
  const setting = (type: string, theta: number, scaling: Config): Config => {
    const parameters = { ...plain, ...section(perType, type), ...scaling };
    // transformers looks for this key beside the settings, not in them; which of the two a checkpoint wants is unknown.
    onlySupported(parameters, 'truncate', [true, null]);
    return {
      max_position_embeddings: config.max_position_embeddings,
      rope_theta: theta,
      rope_parameters: parameters,
    };
  };
  return {
    full: setting(nth(types, 0), positiveNumber(config, 'rope_theta', 1_000_000), section(config, 'rope_scaling')),
    local: setting(nth(types, 1), positiveNumber(config, 'rope_local_base_freq', 10_000), {}),
  };
}

function build(family: string, config: Config, weights: Weights, traits: Traits): Architecture {
  const { kvHeads, maxPositions, attentionCap, logitCap, positions } = traits;
  const read = decoderOf(config, weights, { kvHeads, maxPositions, headDim: 256, tied: true });
  const d = { ...read, activation: lookup(activations, traits.activation)! };
  const epsilon = positiveNumber(config, 'rms_norm_eps', 1e-6);
  const bias = flag(config, 'attention_bias', false);
  const scale = (traits.queryScalar ?? d.size) ** -0.5;
  const windows = traits.windows ?? Array.from({ length: d.layers }, () => null);
  onlySupported(config, 'use_bidirectional_attention', [false, null]);
  const local = positions.local && rotary({ max_position_embeddings: maxPositions, ...positions.local }, d.size);
  const frame = frameOf(family, positions.full, d, windows, d.size, local ? { 'rotary.local': local } : {});

  const norm = (b: SegmentBuilder, tensor: string, x: Value) => b.rmsNorm(tensor, x, epsilon, { offset: 1 });
  // The same name is the norm before the MLP in one generation and the one behind attention in the others.
  const [beforeMlp, behindAttention, behindMlp] = traits.normsBehind
    ? (['pre_feedforward_layernorm', 'post_attention_layernorm', 'post_feedforward_layernorm'] as const)
    : (['post_attention_layernorm', null, null] as const);
  const behind = (b: SegmentBuilder, tensor: string | null, x: Value) => (tensor === null ? x : norm(b, tensor, x));

  return {
    ...frame,

    embed: (b, tokens) => b.graph.mul(frame.embed(b, tokens), d.hidden ** 0.5),

    block(b, x, layer) {
      const g = b.graph;
      const table = local && windows[layer] !== null ? 'rotary.local' : 'rotary';
      const placed = (name: string, y: Value) =>
        b.rotate(traits.headNorms ? norm(b, `self_attn.${name}_norm`, y) : y, table);
      const [q, k, v] = projections(b, norm(b, 'input_layernorm', x), d, bias);
      const attention = { scale, mask: maskOf(windows, layer), softCap: attentionCap };
      const mixed = b.attention(placed('q', q), placed('k', k), v, attention);
      const attended = b.linear('self_attn.o_proj', mixed, d.hidden, { bias });
      const middle = g.add(x, behind(b, behindAttention, attended));
      return g.add(middle, behind(b, behindMlp, gatedMlp(b, norm(b, beforeMlp, middle), d)));
    },

    head: (b, x) => b.softCap(logits(b, norm(b, 'model.norm', x), d), d.head.classes ? null : logitCap),
  };
}
