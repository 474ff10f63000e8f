/**
 * A model that does not fit: a checkpoint of Mistral-7B's shape (BF16, 34 shards, 14.5 GB for 32 layers; random
 * weights, seeded) written below FOLDER outside the repository, then scored with fewer and more of its layers in one
 * process each.
 *
 *   node test/bench/largeModel.ts --folder /somewhere/large [--layers 8,16,32] [--memory GiB] [--projection 64]
 *   [--write-only] [--source]
 *
 * Prints layers, plan, peak anonymous memory of engine and command, peak of all processes with mapped files, CPU and
 * wall seconds. Node 24 or newer, for it imports TypeScript; the scored program is dist/cli.cjs, with --source the
 * sources. FOLDER stays.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Result } from '../../protocol/result.ts';
import type { Estimate } from '../../protocol/run.ts';
import { Random } from '../../server/src/random/random.ts';
import { writeTinyLlama } from '../tinyLlama.ts';

interface Measured {
  stdout: string;
  processSeconds: number;
  cpuSeconds: number;
  peak: { resident: number };
}
// A plain script without types.
const { measured } = (await import(new URL('process.mjs', import.meta.url).href)) as {
  measured: (command: string[]) => Promise<Measured>;
};

const shape = { hidden: 4096, inner: 14336, heads: 32, kvHeads: 8, size: 128, vocabulary: 32000 };
const samples = { train: 4, validation: 2, tokens: 128 };

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    layers: { type: 'string', default: '8,16,32' },
    memory: { type: 'string', default: '16' },
    projection: { type: 'string', default: 'none' },
    'write-only': { type: 'boolean', default: false },
    source: { type: 'boolean', default: false },
  },
});
if (!values.folder) throw new Error('--folder is missing: an empty folder outside the repository with 15 GB free');
const folder = path.resolve(values.folder);
const counts = values.layers.split(',').map(Number);
const shards = path.join(folder, 'shards');

/** Upper halves of the float32 numbers of a normal distribution, 2^16 draws of standard deviation 1. */
function normals(): Float32Array {
  const random = new Random(7, 'large model');
  return Float32Array.from({ length: 1 << 16 }, () => random.normal());
}

/** The same draws in another order for every tensor. */
function fill(into: Uint16Array, table: Float32Array, deviation: number, seed: number): void {
  const scaled = new Uint32Array(table.map((value) => value * deviation).buffer).map((word) => word >>> 16);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < into.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    into[i] = scaled[state >>> 16];
  }
}

const { hidden, inner, heads, kvHeads, size, vocabulary } = shape;
const matrices: Record<string, [number, number]> = {
  'self_attn.q_proj': [heads * size, hidden],
  'self_attn.k_proj': [kvHeads * size, hidden],
  'self_attn.v_proj': [kvHeads * size, hidden],
  'self_attn.o_proj': [hidden, heads * size],
  'mlp.gate_proj': [inner, hidden],
  'mlp.up_proj': [inner, hidden],
  'mlp.down_proj': [hidden, inner],
};

/** Writes a shard unless it is there. Matrices are normal with deviation 0.8 / sqrt(columns), norms are ones. */
function writeShard(file: string, tensors: Record<string, number[]>, table: Float32Array, seed: number): string[] {
  const names = Object.keys(tensors);
  const target = path.join(shards, file);
  if (fs.existsSync(target)) return names;
  const header: Record<string, unknown> = {};
  let offset = 0;
  const count = (dims: number[]) => dims.reduce((a, b) => a * b, 1);
  for (const [name, dims] of Object.entries(tensors)) {
    header[name] = { dtype: 'BF16', shape: dims, data_offsets: [offset, offset + 2 * count(dims)] };
    offset += 2 * count(dims);
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const fd = fs.openSync(`${target}.tmp`, 'w');
  fs.writeSync(fd, Buffer.concat([length, json]));
  for (const [i, dims] of Object.values(tensors).entries()) {
    const data = new Uint16Array(count(dims));
    if (dims.length === 1) data.fill(0x3f80);
    else fill(data, table, 0.8 / Math.sqrt(dims[1]), seed * 16 + i);
    const bytes = new Uint8Array(data.buffer);
    for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, bytes.length - at);
  }
  fs.closeSync(fd);
  fs.renameSync(`${target}.tmp`, target);
  return names;
}

