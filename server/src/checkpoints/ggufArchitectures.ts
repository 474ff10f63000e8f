/**
 * The architectures of llama.cpp that are read, one row each: tensor names, what is undone to a tensor, `config.json`.
 *
 * To add one: a row here, and a case in test/reference/gguf_families/make.py.
 */
import { falconConfig, gpt2Config, gptneoxConfig, phi2Config, stablelmConfig } from './ggufConfigsLayerNorm.ts';
import { gemma2Config, gemma3Config, gemmaConfig } from './ggufConfigsGemma.ts';
import {
  llamaConfig,
  mixtralConfig,
  olmo2Config,
  phi3Config,
  qwen2Config,
  qwen2MoeConfig,
  qwen3Config,
  qwen3MoeConfig,
  smollm3Config,
} from './ggufConfigs.ts';
import type { Keys } from './ggufKeys.ts';
import { conv1d, grouped, oneRow, pairs, plusOne, split, stacked } from './ggufParts.ts';
import type { Change } from './ggufParts.ts';

export interface Tensors {
  has(name: string): boolean;
}

export interface Architecture {
  /** `general.architecture`. */
  id: string;
  /** Of several rows with one id, the first that fits; absent in the last. */
  fits?(tensors: Tensors): boolean;
  /** llama.cpp's name -> Hugging Face's. `{}` stands for the number of the block, `#` for that of an expert or head. */
  names: Readonly<Record<string, string>>;
  /** For tensors that are stored in another way. */
  changes?: Readonly<Record<string, Change>>;
  /** Tensors that are part of the configuration, not of the model. */
  absorbed?: readonly string[];
  config(keys: Keys): Record<string, unknown>;
}

const L = 'model.layers.{}';

