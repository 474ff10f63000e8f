/**
 * What the fuzzer damages: a file that we read, what reading it to the end means, and which errors are an honest
 * answer.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../protocol/errors.ts';
import { openGgufFile } from '../../server/src/checkpoints/gguf.ts';
import { Metadata } from '../../server/src/checkpoints/ggufMetadata.ts';
import { rebuildTokenizer } from '../../server/src/checkpoints/ggufTokenizer.ts';
import { readTensor } from '../../server/src/checkpoints/ggufTensor.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { openAdapter } from '../../server/src/checkpoints/peftAdapter.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { architectureOf } from '../../server/src/models/families.ts';
import { decodeModel, graphOf, NoModel } from '../../server/src/onnx/decode.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';

const reference = path.join(import.meta.dirname, '../reference');

export interface Target {
  name: string;
  /** Puts undamaged files into `folder`. @returns the file to damage */
  place(folder: string): string;
  /** Reads the damaged file to the end. */
  read(folder: string, file: string): void;
  /** Whether damage is to the words of a JSON text too, and not only to bytes. */
  json?: boolean;
  /** Errors of ours: a LayerifError that names the file, else this. */
  isAnswer?(error: Error): boolean;
}

function copied(from: string, file: string): Pick<Target, 'place'> {
  return {
    place(folder) {
      fs.cpSync(path.join(reference, from), folder, { recursive: true });
      return path.join(folder, file);
    },
  };
}

/** Opens a checkpoint and reads everything in it. */
function readAll(target: string): void {
  const checkpoint = openCheckpoint(target);
  try {
    for (const name of checkpoint.tensors.keys()) checkpoint.read(name);
    try {
      architectureOf(checkpoint.config, checkpoint.tensors);
    } catch (error) {
      if ((error as Error).constructor === Error) return; // `models` throws plain errors; runs add the path
      throw error;
    }
  } finally {
    checkpoint.close();
  }
}

const gguf = (name: string): Target => ({
  name: `gguf ${name}`,
  place(folder) {
    const file = path.join(folder, 'm.gguf');
    fs.copyFileSync(path.join(reference, name), file);
    return file;
  },
  read: (_, file) => readAll(file),
});

const words = (name: string): Target => ({
  name: `gguf tokenizer ${name}`,
  place(folder) {
    const file = path.join(folder, 'm.gguf');
    fs.copyFileSync(path.join(reference, name), file);
    return file;
  },
  read(_, file) {
    const tokenizer = createTokenizer(rebuildTokenizer(new Metadata(openGgufFile(file))));
    tokenizer.decode(tokenizer.encode('Hello, wörld! 123'));
  },
  // The tokenizers library's own refusals become ours without the file's name, which the caller has.
  isAnswer: (error) => error instanceof LayerifError,
});

/** A graph with most kinds of attributes, initializers and names. */
function graph(): Uint8Array {
  const g = new Graph('fuzz');
  const x = g.input('x', 'float32', ['B', 4, 8]);
  const w = g.initializer('w', 'float32', [8, 8], new Float32Array(64).fill(0.5));
  const [a, b] = g.split(g.matMul(x, w), [4, 4], 2);
  const y = g.softmax(g.concat([g.transpose(a, [0, 1, 2]), g.gelu(b)], 2), -1);
  g.output(g.reduceSum(g.reshape(y, ['B', 32]), [1], false), 'y');
  return encodeModel(g);
}

export const targets: readonly Target[] = [
  { name: 'safetensors', ...copied('llama/minimal', 'model.safetensors'), read: (folder) => readAll(folder) },
  {
    name: 'safetensors shard index',
    ...copied('llama/head_dim_sharded', 'model.safetensors.index.json'),
    read: (folder) => readAll(folder),
    json: true,
  },
  {
    name: 'config.json',
    ...copied(
      'gemma3/' +
        fs
          .readdirSync(path.join(reference, 'gemma3'))
          .find((f) => fs.existsSync(path.join(reference, 'gemma3', f, 'config.json')))!,
      'config.json',
    ),
    read: (folder) => readAll(folder),
    json: true,
  },
  gguf('gguf/llama.gguf'),
  {
    name: 'gguf block types',
    place(folder) {
      const file = path.join(folder, 'm.gguf');
      fs.copyFileSync(path.join(reference, 'gguf/blocks.gguf'), file);
      return file;
    },
    read(_, file) {
      const { file: opened, tensors } = openGgufFile(file);
      for (const tensor of tensors) readTensor(opened, tensor);
    },
  },
  gguf('gguf_families/gemma2.gguf'),
  gguf('gguf_families/qwen3moe.gguf'),
  words('gguf/smollm.gguf'),
  words('gguf/sentencepiece.gguf'),
  {
    name: 'tokenizer.json',
    ...copied('llama/minimal', 'tokenizer.json'),
    read(folder) {
      const tokenizer = createTokenizer(openCheckpoint(folder).tokenizer());
      tokenizer.decode(tokenizer.encode('a b c, hello'));
    },
    json: true,
    isAnswer: (error) => error instanceof LayerifError,
  },
  {
    name: 'PEFT adapter_config.json',
    ...copied('lora/conv1d/adapter', 'adapter_config.json'),
    read: (folder) => void openAdapter(folder),
    json: true,
  },
  {
    name: 'PEFT adapter_model.safetensors',
    ...copied('lora/conv1d/adapter', 'adapter_model.safetensors'),
    read: (folder) => void openAdapter(folder),
  },
  {
    name: 'onnx',
    place(folder) {
      const file = path.join(folder, 'm.onnx');
      fs.writeFileSync(file, graph());
      return file;
    },
    read: (_, file) => void graphOf(decodeModel(fs.readFileSync(file))),
    // `onnx` knows no files: its callers add the path.
    isAnswer: (error) => error.constructor === Error || error instanceof NoModel || error instanceof LayerifError,
  },
];
