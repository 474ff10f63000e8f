/**
 * A checkpoint that is small enough to score in a second and has everything a real one has: a random Llama in
 * `model.safetensors`, `config.json`, a byte-level BPE tokenizer, and two small datasets with the experiment file that
 * scores them.
 *
 *   const { experiment } = writeTinyWorkspace(folder);                         // 3 layers, two tasks
 *   writeTinyLlama(join(folder, 'model'), { layers: 2, tied: true });          // only the checkpoint
 *
 * The same options give the same bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TinyLlamaOptions {
  layers?: number;
  /** Width of the residual stream; a multiple of `heads`, with an even width per head. */
  hidden?: number;
  heads?: number;
  keyValueHeads?: number;
  intermediate?: number;
  /** The head is the embedding. */
  tied?: boolean;
  seed?: number;
}

/** Uniform numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Frequent pairs of the datasets below, in merge order. `Ġ` is the space of byte-level BPE. */
const merges = (
  'h e|Ġ t|Ġt he|i n|r e|Ġ a|Ġ i|Ġi s|e r|o n|Ġ w|Ġw a|Ġwa s|i t|a n|Ġ s|Ġ m|o u|o r|Ġ f|Ġ p|l l|a t|e n|i ve|v e|' +
  'Ġ c|Ġ b|Ġ of|o f|a l|in g|Ġ re|Ġ d|l e|s t|Ġ n|Ġ in|e d|Ġ g|i c|Ġ l'
).split('|');

/**
 * The 256 characters that stand for bytes in byte-level BPE: printable ones for themselves, the others from U+0100 on.
 */
function byteAlphabet(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

function tokenizerJson(): { json: Record<string, unknown>; size: number } {
  const special = ['<s>', '</s>'];
  const pieces = [...special, ...byteAlphabet()];
  const known = new Set(pieces);
  const usable: string[] = [];
  for (const merge of merges) {
    const [left, right] = merge.split(' ') as [string, string];
    if (!known.has(left) || !known.has(right)) continue; // a piece must exist before it is merged
    usable.push(merge);
    known.add(left + right);
    pieces.push(left + right);
  }
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  const json = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges: usable,
    },
  };
  return { json, size: pieces.length };
}

/** Writes named float32 tensors in the order given. */
export function writeSafetensors(file: string, tensors: Record<string, { shape: number[]; data: Float32Array }>): void {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8)); // data aligned to 8 bytes
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const data = Object.values(tensors).map(
    (tensor) => new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength),
  );
  writeFileSync(file, Buffer.concat([length, json, ...data]));
}

