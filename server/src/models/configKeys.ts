/**
 * Which keys of config.json a family has. transformers passes other keys by, so that a file which holds them says
 * something that nobody reads: `check` names them. Where such a key belongs to the mathematics of another architecture
 * and is not at its neutral value the model is refused, for it is hardly what `model_type` says.
 *
 * Lists: the fields of the configuration classes of transformers 5, and older names that it still takes. A new family
 * gets a row.
 */
import type { Config } from './types.ts';
import { listed } from '../text/listed.ts';
import { lookup } from '../text/lookup.ts';

const words = (text: string): string[] => text.split(' ');

const llama =
  'hidden_act intermediate_size num_key_value_heads head_dim rms_norm_eps rope_parameters rope_scaling rope_theta partial_rotary_factor original_max_position_embeddings';
const qwen = `${llama} layer_types max_window_layers sliding_window use_sliding_window`;
const experts =
  'num_experts num_experts_per_tok output_router_logits router_aux_loss_coef moe_intermediate_size norm_topk_prob decoder_sparse_step mlp_only_layers';

/** Below `model_type`, beside those of all families. */
const own: Readonly<Record<string, readonly string[]>> = {
  llama: words(`${llama} attention_bias mlp_bias`),
  mistral: words(`${llama} sliding_window`),
  ministral: words(`${llama} sliding_window layer_types`),
  qwen2: words(qwen),
  qwen3: words(`${qwen} attention_bias`),
  smollm3: words(`${qwen} attention_bias mlp_bias no_rope_layer_interval no_rope_layers`),
  olmo2: words(`${llama} attention_bias`),
  stablelm: words(`${llama} layer_norm_eps qk_layernorm use_parallel_residual use_qkv_bias rope_pct`),
  gemma: words(`${llama} hidden_activation attention_bias use_bidirectional_attention`),
  gemma2: words(
    `${llama} hidden_activation attention_bias use_bidirectional_attention attn_logit_softcapping final_logit_softcapping layer_types query_pre_attn_scalar sliding_window cache_implementation`,
  ),
  gemma3_text: words(
    `${llama} hidden_activation attention_bias use_bidirectional_attention attn_logit_softcapping final_logit_softcapping layer_types query_pre_attn_scalar sliding_window sliding_window_pattern _sliding_window_pattern rope_local_base_freq cache_implementation`,
  ),
  phi: words(`${llama} layer_norm_eps qk_layernorm`),
  phi3: words(`${llama} sliding_window attention_bias mlp_bias lm_head_bias`),
  gpt2: words(
    'activation_function add_cross_attention layer_norm_epsilon n_embd n_head n_inner n_layer n_positions n_ctx reorder_and_upcast_attn scale_attn_by_inverse_layer_idx scale_attn_weights',
  ),
  gpt_neox: words(
    'hidden_act intermediate_size attention_bias layer_norm_eps rope_parameters rope_scaling rotary_pct rotary_emb_base use_parallel_residual',
  ),
  opt: words(
    '_remove_final_layer_norm activation_function do_layer_norm_before enable_bias ffn_dim layer_norm_elementwise_affine word_embed_proj_dim',
  ),
  falcon: words(
    'activation alibi bias ffn_hidden_size layer_norm_epsilon multi_query new_decoder_architecture num_kv_heads num_ln_in_parallel_attn parallel_attn n_embed rope_parameters rope_scaling rope_theta partial_rotary_factor',
  ),
  mixtral: words(`${llama} ${experts} num_local_experts sliding_window`),
  qwen2_moe: words(`${qwen} ${experts} qkv_bias shared_expert_intermediate_size`),
  qwen3_moe: words(`${qwen} ${experts} num_local_experts attention_bias`),
};

/** Of all families, or none of the numbers: sizes, ids of tokens, training, generation, housekeeping. */
const common = new Set(
  words(
    'model_type architectures hidden_size max_position_embeddings num_attention_heads num_hidden_layers vocab_size tie_word_embeddings ' +
      'is_causal use_cache dtype torch_dtype transformers_version _name_or_path name_or_path auto_map quantization_config ' +
      'compression_config id2label label2id num_labels problem_type finetuning_task classifier_dropout initializer_range ' +
      'initializer_factor init_std pretraining_tp is_decoder is_encoder_decoder chunk_size_feed_forward return_dict ' +
      'output_attentions output_hidden_states torchscript use_bfloat16 pruned_heads gradient_checkpointing tokenizer_class prefix ' +
      'task_specific_params cross_attention_hidden_size tie_encoder_decoder tf_legacy_loss attn_implementation experts_implementation ' +
      'layerdrop router_jitter_noise max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty ' +
      'temperature top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size ' +
      'encoder_no_repeat_ngram_size bad_words_ids num_return_sequences output_scores return_dict_in_generate ' +
      'forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens ' +
      'begin_suppress_tokens unsloth_fixed unsloth_version model_name language datasets license',
  ),
);
const silent = [
  /_token_ids?$/,
  /_token_index$/,
  /drop(out)?$|_dropout(_prob)?$|_pdrop$|_first_dropout$/,
  /^summary_/,
  /^_(attn|experts)_implementation/,
];

/** Keys of other architectures' mathematics with the values that change nothing. */
const foreign: Readonly<Record<string, readonly unknown[]>> = {
  attention_multiplier: [null],
  embedding_multiplier: [null, 1],
  residual_multiplier: [null, 1],
  logits_scaling: [null, 1],
  logit_scale: [null, 1],
  scale_emb: [null, 1],
  scale_depth: [null],
  dim_model_base: [null],
  attn_logit_softcapping: [null],
  final_logit_softcapping: [null],
  query_pre_attn_scalar: [null],
  use_qk_norm: [null, false],
  qk_layernorm: [null, false],
  qk_norm: [null, false],
  clip_qkv: [null],
  kv_lora_rank: [null],
  q_lora_rank: [null],
  n_routed_experts: [null, 0, 1],
  num_local_experts: [null, 0, 1],
  num_experts: [null, 0, 1],
  attention_chunk_size: [null],
  attn_temperature_tuning: [null, false, 0],
  no_rope_layers: [null],
  no_rope_layer_interval: [null],
  alibi: [null, false],
  use_mup: [null, false],
};

function isOwn(config: Config, key: string): boolean {
  return (
    common.has(key) ||
    silent.some((pattern) => pattern.test(key)) ||
    (lookup(own, config.model_type)?.includes(key) ?? true)
  );
}

/** @throws Error for a key of another architecture that would change the numbers there */
export function requireOwnMathematics(config: Config): void {
  for (const [key, neutral] of Object.entries(foreign)) {
    const value = config[key];
    if (value === undefined || isOwn(config, key) || neutral.includes(value)) continue;
    throw new Error(
      `config.json: ${key} is ${JSON.stringify(value)}, which model_type ${JSON.stringify(config.model_type)} does not have: another architecture's, whose numbers would be others; give the model_type that the weights were made for, or remove the key if they do not need it`,
    );
  }
}

/** A sentence about keys that nobody reads; null where there are none. */
export function unreadKeys(config: Config): string | null {
  const keys = Object.keys(config).filter((key) => !isOwn(config, key));
  if (keys.length === 0) return null;
  const shown = keys.map((key) => `${key}: ${short(JSON.stringify(config[key]))}`);
  return `config.json: ${listed(shown, 6)} ${keys.length === 1 ? 'is no key' : 'are no keys'} of model_type ${JSON.stringify(config.model_type)} and not read, as in transformers`;
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
