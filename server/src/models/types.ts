/**
 * A decoder as the engine sees it: an embedding, a chain of blocks, a head; every graph is built from the same words. A
 * family file (`llama.ts`) turns a checkpoint's `config.json` into an `Architecture`; nothing else knows that file's
 * keys.
 */
import type { Value } from '../onnx/graph.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Positions, Table } from './tables.ts';

/** A linear module below a layer: y = x Wᵀ with W rows (outputs) x columns (inputs). */
export interface LinearModule {
  /** Hugging Face name below the layer, such as `self_attn.q_proj`; its weight is the tensor `<name>.weight`. */
  name: string;
  rows: number;
  columns: number;
  /** Stored as columns x rows (GPT-2's Conv1D). */
  transposed?: boolean;
  /** A low-rank factor of an adapter, not a weight of the model itself. */
  factor?: boolean;
}

/** Rank r and factor s of the low-rank term s (x Aᵀ) Bᵀ on a linear module. */
export interface Lora {
  rank: number;
  scale: number;
  /** Whether B has a bias b: s ((x Aᵀ) Bᵀ + b). */
  bias?: boolean;
}

/** Of a sequence classifier. */
export interface Classes {
  count: number;
  /** `id2label`, by index. */
  names: readonly string[];
  /** The token that fills up short texts; null where the configuration names none. */
  padding: number | null;
}

export interface Head {
  /** Tensors of the embedding and of the output matrix. */
  embedding: string;
  output: string;
  /** Rows of the output matrix. */
  rows: number;
  /** Null for a language model. */
  classes: Classes | null;
  /** Tensors that the configuration calls one and the file has both of: [head, embedding]. */
  twins: readonly [string, string] | null;
}

export interface Architecture {
  /** Of a user's graph: every tensor of its file is read, and there are no blocks of ours to ask. */
  readsAll?: true;
  family: string;
  layers: number;
  hidden: number;
  vocabulary: number;
  /** Embedding and output matrix, and the classes of a classifier; absent for a user's graph. */
  outputs?: Head;
  /** Attention heads of a block; every head holds T x T scores while it runs. */
  heads: number;
  /** Name of a layer, which is also the prefix of its tensors: `model.layers.3`. */
  layerName(layer: number): string;
  /** Linear modules of a layer in forward order; all of them can be scored. */
  modules(layer: number): LinearModule[];
  /** Layers of the same kind share one graph. */
  kind(layer: number): string;
  /** token ids [B, T] -> [B, T, hidden] */
  embed(b: SegmentBuilder, tokens: Value): Value;
  /** [B, T, hidden] -> [B, T, hidden] */
  block(b: SegmentBuilder, x: Value, layer: number): Value;
  /** [P, hidden] -> logits [P, rows of the head (`headRows`)] */
  head(b: SegmentBuilder, x: Value): Value;
  /** What tells the blocks where tokens stand; absent for a user's graph. */
  positions?: Positions;
  /** Tables for sequences padded to `length`, of which the longest sample really has `longest` tokens. */
  tables(length: number, longest: number): Record<string, Table>;
  /** Whether the tables depend on the sample's own length, so that it may share a batch only with its equals. */
  lengthMatters(length: number): boolean;
  /** Longest sequence that the model has positions for; absent where there is no such limit. */
  longest?: number;
}

/** What a family needs to know of the checkpoint beside its configuration. */
export interface Weights {
  has(tensor: string): boolean;
}

export interface Family {
  id: string;
  title: string;
  /** Values of `model_type` in config.json. */
  modelTypes: readonly string[];
  /** Paper or model card. */
  source: string;
  /** @throws Error naming the key, its value and what is allowed. */
  architecture(config: Config, weights: Weights): Architecture;
}

export type Config = Readonly<Record<string, unknown>>;
