/** The metadata of one architecture, and what every decoder's `config.json` takes from them. */
import type { GgufTensor } from './gguf.ts';
import type { Metadata } from './ggufMetadata.ts';
import { nth } from '../lists/nth.ts';

/**
 * Keys that change what a model computes, each with the value that changes nothing. An architecture that gives one a
 * counterpart in `config.json` lists it in `reads`; elsewhere another value is refused.
 */
const consequential: Readonly<Record<string, number>> = {
  expert_count: 0,
  expert_gating_func: 1, // softmax
  expert_group_count: 0,
  expert_weights_scale: 1,
  expert_shared_count: 0,
  leading_dense_block_count: 0,
  logit_scale: 1,
  residual_scale: 1,
  embedding_scale: 1,
  attn_logit_softcapping: 0,
  final_logit_softcapping: 0,
  'attention.scale': 0,
  'attention.clamp_kqv': 0,
  'attention.max_alibi_bias': 0,
  'attention.sliding_window': 0,
  'attention.temperature_length': 0,
  'attention.temperature_scale': 0,
  'attention.shared_kv_layers': 0,
  nextn_predict_layers: 0, // counted among the layers
  router_logit_softcapping: 0,
};

export class Keys {
  readonly id: string;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;

  constructor(id: string, metadata: Metadata, tensors: ReadonlyMap<string, GgufTensor>) {
    this.id = id;
    this.metadata = metadata;
    this.tensors = tensors;
  }

  count(name: string): number {
    return this.metadata.required(this.key(name), this.metadata.count(this.key(name)));
  }

  countOr<T>(name: string, fallback: T): number | T {
    return this.metadata.count(this.key(name)) ?? fallback;
  }

  /** 0 and a missing key are null, as some converters write the one for the other. */
  countOrNull(name: string): number | null {
    return this.metadata.number(this.key(name)) === 0 ? null : this.countOr(name, null);
  }

  number(name: string): number {
    return this.metadata.required(this.key(name), this.metadata.number(this.key(name)));
  }

  numberOr<T>(name: string, fallback: T): number | T {
    return this.metadata.number(this.key(name)) ?? fallback;
  }

  has(tensor: string): boolean {
    return this.tensors.has(tensor);
  }

  /** @throws LayerifError `badModel` when it is missing */
  shape(tensor: string): readonly number[] {
    const found = this.tensors.get(tensor);
    if (found === undefined)
      throw this.metadata.error(
        `tensor ${tensor} is missing: the file is damaged or no language model; download it again`,
      );
    return found.shape;
  }

  key(name: string): string {
    return `${this.id}.${name}`;
  }

  /** @throws LayerifError `badModel` for a key of `consequential` that has an effect and is not in `reads` */
  requireNeutral(reads: readonly string[]): void {
    if (this.metadata.flag(this.key('attention.causal')) === false)
      throw this.metadata.error(
        `${this.key('attention.causal')} is false, as of encoders; only models in which a token sees none that come later are supported`,
      );
    for (const [name, neutral] of Object.entries(consequential)) {
      if (reads.includes(name)) continue;
      const value = this.numberOr(name, neutral);
      if (value !== neutral)
        throw this.metadata.error(
          `a model of architecture "${this.id}" with ${this.key(name)} ${value} is not supported; take the Hugging Face folder`,
        );
    }
  }

  /** Components of a head. @throws LayerifError `badModel` for values of another size than keys */
  headSize(): number {
    const size = this.countOr(
      'attention.key_length',
      this.count('embedding_length') / this.count('attention.head_count'),
    );
    const values = this.countOr('attention.value_length', size);
    if (!Number.isInteger(size) || values !== size) {
      throw this.metadata.error(
        `its attention heads have keys of ${size} and values of ${values} numbers; equal whole numbers are needed`,
      );
    }
    return size;
  }

  /** What all families have by the same names. */
  frame(architecture: string, modelType: string): Record<string, unknown> {
    const vocabulary = nth(this.shape('token_embd.weight'), 0);
    const pooling = this.numberOr('pooling_type', 0);
    const token = (name: string) => this.metadata.index(`tokenizer.ggml.${name}_token_id`, vocabulary) ?? null;
    return {
      architectures: [architecture],
      model_type: modelType,
      vocab_size: vocabulary,
      tie_word_embeddings: !this.has('output.weight'),
      bos_token_id: token('bos'),
      eos_token_id: token('eos'),
      pad_token_id: token('padding'),
      // One vector for a text: read by run/inputs/modelNotes.ts alone.
      ...(pooling > 0 ? { pooling_type: pooling } : {}),
    };
  }

  /** The same and sizes, by the names that most families have. */
  decoder(architecture: string, modelType: string): Record<string, unknown> {
    return {
      ...this.frame(architecture, modelType),
      ...this.sizes(),
      num_key_value_heads: this.kvHeads(),
    };
  }

  sizes(): Record<string, number> {
    return {
      hidden_size: this.count('embedding_length'),
      num_hidden_layers: this.count('block_count'),
      num_attention_heads: this.count('attention.head_count'),
      max_position_embeddings: this.count('context_length'),
    };
  }

  kvHeads(): number {
    return this.countOr('attention.head_count_kv', this.count('attention.head_count'));
  }

  /** Inner width by the matrix itself: some converters write four times the model's width whatever it is. */
  inner(): number {
    return nth(this.shape('blk.0.ffn_down.weight'), 1);
  }

  rmsEpsilon(): { rms_norm_eps: number } {
    return { rms_norm_eps: this.number('attention.layer_norm_rms_epsilon') };
  }

  /** Layers that lack a tensor of their block. */
  layersWithout(tensor: string): number[] {
    return Array.from({ length: this.count('block_count') }, (_, layer) => layer).filter(
      (layer) => !this.has(`blk.${layer}.${tensor}`),
    );
  }
}