const ends = { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' };
const attention = {
  'blk.{}.attn_q': `${L}.self_attn.q_proj`,
  'blk.{}.attn_k': `${L}.self_attn.k_proj`,
  'blk.{}.attn_v': `${L}.self_attn.v_proj`,
  'blk.{}.attn_output': `${L}.self_attn.o_proj`,
};
const headNorms = {
  'blk.{}.attn_q_norm': `${L}.self_attn.q_norm`,
  'blk.{}.attn_k_norm': `${L}.self_attn.k_norm`,
};
const gatedMlp = {
  'blk.{}.ffn_gate': `${L}.mlp.gate_proj`,
  'blk.{}.ffn_up': `${L}.mlp.up_proj`,
  'blk.{}.ffn_down': `${L}.mlp.down_proj`,
};
const normsBefore = {
  'blk.{}.attn_norm': `${L}.input_layernorm`,
  'blk.{}.ffn_norm': `${L}.post_attention_layernorm`,
};
const llama = { ...ends, ...attention, ...gatedMlp, ...normsBefore };

/** Behind attention and MLP; the name of the norm before the MLP moves along. */
const normsBehind = {
  'blk.{}.post_attention_norm': `${L}.post_attention_layernorm`,
  'blk.{}.post_ffw_norm': `${L}.post_feedforward_layernorm`,
};
const gemma2 = { ...llama, ...normsBehind, 'blk.{}.ffn_norm': `${L}.pre_feedforward_layernorm` };

/** A router and experts, all in one tensor; or one each, as the first files had them. */
function experts(below: string, gate: string, up: string, down: string): Record<string, string> {
  const named = Object.entries({ gate, up, down });
  return {
    'blk.{}.ffn_gate_inp': `${below}.gate`,
    ...Object.fromEntries(named.map(([kind, name]) => [`blk.{}.ffn_${kind}_exps`, `${below}.experts.#.${name}`])),
    ...Object.fromEntries(named.map(([kind, name]) => [`blk.{}.ffn_${kind}.#`, `${below}.experts.#.${name}`])),
  };
}
const expertStacks: Record<string, Change> = {
  'blk.{}.ffn_gate_exps': stacked,
  'blk.{}.ffn_up_exps': stacked,
  'blk.{}.ffn_down_exps': stacked,
};
const qwenMoe = { ...llama, ...experts(`${L}.mlp`, 'gate_proj', 'up_proj', 'down_proj') };

/** Only the rotary kernel of these architectures turns neighbours; the others turn halves, as Hugging Face does. */
const neighbours: Record<string, Change> = {
  'blk.{}.attn_q': pairs('attention.head_count'),
  'blk.{}.attn_k': pairs('attention.head_count_kv'),
};

const gemmaNorms = Object.fromEntries(
  ['output_norm', ...[...Object.keys({ ...normsBefore, ...normsBehind, ...headNorms })]].map((name) => [name, plusOne]),
);

const H = 'transformer.h.{}';
const falcon = {
  token_embd: 'transformer.word_embeddings',
  output_norm: 'transformer.ln_f',
  output: 'lm_head',
  'blk.{}.attn_qkv': `${H}.self_attention.query_key_value`,
  'blk.{}.attn_output': `${H}.self_attention.dense`,
  'blk.{}.ffn_up': `${H}.mlp.dense_h_to_4h`,
  'blk.{}.ffn_down': `${H}.mlp.dense_4h_to_h`,
};
const neox = 'gpt_neox.layers.{}';

const hasExperts = (tensors: Tensors): boolean => tensors.has('blk.0.ffn_gate_inp.weight');

export const architectures: readonly Architecture[] = [
  {
    id: 'llama',
    fits: hasExperts,
    names: {
      ...ends,
      ...attention,
      ...normsBefore,
      ...experts(`${L}.block_sparse_moe`, 'w1', 'w3', 'w2'),
    },
    changes: { ...neighbours, ...expertStacks },
    absorbed: ['rope_freqs.weight'],
    config: mixtralConfig,
  },
  { id: 'llama', names: llama, changes: neighbours, absorbed: ['rope_freqs.weight'], config: llamaConfig },
  { id: 'smollm3', names: llama, changes: neighbours, config: smollm3Config },
  { id: 'qwen2', names: llama, config: qwen2Config },
  { id: 'qwen3', names: { ...llama, ...headNorms }, config: qwen3Config },
  {
    id: 'qwen2moe',
    names: {
      ...qwenMoe,
      'blk.{}.ffn_gate_inp_shexp': `${L}.mlp.shared_expert_gate`,
      'blk.{}.ffn_gate_shexp': `${L}.mlp.shared_expert.gate_proj`,
      'blk.{}.ffn_up_shexp': `${L}.mlp.shared_expert.up_proj`,
      'blk.{}.ffn_down_shexp': `${L}.mlp.shared_expert.down_proj`,
    },
    changes: { ...expertStacks, 'blk.{}.ffn_gate_inp_shexp': oneRow },
    config: qwen2MoeConfig,
  },
  { id: 'qwen3moe', names: { ...qwenMoe, ...headNorms }, changes: expertStacks, config: qwen3MoeConfig },
  { id: 'gemma', names: llama, changes: gemmaNorms, config: gemmaConfig },
  { id: 'gemma2', names: gemma2, changes: gemmaNorms, config: gemma2Config },
  { id: 'gemma3', names: { ...gemma2, ...headNorms }, changes: gemmaNorms, config: gemma3Config },
  {
    id: 'phi2',
    names: {
      ...ends,
      ...attention,
      output_norm: 'model.final_layernorm',
      'blk.{}.attn_norm': `${L}.input_layernorm`,
      'blk.{}.attn_output': `${L}.self_attn.dense`,
      'blk.{}.ffn_up': `${L}.mlp.fc1`,
      'blk.{}.ffn_down': `${L}.mlp.fc2`,
      // Files of before transformers had the family.
      'blk.{}.attn_qkv': `${L}.self_attn.#`,
    },
    changes: {
      'blk.{}.attn_qkv': split({
        q_proj: 'attention.head_count',
        k_proj: 'attention.head_count_kv',
        v_proj: 'attention.head_count_kv',
      }),
    },
    config: phi2Config,
  },
  {
    id: 'phi3',
    names: {
      ...ends,
      ...normsBefore,
      'blk.{}.attn_qkv': `${L}.self_attn.qkv_proj`,
      'blk.{}.attn_output': `${L}.self_attn.o_proj`,
      'blk.{}.ffn_up': `${L}.mlp.gate_up_proj`,
      'blk.{}.ffn_down': `${L}.mlp.down_proj`,
    },
    absorbed: ['rope_factors_long.weight', 'rope_factors_short.weight'],
    config: phi3Config,
  },
  {
    id: 'olmo2',
    names: { ...ends, ...attention, ...headNorms, ...gatedMlp, ...normsBehind },
    config: olmo2Config,
  },
  {
    id: 'stablelm',
    names: {
      ...llama,
      'blk.{}.attn_q_norm': `${L}.self_attn.q_layernorm.norms.#`,
      'blk.{}.attn_k_norm': `${L}.self_attn.k_layernorm.norms.#`,
    },
    changes: { 'blk.{}.attn_q_norm': stacked, 'blk.{}.attn_k_norm': stacked },
    config: stablelmConfig,
  },
  {
    id: 'gpt2',
    names: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
      'blk.{}.attn_norm': `${H}.ln_1`,
      'blk.{}.attn_qkv': `${H}.attn.c_attn`,
      'blk.{}.attn_output': `${H}.attn.c_proj`,
      'blk.{}.ffn_norm': `${H}.ln_2`,
      'blk.{}.ffn_up': `${H}.mlp.c_fc`,
      'blk.{}.ffn_down': `${H}.mlp.c_proj`,
    },
    changes: {
      'blk.{}.attn_qkv': conv1d,
      'blk.{}.attn_output': conv1d,
      'blk.{}.ffn_up': conv1d,
      'blk.{}.ffn_down': conv1d,
    },
    config: gpt2Config,
  },
  {
    id: 'gptneox',
    names: {
      token_embd: 'gpt_neox.embed_in',
      output_norm: 'gpt_neox.final_layer_norm',
      output: 'embed_out',
      'blk.{}.attn_norm': `${neox}.input_layernorm`,
      'blk.{}.attn_qkv': `${neox}.attention.query_key_value`,
      'blk.{}.attn_output': `${neox}.attention.dense`,
      'blk.{}.ffn_norm': `${neox}.post_attention_layernorm`,
      'blk.{}.ffn_up': `${neox}.mlp.dense_h_to_4h`,
      'blk.{}.ffn_down': `${neox}.mlp.dense_4h_to_h`,
    },
    changes: { 'blk.{}.attn_qkv': grouped },
    config: gptneoxConfig,
  },
  {
    id: 'falcon',
    fits: (tensors) => tensors.has('blk.0.attn_norm_2.weight'),
    names: { ...falcon, 'blk.{}.attn_norm': `${H}.ln_mlp`, 'blk.{}.attn_norm_2': `${H}.ln_attn` },
    changes: { 'blk.{}.attn_qkv': grouped },
    config: falconConfig,
  },
  {
    id: 'falcon',
    names: { ...falcon, 'blk.{}.attn_norm': `${H}.input_layernorm` },
    changes: { 'blk.{}.attn_qkv': grouped },
    config: falconConfig,
  },
];