/** Writes `config.json`, `model.safetensors`, `tokenizer.json` and `tokenizer_config.json` into `folder`. */
export function writeTinyLlama(folder: string, options: TinyLlamaOptions = {}): void {
  const {
    layers = 3,
    hidden = 32,
    heads = 4,
    keyValueHeads = 2,
    intermediate = 2 * hidden,
    tied = false,
    seed = 1,
  } = options;
  const head = hidden / heads;
  if (head % 2) throw new Error(`hidden / heads is ${head}: rotary embedding needs an even number.`);
  const { json, size } = tokenizerJson();
  const random = seededRandom(seed);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const filled = (shape: number[], mean: number, deviation: number) => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((product, n) => product * n, 1) },
      () => mean + deviation * gaussian(),
    ),
  });
  // Deviations near 1/sqrt(inputs) keep activations of order 1, so that every matrix has gradients worth comparing.
  const matrix = (outputs: number, inputs: number) => filled([outputs, inputs], 0, 0.8 / Math.sqrt(inputs));
  const norm = () => filled([hidden], 1, 0.1);
  const tensors: Record<string, { shape: number[]; data: Float32Array }> = {
    'model.embed_tokens.weight': filled([size, hidden], 0, 0.5),
  };
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`;
    tensors[`${name}.input_layernorm.weight`] = norm();
    tensors[`${name}.self_attn.q_proj.weight`] = matrix(heads * head, hidden);
    tensors[`${name}.self_attn.k_proj.weight`] = matrix(keyValueHeads * head, hidden);
    tensors[`${name}.self_attn.v_proj.weight`] = matrix(keyValueHeads * head, hidden);
    tensors[`${name}.self_attn.o_proj.weight`] = matrix(hidden, heads * head);
    tensors[`${name}.post_attention_layernorm.weight`] = norm();
    tensors[`${name}.mlp.gate_proj.weight`] = matrix(intermediate, hidden);
    tensors[`${name}.mlp.up_proj.weight`] = matrix(intermediate, hidden);
    tensors[`${name}.mlp.down_proj.weight`] = matrix(hidden, intermediate);
  }
  tensors['model.norm.weight'] = norm();
  if (!tied) tensors['lm_head.weight'] = matrix(size, hidden);
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    head_dim: head,
    vocab_size: size,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    rope_theta: 10000.0,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: tied,
    bos_token_id: 0,
    eos_token_id: 1,
    torch_dtype: 'float32',
  };
  mkdirSync(folder, { recursive: true });
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
  const tokenizerConfig = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    model_max_length: 512,
  };
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig, null, 2));
}

const subjects = ['The film', 'This book', 'The plot', 'Her voice', 'The ending', 'That meal', 'The staff', 'Our room'];
const opinions = {
  positive: ['a delight', 'warm and honest', 'worth every minute', 'better than expected', 'lovely'],
  negative: ['a waste of time', 'dull and cold', 'far too long', 'worse than expected', 'a mess'],
};
const endings = [
  '',
  ' from start to end',
  ', and I told them so',
  ' in every way that counts for me and for the friends who came along',
];
const capitals = [
  'France Paris',
  'Japan Tokyo',
  'Kenya Nairobi',
  'Peru Lima',
  'Norway Oslo',
  'Egypt Cairo',
  'Cuba Havana',
  'Nepal Kathmandu',
];

/** `{ "review": ..., "sentiment": "positive" }` a line; texts of several lengths. */
export function tinyReviews(rows: number, seed = 7): { review: string; sentiment: 'positive' | 'negative' }[] {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  return Array.from({ length: rows }, (_, row) => {
    const sentiment = row % 2 ? 'negative' : 'positive';
    return { review: `${pick(subjects)} was ${pick(opinions[sentiment])}${pick(endings)}.`, sentiment };
  });
}

/** `{ "country": ..., "capital": ... }` a line. */
export function tinyCapitals(rows: number): { country: string; capital: string }[] {
  return Array.from({ length: rows }, (_, row) => {
    const [country, capital] = capitals[row % capitals.length].split(' ') as [string, string];
    return { country, capital };
  });
}

export interface TinyWorkspaceOptions extends TinyLlamaOptions {
  /** Training samples of each task; half as many validation samples. */
  train?: number;
  estimator?: string;
}

/**
 * Writes `model/`, `data/reviews.jsonl`, `data/capitals.jsonl` and `tiny.layerif.yaml` with the tasks `sentiment` and
 * `capital`.
 * @returns absolute paths when `folder` is absolute.
 */
export function writeTinyWorkspace(
  folder: string,
  options: TinyWorkspaceOptions = {},
): { experiment: string; model: string } {
  const { train = 8, estimator = 'datainf' } = options;
  const rows = train + Math.ceil(train / 2);
  const model = join(folder, 'model');
  writeTinyLlama(model, options);
  mkdirSync(join(folder, 'data'), { recursive: true });
  const lines = (values: object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('');
  writeFileSync(join(folder, 'data', 'reviews.jsonl'), lines(tinyReviews(rows)));
  writeFileSync(join(folder, 'data', 'capitals.jsonl'), lines(tinyCapitals(rows)));
  const experiment = join(folder, 'tiny.layerif.yaml');
  writeFileSync(
    experiment,
    `version: 1
description: Which layers of a tiny random Llama react to reviews, and which to capitals?
model:
  path: ./model
datasets:
  reviews:
    path: data/reviews.jsonl
  capitals:
    path: data/capitals.jsonl
tasks:
  - task: sentiment
    dataset: reviews
    training_split: train[:${train}]
    validation_split: train[${train}:${rows}]
    doc_to_text: "Review: {{review}}\\nSentiment:"
    doc_to_target: sentiment
    doc_to_choice: [negative, positive]
    output_type: multiple_choice
  - task: capital
    dataset: capitals
    training_split: train[:${train}]
    validation_split: train[${train}:${rows}]
    doc_to_text: "The capital of {{country}} is "
    doc_to_target: capital
    output_type: loglikelihood
score:
  estimator: ${estimator}
`,
  );
  return { experiment, model };
}
