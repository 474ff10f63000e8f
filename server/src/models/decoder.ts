/**
 * What decoders with Llama's tensor names share: sizes in config.json, the seven linear modules of a layer, embedding,
 * projections, gated MLP, head. A family file (`qwen3.ts`) writes its block with these and the words of `segment.ts`;
 * what only one family does stays in its file.
 */
import type { Value } from '../onnx/graph.ts';
import { positiveInteger, positiveNumber } from './config.ts';
import { headOf, project } from './head.ts';
import { placed } from './positions.ts';
import { ropeParameters, rotary } from './rotary.ts';
import type { Rotary } from './tables.ts';
import { activationOf } from './activations.ts';
import type { Activation } from './activations.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture, Config, Head, LinearModule, Weights } from './types.ts';

const EMBEDDING = 'model.embed_tokens.weight';

/** What transformers takes for keys that config.json lacks, where families differ. */
export interface Defaults {
  /** For a missing key; a null in the file always means as many as heads, and so does a default left out. */
  kvHeads?: number;
  headDim?: number;
  theta?: number;
  maxPositions?: number;
  tied?: boolean;
}

export interface Decoder {
  layers: number;
  hidden: number;
  /** Width of the MLP. */
  inner: number;
  vocabulary: number;
  heads: number;
  kvHeads: number;
  /** Components of a head. */
  size: number;
  activation: Activation;
  head: Head;
  defaults: Defaults;
}

/** @throws Error naming the key, its value and what is allowed. */
export function decoderOf(config: Config, weights: Weights, defaults: Defaults = {}): Decoder {
  const hidden = positiveInteger(config, 'hidden_size');
  const heads = positiveInteger(config, 'num_attention_heads');
  const missing = config.num_key_value_heads === undefined ? defaults.kvHeads : undefined;
  const kvHeads = positiveInteger(config, 'num_key_value_heads', missing ?? heads);
  if (heads % kvHeads !== 0) {
    throw new Error(`config.json: num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }
  const vocabulary = positiveInteger(config, 'vocab_size');
  return {
    layers: positiveInteger(config, 'num_hidden_layers'),
    hidden,
    inner: positiveInteger(config, 'intermediate_size'),
    vocabulary,
    heads,
    kvHeads,
    size: positiveInteger(config, 'head_dim', defaults.headDim ?? Math.floor(hidden / heads)),
    activation: activationOf(config, 'hidden_act', 'silu'),
    head: headOf(config, weights, { embedding: EMBEDDING, tied: defaults.tied ?? false, vocabulary }),
    defaults,
  };
}

/** The window of each layer, itself included; null where a layer sees all earlier positions. */
export type Windows = readonly (number | null)[];

/** Name of a layer's mask table. */
export function maskOf(windows: Windows, layer: number): string {
  return windows[layer] === null ? 'mask' : `mask.window${windows[layer]}`;
}

/**
 * All of an architecture but its block and head. Layers with equal masks are of one kind.
 * @param rotated components of a head that positions rotate
 * @param others rotations of some layers, by the names of their tables
 * @throws Error for ways of telling positions that `rotary.ts` does not know
 */
export function frameOf(
  family: string,
  config: Config,
  d: Decoder,
  windows: Windows,
  rotated = d.size,
  others: Readonly<Record<string, Rotary>> = {},
) {
  const modules: LinearModule[] = [
    { name: 'self_attn.q_proj', rows: d.heads * d.size, columns: d.hidden },
    { name: 'self_attn.k_proj', rows: d.kvHeads * d.size, columns: d.hidden },
    { name: 'self_attn.v_proj', rows: d.kvHeads * d.size, columns: d.hidden },
    { name: 'self_attn.o_proj', rows: d.hidden, columns: d.heads * d.size },
    { name: 'mlp.gate_proj', rows: d.inner, columns: d.hidden },
    { name: 'mlp.up_proj', rows: d.inner, columns: d.hidden },
    { name: 'mlp.down_proj', rows: d.hidden, columns: d.inner },
  ];
  const masks = Object.fromEntries(windows.map((window, layer) => [maskOf(windows, layer), window]));
  return {
    family,
    layers: d.layers,
    hidden: d.hidden,
    vocabulary: d.vocabulary,
    outputs: d.head,
    heads: d.heads,
    layerName: (layer) => `model.layers.${layer}`,
    modules: () => modules,
    kind: (layer) => maskOf(windows, layer),
    embed: (b, tokens) => b.graph.gather(b.weight(d.head.embedding, [d.vocabulary, d.hidden]), tokens, 0),
    ...placed({ masks, rotary: { rotary: rotary(withDefaults(config, d, rotated), rotated), ...others } }),
  } satisfies Partial<Architecture>;
}

/** x [B, T, hidden] -> q, k, v [B, heads or kvHeads, T, size] */
export function projections(b: SegmentBuilder, x: Value, d: Decoder, bias: boolean): [Value, Value, Value] {
  const project = (name: string, heads: number) =>
    b.heads(b.linear(`self_attn.${name}_proj`, x, heads * d.size, { bias }), heads, d.size);
  return [project('q', d.heads), project('k', d.kvHeads), project('v', d.kvHeads)];
}

/** Rotated q, k and v -> [B, T, hidden] */
export function attend(b: SegmentBuilder, qkv: [Value, Value, Value], d: Decoder, mask: string, bias: boolean): Value {
  const attended = b.attention(...qkv, { scale: d.size ** -0.5, mask });
  return b.linear('self_attn.o_proj', attended, d.hidden, { bias });
}

/** down(activation(gate(x)) * up(x)) (Shazeer 2020, arXiv 2002.05202) */
export function gatedMlp(b: SegmentBuilder, x: Value, d: Decoder, bias = false): Value {
  const gate = d.activation(b.graph, b.linear('mlp.gate_proj', x, d.inner, { bias }));
  const up = b.linear('mlp.up_proj', x, d.inner, { bias });
  return b.linear('mlp.down_proj', b.graph.mul(gate, up), d.hidden, { bias });
}

/** Normed states [P, hidden] -> logits [P, rows of the head] */
export function logits(b: SegmentBuilder, normed: Value, d: Decoder): Value {
  return project(b, normed, d.head, d.hidden);
}

/** The configuration with this family's defaults for what `rotary` reads of it. */
function withDefaults(config: Config, d: Decoder, rotated: number): Config {
  const parameters = ropeParameters(config);
  const nested = Object.keys(parameters).find((key) => key.endsWith('_attention'));
  if (nested) {
    throw new Error(
      `config.json: rope_parameters.${nested} is given; this family has the same rotary positions in all layers`,
    );
  }
  const fraction = positiveNumber(
    parameters,
    'partial_rotary_factor',
    positiveNumber(config, 'partial_rotary_factor', 1),
  );
  if (fraction !== 1 && rotated === d.size) {
    throw new Error(
      `config.json: partial_rotary_factor is ${fraction}; this family rotates whole heads, so only 1 is supported`,
    );
  }
  if (rotated % 2 !== 0) {
    throw new Error(`config.json: ${rotated} components of a head would be rotated; pairs need an even number`);
  }
  return {
    ...config,
    rope_theta: config.rope_theta ?? d.defaults.theta ?? 10_000,
    max_position_embeddings: config.max_position_embeddings ?? d.defaults.maxPositions ?? 2048,
  };
}
