/**
 * `config.json` of the Gemma generations from the metadata of a GGUF file. What scales their attention scores stands in
 * no key: llama.cpp takes the size of a head, but in the 27B models, known by their number of layers, the width per
 * head.
 */
import type { Keys } from './ggufKeys.ts';
import { rotaryConfig } from './ggufRotary.ts';

type Json = Record<string, unknown>;

const WINDOW = 'attention.sliding_window';
const ATTENTION_CAP = 'attn_logit_softcapping';
const LOGIT_CAP = 'final_logit_softcapping';

/** Layers of the models of 27 billion parameters. */
const largest = { gemma2: 46, gemma3: 62 } as const;

export function gemmaConfig(keys: Keys): Json {
  keys.requireNeutral([]);
  const activation = 'gelu_pytorch_tanh';
  return { ...gemma(keys, 'GemmaForCausalLM', 'gemma'), hidden_act: activation, hidden_activation: activation };
}

export function gemma2Config(keys: Keys): Json {
  keys.requireNeutral([WINDOW, ATTENTION_CAP, LOGIT_CAP]);
  return {
    ...gemma(keys, 'Gemma2ForCausalLM', 'gemma2'),
    ...later(keys, largest.gemma2),
    // Files of the first days lack the keys.
    sliding_window: keys.countOrNull(WINDOW) ?? 4096,
    attn_logit_softcapping: keys.numberOr(ATTENTION_CAP, 50) || null,
    final_logit_softcapping: keys.numberOr(LOGIT_CAP, 30) || null,
  };
}

export function gemma3Config(keys: Keys): Json {
  keys.requireNeutral([WINDOW, LOGIT_CAP]);
  const pattern = keys.metadata.has(keys.key('attention.sliding_window_pattern')) ? windowPattern(keys) : {};
  return {
    ...gemma(keys, 'Gemma3ForCausalLM', 'gemma3_text'),
    ...later(keys, largest.gemma3),
    sliding_window: keys.count(WINDOW),
    final_logit_softcapping: keys.numberOr(LOGIT_CAP, 0) || null,
    rope_local_base_freq: keys.numberOr('rope.freq_base_swa', 10_000),
    ...pattern,
  };
}

/** The last of so many layers has no window; or a yes or no for every layer. */
function windowPattern(keys: Keys): Json {
  const name = keys.key('attention.sliding_window_pattern');
  const flags = keys.metadata.flags(name);
  if (flags === undefined) return { sliding_window_pattern: keys.count('attention.sliding_window_pattern') };
  return { layer_types: flags.map((slides) => (slides ? 'sliding_attention' : 'full_attention')) };
}

function gemma(keys: Keys, architecture: string, modelType: string): Json {
  const size = keys.headSize();
  return {
    ...keys.decoder(architecture, modelType),
    ...keys.rmsEpsilon(),
    intermediate_size: keys.count('feed_forward_length'),
    head_dim: size,
    attention_bias: keys.has('blk.0.attn_q.bias'),
    ...rotaryConfig(keys.metadata, keys.id, size, undefined),
  };
}

function later(keys: Keys, layersOfLargest: number): Json {
  const perHead = keys.count('embedding_length') / keys.count('attention.head_count');
  return {
    hidden_activation: 'gelu_pytorch_tanh',
    query_pre_attn_scalar: keys.count('block_count') === layersOfLargest ? perHead : keys.headSize(),
  };
}