function writeModel(layers: number): string {
  fs.mkdirSync(shards, { recursive: true });
  const table = normals();
  const map: Record<string, string> = {};
  const shard = (file: string, tensors: Record<string, number[]>, seed: number) => {
    for (const name of writeShard(file, tensors, table, seed)) map[name] = file;
  };
  shard('model-embedding.safetensors', { 'model.embed_tokens.weight': [vocabulary, hidden] }, 1);
  shard('model-head.safetensors', { 'model.norm.weight': [hidden], 'lm_head.weight': [vocabulary, hidden] }, 2);
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`;
    const tensors: Record<string, number[]> = {
      [`${name}.input_layernorm.weight`]: [hidden],
      [`${name}.post_attention_layernorm.weight`]: [hidden],
    };
    for (const [module, dims] of Object.entries(matrices)) tensors[`${name}.${module}.weight`] = dims;
    shard(`model-layer-${String(layer).padStart(2, '0')}.safetensors`, tensors, 3 + layer);
  }
  const model = path.join(folder, `model-${layers}`);
  fs.mkdirSync(model, { recursive: true });
  writeTinyLlama(path.join(folder, 'tokenizer'));
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    fs.copyFileSync(path.join(folder, 'tokenizer', file), path.join(model, file));
  for (const file of new Set(Object.values(map))) {
    fs.rmSync(path.join(model, file), { force: true });
    fs.symlinkSync(path.join(shards, file), path.join(model, file));
  }
  fs.writeFileSync(path.join(model, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  const config = {
    architectures: ['MistralForCausalLM'],
    model_type: 'mistral',
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: size,
    vocab_size: vocabulary,
    max_position_embeddings: 32768,
    sliding_window: null,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: 'silu',
    tie_word_embeddings: false,
    torch_dtype: 'bfloat16',
  };
  fs.writeFileSync(path.join(model, 'config.json'), JSON.stringify(config, null, 2));
  return model;
}

function writeExperiment(layers: number): string {
  const text = (row: number) =>
    Array.from(
      { length: samples.tokens },
      (_, i) => ['the', 'river', 'was', 'long', 'and', 'the', 'room'][(i * (row + 1)) % 7],
    ).join(' ');
  const rows = Array.from({ length: samples.train + samples.validation }, (_, row) =>
    JSON.stringify({ text: text(row) }),
  );
  fs.writeFileSync(path.join(folder, 'texts.jsonl'), `${rows.join('\n')}\n`);
  const file = path.join(folder, `layers-${layers}.layerif.yaml`);
  const experiment = {
    version: 1,
    model: { path: `model-${layers}`, max_length: samples.tokens },
    datasets: { texts: { path: 'texts.jsonl' } },
    tasks: [
      {
        task: 'texts',
        training_split: `train[:${samples.train}]`,
        validation_split: `train[${samples.train}:]`,
        doc_to_text: '{{text}}',
        output_type: 'loglikelihood_rolling',
      },
    ],
    score: { projection: values.projection === 'none' ? 'none' : Number(values.projection) },
  };
  fs.writeFileSync(file, JSON.stringify(experiment, null, 2));
  return file;
}

const root = path.resolve(import.meta.dirname, '../..');
const program = path.join(root, values.source ? 'server/src/cli/cliMain.ts' : 'dist/cli.cjs');
const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
for (const layers of counts) {
  writeModel(layers);
  const file = writeExperiment(layers);
  if (values['write-only']) continue;
  fs.rmSync(path.join(folder, 'runs'), { recursive: true, force: true });
  const options = [file, '--json', '--memory', values.memory];
  const estimated = await measured([process.execPath, program, 'estimate', ...options]);
  const run = await measured([process.execPath, program, 'score', ...options]);
  const result = JSON.parse(run.stdout) as Result;
  const { memoryBytes, plan } = JSON.parse(estimated.stdout) as Estimate;
  const cells = [
    layers,
    `${plan.weights}, boundaries ${plan.boundaries}, ${plan.projection === null ? 'exact' : `rank ${plan.projection}`}`,
    gib(memoryBytes),
    gib(result.provenance.peakMemoryBytes),
    gib(run.peak.resident),
    run.cpuSeconds.toFixed(0),
    run.processSeconds.toFixed(0),
  ];
  console.log(`| ${cells.join(' | ')} |`, JSON.stringify(result.provenance.seconds));
}
