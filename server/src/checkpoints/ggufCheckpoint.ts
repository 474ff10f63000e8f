/** A .gguf file as a checkpoint: names, order of rows and configuration of Hugging Face; weights are dequantised when they are read. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { openGgufFile } from './gguf.ts';
import type { GgufTensor } from './gguf.ts';
import { Metadata } from './ggufMetadata.ts';
import { architectureOf, tensorName } from './ggufNames.ts';
import { readTensor } from './ggufTensor.ts';
import { rebuildTokenizer } from './ggufTokenizer.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { nearestNames } from './nearest.ts';
import type { Checkpoint, TensorInfo } from './types.ts';

/** @throws LayerifError `badModel` */
export function openGguf(target: string): Checkpoint {
  const file = fs.realpathSync(target);
  const gguf = openGgufFile(file);
  const metadata = new Metadata(gguf);
  const parts = metadata.number('split.count') ?? 1; // 0 once they are joined
  if (parts > 1) {
    throw metadata.error(`it is one of ${parts} parts; join them into one file first (llama-gguf-split --merge)`);
  }
  const architecture = architectureOf(metadata);
  const config = architecture.config(metadata, new Map(gguf.tensors.map((tensor) => [tensor.name, tensor])));

  const tensors = new Map<string, TensorInfo>();
  const sources = new Map<string, { tensor: GgufTensor; pairedHeads: number | null }>();
  for (const tensor of gguf.tensors) {
    const known = tensorName(architecture, metadata, tensor.name);
    if (!known) continue;
    const { type, shape, offset, byteLength } = tensor;
    tensors.set(known.name, { name: known.name, dtype: type.name, shape, file, offset, byteLength });
    sources.set(known.name, { tensor, pairedHeads: known.pairedHeads });
  }
  return {
    path: target,
    name: path.basename(target).replace(/\.gguf$/i, ''),
    format: 'gguf',
    config,
    tensors,
    files: [file],
    read(name) {
      const source = sources.get(name);
      if (!source)
        throw new LayerifError('badModel', `${target} has no tensor ${name}${nearestNames(name, tensors.keys())}`);
      return readTensor(file, source.tensor, source.pairedHeads);
    },
    tokenizer: () => rebuildTokenizer(metadata),
    sha256: async () => hashOfHashes(await hashFiles([file])),
    close: () => undefined,
  };
}
