/** `config.json` of the architectures with RMS norms and gated MLPs, from the metadata and tensors of a GGUF file. */
import { readTensor } from './ggufTensor.ts';
import type { Keys } from './ggufKeys.ts';
import { rotaryConfig } from './ggufRotary.ts';
import { nth } from '../lists/nth.ts';

type Json = Record<string, unknown>;

const WINDOW = 'attention.sliding_window';
const EXPERTS = ['expert_count', 'expert_gating_func'];

/** A sliding window makes a Mistral of it. */
export function llamaConfig(keys: Keys): Json {
  keys.requireNeutral([WINDOW]);
  const window = keys.countOrNull(WINDOW);
  return {
    ...(window === null
      ? llamaLike(keys, 'LlamaForCausalLM', 'llama')
      : llamaLike(keys, 'MistralForCausalLM', 'mistral')),
    ...(window === null ? {} : { sliding_window: window }),
    attention_bias: keys.has('blk.0.attn_q.bias'),
    mlp_bias: keys.has('blk.0.ffn_up.bias'),
  };
}

export function mixtralConfig(keys: Keys): Json {
  keys.requireNeutral([...EXPERTS, WINDOW]);
  return {
    ...llamaLike(keys, 'MixtralForCausalLM', 'mixtral'),
    sliding_window: keys.countOrNull(WINDOW),
    num_local_experts: experts(keys),
    num_experts_per_tok: keys.count('expert_used_count'),
  };
}

/** llama.cpp knows no other interval than four for its layers without rotary positions. */
export function smollm3Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...llamaLike(keys, 'SmolLM3ForCausalLM', 'smollm3'),
    no_rope_layer_interval: 4,
    use_sliding_window: false,
    sliding_window: null,
    attention_bias: keys.has('blk.0.attn_q.bias'),
    mlp_bias: keys.has('blk.0.ffn_up.bias'),
  };
}

export function qwen2Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return { ...llamaLike(keys, 'Qwen2ForCausalLM', 'qwen2'), use_sliding_window: false };
}

export function qwen3Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...llamaLike(keys, 'Qwen3ForCausalLM', 'qwen3'),
    use_sliding_window: false,
    attention_bias: keys.has('blk.0.attn_q.bias'),
  };
}

/** llama.cpp does not divide the weights of Qwen2-MoE's chosen experts by their sum, those of Qwen3-MoE it does. */
export function qwen2MoeConfig(keys: Keys): Json {
  return {
    ...qwenMoe(keys, 'Qwen2MoeForCausalLM', 'qwen2_moe', false),
    shared_expert_intermediate_size: keys.shape('blk.0.ffn_down_shexp.weight')[1],
    qkv_bias: keys.has('blk.0.attn_q.bias'),
  };
}

export function qwen3MoeConfig(keys: Keys): Json {
  return {
    ...qwenMoe(keys, 'Qwen3MoeForCausalLM', 'qwen3_moe', true),
    attention_bias: keys.has('blk.0.attn_q.bias'),
  };
}

function qwenMoe(keys: Keys, architecture: string, modelType: string, normalised: boolean): Json {
  keys.requireNeutral([...EXPERTS, 'expert_shared_count']);
  const norm = keys.metadata.flag(keys.key('expert_weights_norm'));
  const dense = keys.layersWithout('ffn_gate_inp.weight');
  const sparse = Array.from({ length: keys.count('block_count') }, (_, i) => i).find((layer) => !dense.includes(layer));
  const inner = sparse === undefined ? null : expertInner(keys, sparse);
  return {
    ...llamaLike(keys, architecture, modelType),
    use_sliding_window: false,
    num_experts: experts(keys),
    num_experts_per_tok: keys.count('expert_used_count'),
    ...(inner === null ? {} : { moe_intermediate_size: inner }),
    norm_topk_prob: norm ?? normalised,
    decoder_sparse_step: 1,
    mlp_only_layers: dense,
  };
}

/** Width of an expert by its matrix, in one tensor with the others or by itself. */
function expertInner(keys: Keys, layer: number): number {
  const together = `blk.${layer}.ffn_down_exps.weight`;
  return keys.has(together) ? nth(keys.shape(together), 2) : nth(keys.shape(`blk.${layer}.ffn_down.0.weight`), 1);
}

function experts(keys: Keys): number {
  const gating = keys.numberOr('expert_gating_func', 1);
  if (gating !== 1)
    throw keys.metadata.error(
      `${keys.key('expert_gating_func')} is ${gating}; only 1 (softmax) is supported; take the Hugging Face folder`,
    );
  return keys.count('expert_count');
}

export function olmo2Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return { ...llamaLike(keys, 'Olmo2ForCausalLM', 'olmo2'), attention_bias: keys.has('blk.0.attn_q.bias') };
}

/**
 * LongRoPE's divisors are tensors; their factor of cos and sin follows from the two context lengths unless another is
 * stored.
 */
export function phi3Config(keys: Keys): Json {
  keys.requireNeutral([WINDOW]);
  const size = keys.headSize();
  const [long, short] = ['long', 'short'].map((name) => keys.tensors.get(`rope_factors_${name}.weight`));
  const trained = keys.countOr('rope.scaling.original_context_length', keys.count('context_length'));
  const { rope_scaling: scaling, ...positions } = rotaryConfig(keys.metadata, keys.id, size, undefined, {
    partial: true,
    ownScaling: long !== undefined,
  });
  const factor = attentionFactor(keys, trained);
  const divisors = (tensor: typeof long) => [...readTensor(keys.metadata.file, tensor!)].map(shortest);
  return {
    ...keys.decoder('Phi3ForCausalLM', 'phi3'),
    ...keys.rmsEpsilon(),
    hidden_act: 'silu',
    intermediate_size: keys.count('feed_forward_length'),
    sliding_window: keys.countOrNull(WINDOW),
    original_max_position_embeddings: trained,
    ...positions,
    rope_scaling:
      long && short
        ? {
            rope_type: 'longrope',
            long_factor: divisors(long),
            short_factor: divisors(short),
            ...(factor === null ? {} : { attention_factor: factor }),
          }
        : scaling,
  };
}

/** What is stored, or null where it is the float32 of LongRoPE's own rule, sqrt(1 + ln(stretch) / ln(trained)). */
function attentionFactor(keys: Keys, trained: number): number | null {
  const stored = keys.numberOr('rope.scaling.attn_factor', null);
  const stretch = keys.count('context_length') / trained;
  const own = stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(trained)) : 1;
  return stored === null || Math.fround(stored) === Math.fround(own) ? null : stored;
}

/** The shortest decimal with the same float32: what stood in config.json. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function llamaLike(keys: Keys, architecture: string, modelType: string): Json {
  const size = keys.headSize();
  return {
    ...keys.decoder(architecture, modelType),
    intermediate_size: keys.count('feed_forward_length'),
    head_dim: size,
    hidden_act: 'silu',
    ...keys.rmsEpsilon(),
    ...rotaryConfig(keys.metadata, keys.id, size, keys.tensors.get('rope_freqs.weight')),
  };
}
