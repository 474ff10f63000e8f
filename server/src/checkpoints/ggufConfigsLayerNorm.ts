/** `config.json` of the architectures with layer norms, from the metadata and tensors of a GGUF file. */
import type { Keys } from './ggufKeys.ts';
import { rotaryConfig } from './ggufRotary.ts';

type Json = Record<string, unknown>;

const epsilon = (keys: Keys): number => keys.number('attention.layer_norm_epsilon');

export function phi2Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...keys.decoder('PhiForCausalLM', 'phi'),
    intermediate_size: keys.inner(),
    hidden_act: 'gelu_new',
    layer_norm_eps: epsilon(keys),
    qk_layernorm: false,
    ...rotaryConfig(keys.metadata, keys.id, keys.headSize(), undefined, { partial: true }),
  };
}

/** Without a norm before the MLP, attention and MLP stand side by side behind the first one. */
export function stablelmConfig(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...keys.decoder('StableLmForCausalLM', 'stablelm'),
    intermediate_size: keys.inner(),
    hidden_act: 'silu',
    layer_norm_eps: epsilon(keys),
    use_qkv_bias: keys.has('blk.0.attn_q.bias'),
    qk_layernorm: keys.has('blk.0.attn_q_norm.weight'),
    use_parallel_residual: !keys.has('blk.0.ffn_norm.weight'),
    ...rotaryConfig(keys.metadata, keys.id, keys.headSize(), undefined, { partial: true }),
  };
}

export function gpt2Config(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...keys.frame('GPT2LMHeadModel', 'gpt2'),
    n_embd: keys.count('embedding_length'),
    n_layer: keys.count('block_count'),
    n_head: keys.count('attention.head_count'),
    // The table itself: a file may be made for a shorter context.
    n_positions: keys.shape('position_embd.weight')[0],
    n_inner: keys.inner(),
    activation_function: 'gelu_new',
    layer_norm_epsilon: epsilon(keys),
  };
}

export function gptneoxConfig(keys: Keys): Json {
  keys.requireNeutral([]);
  const {
    rope_theta: theta,
    partial_rotary_factor: share,
    ...scaling
  } = rotaryConfig(keys.metadata, keys.id, keys.headSize(), undefined, { partial: true });
  return {
    ...keys.frame('GPTNeoXForCausalLM', 'gpt_neox'),
    ...keys.sizes(),
    intermediate_size: keys.inner(),
    hidden_act: 'gelu',
    layer_norm_eps: epsilon(keys),
    attention_bias: keys.has('blk.0.attn_qkv.bias'),
    use_parallel_residual: keys.metadata.flag(keys.key('use_parallel_residual')) ?? true,
    rotary_pct: share ?? 1,
    rotary_emb_base: theta,
    ...scaling,
  };
}

/**
 * All of Falcon's shapes that llama.cpp runs are cases of its new one: grouped heads, attention and MLP side by side.
 */
export function falconConfig(keys: Keys): Json {
  keys.requireNeutral([]);
  return {
    ...keys.frame('FalconForCausalLM', 'falcon'),
    ...keys.sizes(),
    new_decoder_architecture: true,
    num_kv_heads: keys.kvHeads(),
    num_ln_in_parallel_attn: keys.has('blk.0.attn_norm_2.weight') ? 2 : 1,
    ffn_hidden_size: keys.inner(),
    activation: 'gelu',
    layer_norm_epsilon: epsilon(keys),
    alibi: false,
    bias: keys.has('blk.0.attn_qkv.bias'),
    ...rotaryConfig(keys.metadata, keys.id, keys.headSize(), undefined),
  };
}
