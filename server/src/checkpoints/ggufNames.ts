/**
 * What llama.cpp calls things, in the words of Hugging Face: tensor names, metadata keys, and the order of the query and key rows.
 * One row per architecture; to add one, give its `config` and its renamed tensors.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { GgufFile, GgufValue } from './gguf.ts';

export interface GgufArchitecture {
  /** `config.json` of the model that this file came from. */
  config(read: MetadataReader, hasOutput: boolean): Record<string, unknown>;
  /** Tensor name without `.weight`/`.bias`, `{}` for the layer. */
  names: Record<string, string>;
  /** Heads by which the rows of a tensor were interleaved for ggml's rotary embedding, or null. */
  interleavedHeads(name: string, config: Record<string, unknown>): number | null;
}

const decoderNames: Record<string, string> = {
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
};

export const architectures: Readonly<Record<string, GgufArchitecture>> = {
  // Llama, Mistral and SmolLM alike: ggml does not tell them apart.
  llama: {
    names: decoderNames,
    config: (read, hasOutput) => ({
      model_type: 'llama',
      num_hidden_layers: read.number('block_count'),
      hidden_size: read.number('embedding_length'),
      intermediate_size: read.number('feed_forward_length'),
      num_attention_heads: read.number('attention.head_count'),
      num_key_value_heads: read.optional('attention.head_count_kv') ?? read.number('attention.head_count'),
      head_dim:
        read.optional('attention.key_length') ?? read.number('embedding_length') / read.number('attention.head_count'),
      rms_norm_eps: read.number('attention.layer_norm_rms_epsilon'),
      max_position_embeddings: read.number('context_length'),
      hidden_act: 'silu',
      tie_word_embeddings: !hasOutput,
      rope_theta: read.optional('rope.freq_base') ?? 10_000,
      ...ropeScaling(read),
    }),
    interleavedHeads: (name, config) =>
      /\.self_attn\.q_proj\./.test(name)
        ? Number(config.num_attention_heads)
        : /\.self_attn\.k_proj\./.test(name)
          ? Number(config.num_key_value_heads)
          : null,
  },
};

function ropeScaling(read: MetadataReader): Record<string, unknown> {
  const type = read.text('rope.scaling.type');
  if (type === null || type === 'none') return {};
  const factor = read.optional('rope.scaling.factor');
  return {
    rope_scaling: {
      rope_type: type,
      ...(factor === null ? {} : { factor }),
      original_max_position_embeddings:
        read.optional('rope.scaling.original_context_length') ?? read.number('context_length'),
    },
  };
}

export class MetadataReader {
  readonly #gguf: GgufFile;
  readonly architecture: string;

  constructor(gguf: GgufFile, architecture: string) {
    this.#gguf = gguf;
    this.architecture = architecture;
  }

  /** A number under `<architecture>.<key>`. @throws LayerifError `badModel` when it is missing or no number */
  number(key: string): number {
    const value = this.optional(key);
    if (value === null) throw this.#bad(key, 'is missing');
    return value;
  }

  optional(key: string): number | null {
    const value = this.#get(key);
    if (value === undefined) return null;
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw this.#bad(key, 'is not one number for all layers');
    return Number(value);
  }

  text(key: string): string | null {
    const value = this.#get(key);
    if (value === undefined) return null;
    if (typeof value !== 'string') throw this.#bad(key, 'is not a text');
    return value;
  }

  #get(key: string): GgufValue | undefined {
    return this.#gguf.metadata.get(`${this.architecture}.${key}`);
  }

  #bad(key: string, what: string): LayerifError {
    return new LayerifError('badModel', `${this.#gguf.file}: metadata ${this.architecture}.${key} ${what}`);
  }
}

/** `blk.3.attn_q.weight` -> `model.layers.3.self_attn.q_proj.weight`; null for a name that no row has. */
export function huggingFaceName(name: string, { names }: GgufArchitecture): string | null {
  const match = /^(.*)\.(weight|bias)$/.exec(name);
  if (!match) return null;
  const [, stem, kind] = match;
  const layer = /^blk\.(\d+)\./.exec(stem)?.[1];
  const known = names[layer === undefined ? stem : stem.replace(/^blk\.\d+\./, 'blk.{}.')];
  return known === undefined ? null : `${known.replace('{}', layer ?? '')}.${kind}`;
}

/**
 * ggml wants the rotated pairs of a head side by side, Hugging Face keeps them in two halves. Per head: rows (pair, half) become
 * (half, pair).
 */
export function separateHalves(values: Float32Array, rows: number, heads: number): Float32Array {
  const width = values.length / rows;
  const perHead = rows / heads;
  const half = perHead / 2;
  const ordered = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / perHead);
    const within = row % perHead;
    const target = head * perHead + (within % 2) * half + (within >> 1);
    ordered.set(values.subarray(row * width, (row + 1) * width), target * width);
  }
  return ordered;
}
