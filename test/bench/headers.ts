/**
 * How long the editor *Model Layers* waits for a header: files of Llama-3-70B's shape, written sparse (a true header, a
 * vocabulary of 128,256 tokens in GGUF, and no weights behind it).
 *
 *   node test/bench/headers.ts [--runs 7] [--bundle]
 *
 * Prints milliseconds of the reader alone and of a question to the language server, whose worker is already there; the
 * middle of so many runs. With --bundle the server is dist/server.cjs, else the sources. Node 24 or newer.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { requests } from '../../protocol/requests.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import { modelHeader } from '../../server/src/run/inputs/modelHeader.ts';
import { ggufBytes, safetensorsBytes } from '../checkpoints/files.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '7' }, bundle: { type: 'boolean', default: false } },
});
const runs = Number(values.runs);
if (values.bundle) process.env.LAYERIF_SERVER = path.resolve(import.meta.dirname, '../../dist/server.cjs');
const { Client } = await import('../lsp/client.ts');

const shape = { layers: 80, hidden: 8192, inner: 28672, keys: 1024, vocabulary: 128256, merges: 280147 };
const BF16 = 30;

/** Hugging Face's and llama.cpp's names. */
function tensors(): { name: string; gguf: string; shape: number[] }[] {
  const { hidden, inner, keys, vocabulary } = shape;
  const block = [
    ['self_attn.q_proj', 'attn_q', [hidden, hidden]],
    ['self_attn.k_proj', 'attn_k', [keys, hidden]],
    ['self_attn.v_proj', 'attn_v', [keys, hidden]],
    ['self_attn.o_proj', 'attn_output', [hidden, hidden]],
    ['mlp.gate_proj', 'ffn_gate', [inner, hidden]],
    ['mlp.up_proj', 'ffn_up', [inner, hidden]],
    ['mlp.down_proj', 'ffn_down', [hidden, inner]],
    ['input_layernorm', 'attn_norm', [hidden]],
    ['post_attention_layernorm', 'ffn_norm', [hidden]],
  ] as const;
  const layers = Array.from({ length: shape.layers }, (_, i) =>
    block.map(([name, gguf, size]) => ({
      name: `model.layers.${i}.${name}.weight`,
      gguf: `blk.${i}.${gguf}.weight`,
      shape: [...size],
    })),
  );
  return [
    { name: 'model.embed_tokens.weight', gguf: 'token_embd.weight', shape: [vocabulary, hidden] },
    ...layers.flat(),
    { name: 'model.norm.weight', gguf: 'output_norm.weight', shape: [hidden] },
    { name: 'lm_head.weight', gguf: 'output.weight', shape: [vocabulary, hidden] },
  ];
}

const bytesOf = (size: readonly number[]) => size.reduce((a, b) => a * b, 2);

function sparse(file: string, header: Uint8Array, size: number): string {
  fs.writeFileSync(file, header);
  fs.truncateSync(file, size);
  return file;
}

function safetensorsFile(folder: string): string {
  let at = 0;
  const entries = tensors().map(({ name, shape: size }) => {
    const start = at;
    at += bytesOf(size);
    return [name, { dtype: 'BF16', shape: size, data_offsets: [start, at] }] as const;
  });
  const header = safetensorsBytes({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) });
  return sparse(path.join(folder, 'model.safetensors'), header, header.length + at);
}

function ggufFile(folder: string): string {
  let at = 0;
  const listed = tensors().map(({ gguf, shape: size }) => {
    const tensor = { name: gguf, type: BF16, shape: size, data: new Uint8Array(0), at };
    at += bytesOf(size);
    return tensor;
  });
  const words = (count: number, word: (i: number) => string) => ({
    texts: Array.from({ length: count }, (_, i) => word(i)),
  });
  const header = ggufBytes({
    metadata: {
      'general.architecture': 'llama',
      'llama.block_count': { u32: shape.layers },
      'tokenizer.ggml.tokens': words(shape.vocabulary, (i) => `token${i}`),
      'tokenizer.ggml.token_type': { i32s: Array.from({ length: shape.vocabulary }, () => 1) },
      'tokenizer.ggml.merges': words(shape.merges, (i) => `left${i} right${i}`),
    },
    tensors: listed,
  });
  return sparse(path.join(folder, 'model.gguf'), header, header.length + at);
}

function onnxFile(folder: string): string {
  const g = new Graph('model');
  let offset = 0;
  for (const { name, shape: size } of tensors()) {
    const length = bytesOf(size);
    g.external(name, 'bfloat16', size, { location: 'model.onnx.data', offset, length });
    offset += length;
  }
  return sparse(path.join(folder, 'model.onnx'), encodeModel(g), encodeModel(g).length);
}

const middle = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

async function timed(work: () => Promise<unknown>): Promise<{ first: number; middle: number }> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return { first: Math.round(times[0]), middle: Math.round(middle(times)) };
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-headers-'));
const client = await Client.start(folder);
try {
  // The first question of all starts the worker for results.
  await client.ask(requests.modelHeader, { path: path.join(folder, 'none.gguf') });
  for (const file of [safetensorsFile(folder), ggufFile(folder), onnxFile(folder)]) {
    const ask = async () => {
      const { header, error } = await client.ask(requests.modelHeader, { path: file });
      if (header?.layers.length !== shape.layers) throw new Error(error?.message ?? `${header?.layers.length} layers`);
    };
    const server = await timed(ask);
    const reader = await timed(() => modelHeader(file));
    const load = os.loadavg()[0];
    process.stdout.write(`${JSON.stringify({ file: path.basename(file), reader, server, load })}\n`);
  }
} finally {
  await client.stop();
  fs.rmSync(folder, { recursive: true });
}
