/** A .gguf file as a checkpoint: names, layout and configuration of Hugging Face, weights dequantised when they are read. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { blockTypes } from './dequantize.ts';
import { requireFinite } from './finite.ts';
import { openGguf } from './gguf.ts';
import { architectures, huggingFaceName, MetadataReader, separateHalves } from './ggufNames.ts';
import { tokenizerOf } from './ggufTokenizer.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { didYouMean } from './nearest.ts';
import { readBytes } from './safetensors.ts';
import type { Checkpoint, TensorInfo } from './types.ts';

/** @throws LayerifError `badModel` */
export function openGgufCheckpoint(target: string): Checkpoint {
  const file = fs.realpathSync(target);
  const gguf = openGguf(file);
  const id = String(gguf.metadata.get('general.architecture') ?? '');
  const architecture = architectures[id];
  if (!architecture) {
    throw new LayerifError(
      'badModel',
      `${target}: GGUF architecture "${id}" is not supported; supported: ${Object.keys(architectures).join(', ')}`,
    );
  }
  const unknown: string[] = [];
  const tensors = new Map<string, TensorInfo>();
  for (const { name, ...rest } of gguf.tensors) {
    const known = huggingFaceName(name, architecture);
    if (known) tensors.set(known, { name: known, ...rest, file });
    else unknown.push(name);
  }
  // rope_freqs holds scaling factors that would change the model if they were left out
  if (unknown.length > 0) {
    throw new LayerifError(
      'badModel',
      `${target}: tensor ${unknown[0]} of architecture "${id}" is not known here; use the Hugging Face folder of the model instead`,
    );
  }
  const vocabulary = tensors.get('model.embed_tokens.weight')?.shape[0];
  const config = {
    ...architecture.config(new MetadataReader(gguf, id), tensors.has('lm_head.weight')),
    ...(vocabulary === undefined ? {} : { vocab_size: vocabulary }),
    attention_bias: tensors.has('model.layers.0.self_attn.q_proj.bias'),
  };
  return {
    path: target,
    name: path.basename(target, '.gguf'),
    format: 'gguf',
    config,
    tensors,
    files: [file],
    read(name) {
      const info = tensors.get(name);
      if (!info)
        throw new LayerifError('badModel', `${target} has no tensor ${name}${didYouMean(name, [...tensors.keys()])}`);
      const values = new Float32Array(info.shape.reduce((product, size) => product * size, 1));
      blockTypes.find((t) => t.name === info.dtype)!.decode(readBytes(info), values);
      requireFinite(values, info);
      const heads = architecture.interleavedHeads(name, config);
      return heads === null ? values : separateHalves(values, info.shape[0], heads);
    },
    tokenizer: () => tokenizerOf(gguf),
    sha256: async () => hashOfHashes(await hashFiles([file])),
    close: () => undefined,
  };
}
