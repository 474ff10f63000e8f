/**
 * From llama.cpp's words to Hugging Face's, one row per architecture: tensor names, the order of rows, `config.json`.
 * llama.cpp's names and keys: gguf-py `constants.py`; the other side: the `config.json` of the model in transformers.
 *
 * To add an architecture: one row in `architectures`, and a case in test/reference/gguf/make.py.
 */
import type { GgufTensor } from './gguf.ts';
import type { Metadata } from './ggufMetadata.ts';
import { rotaryConfig } from './ggufRotary.ts';

export interface TensorName {
  name: string;
  /** Heads of a matrix whose rows llama.cpp keeps pair by pair (rotary neighbours) and Hugging Face in two halves. */
  pairedHeads: number | null;
}

interface Architecture {
  /** `general.architecture`. */
  id: string;
  /** llama.cpp's name -> Hugging Face's. `{}` stands for the number of the block. */
  names: Readonly<Record<string, string>>;
  /** Names on the left side, without ending, whose rows are kept pair by pair, and the key of their number of heads. */
  paired: Readonly<Record<string, string>>;
  /** Tensors that are part of the configuration, not of the model. */
  absorbed: readonly string[];
  config(metadata: Metadata, tensors: ReadonlyMap<string, GgufTensor>): Record<string, unknown>;
}

export const architectures: readonly Architecture[] = [
  {
    id: 'llama',
    names: {
      token_embd: 'model.embed_tokens',
      output_norm: 'model.norm',
      output: 'lm_head',
      'blk.{}.attn_norm': 'model.layers.{}.input_layernorm',
      'blk.{}.attn_q': 'model.layers.{}.self_attn.q_proj',
      'blk.{}.attn_k': 'model.layers.{}.self_attn.k_proj',
      'blk.{}.attn_v': 'model.layers.{}.self_attn.v_proj',
      'blk.{}.attn_output': 'model.layers.{}.self_attn.o_proj',
      'blk.{}.ffn_norm': 'model.layers.{}.post_attention_layernorm',
      'blk.{}.ffn_gate': 'model.layers.{}.mlp.gate_proj',
      'blk.{}.ffn_up': 'model.layers.{}.mlp.up_proj',
      'blk.{}.ffn_down': 'model.layers.{}.mlp.down_proj',
    },
    paired: { 'blk.{}.attn_q': 'attention.head_count', 'blk.{}.attn_k': 'attention.head_count_kv' },
    absorbed: ['rope_freqs.weight'],
    config: llamaConfig,
  },
];

/** @throws LayerifError `badModel` that lists what is supported */
export function architectureOf(metadata: Metadata): Architecture {
  const id = metadata.required('general.architecture', metadata.text('general.architecture'));
  const found = architectures.find((row) => row.id === id);
  if (!found) {
    const known = architectures.map((row) => row.id).join(', ');
    throw metadata.error(
      `GGUF files of architecture "${id}" are not supported, only ${known}; take the model as a Hugging Face folder with .safetensors`,
    );
  }
  return found;
}

/** Null for a tensor that only the configuration needs. @throws LayerifError `badModel` for a name that is not in the table */
export function tensorName(architecture: Architecture, metadata: Metadata, name: string): TensorName | null {
  if (architecture.absorbed.includes(name)) return null;
  const parts = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(name);
  const [, block, module, ending] = parts ?? [];
  const key = block === undefined ? module : `blk.{}.${module}`;
  if (!parts || !Object.hasOwn(architecture.names, key)) {
    throw metadata.error(
      `tensor ${name} is none that a model of architecture "${architecture.id}" is known to have; leaving it out would give wrong scores`,
    );
  }
  const headsKey = Object.hasOwn(architecture.paired, key) ? architecture.paired[key] : null;
  return {
    name: `${architecture.names[key].replace('{}', block)}.${ending}`,
    pairedHeads: headsKey === null ? null : headCount(metadata, architecture.id, headsKey),
  };
}

function headCount(metadata: Metadata, id: string, key: string): number {
  const heads = metadata.count(`${id}.attention.head_count`);
  const own = metadata.count(`${id}.${key}`) ?? heads;
  return metadata.required(`${id}.${key}`, own);
}

/** Keys that change what a Llama model computes and have no counterpart in its `config.json`; each with the value that changes nothing. */
const withoutCounterpart: Readonly<Record<string, number>> = {
  expert_count: 0,
  logit_scale: 1,
  residual_scale: 1,
  embedding_scale: 1,
  'attention.scale': 0,
};

function llamaConfig(metadata: Metadata, tensors: ReadonlyMap<string, GgufTensor>): Record<string, unknown> {
  const key = (name: string): string => `llama.${name}`;
  const count = (name: string): number => metadata.required(key(name), metadata.count(key(name)));
  for (const [name, neutral] of Object.entries(withoutCounterpart)) {
    const value = metadata.number(key(name)) ?? neutral;
    if (value !== neutral)
      throw metadata.error(`a Llama model with ${key(name)} ${value} is not supported; take the Hugging Face folder`);
  }
  const hidden = count('embedding_length');
  const heads = count('attention.head_count');
  const size = metadata.count(key('attention.key_length')) ?? hidden / heads;
  const valueSize = metadata.count(key('attention.value_length')) ?? size;
  if (!Number.isInteger(size) || valueSize !== size) {
    throw metadata.error(
      `its attention heads have keys of ${size} and values of ${valueSize} numbers; equal whole numbers are needed`,
    );
  }
  const embedding = metadata.required('token_embd.weight', tensors.get('token_embd.weight'));
  const none = metadata.number(key('attention.sliding_window')) === 0; // some converters write it out
  const window = none ? undefined : metadata.count(key('attention.sliding_window'));
  const token = (name: string) => metadata.index(`tokenizer.ggml.${name}_token_id`, embedding.shape[0]);
  return {
    architectures: [window === undefined ? 'LlamaForCausalLM' : 'MistralForCausalLM'],
    model_type: window === undefined ? 'llama' : 'mistral',
    ...(window === undefined ? {} : { sliding_window: window }),
    vocab_size: embedding.shape[0],
    hidden_size: hidden,
    intermediate_size: count('feed_forward_length'),
    num_hidden_layers: count('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.count(key('attention.head_count_kv')) ?? heads,
    head_dim: size,
    hidden_act: 'silu',
    rms_norm_eps: metadata.required(
      key('attention.layer_norm_rms_epsilon'),
      metadata.number(key('attention.layer_norm_rms_epsilon')),
    ),
    max_position_embeddings: count('context_length'),
    ...rotaryConfig(metadata, 'llama', size, tensors.get('rope_freqs.weight')),
    attention_bias: tensors.has('blk.0.attn_q.bias'),
    mlp_bias: tensors.has('blk.0.ffn_up.bias'),
    tie_word_embeddings: !tensors.has('output.weight'),
    bos_token_id: token('bos') ?? null,
    eos_token_id: token('eos') ?? null,
    pad_token_id: token('padding') ?? null,
  };
}
