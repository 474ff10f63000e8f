/** A .gguf file as a checkpoint: names, order of rows and configuration of Hugging Face; weights are dequantised when they are read. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { openGgufFile } from './gguf.ts';
import type { GgufTensor } from './gguf.ts';
import { Metadata } from './ggufMetadata.ts';
import { Keys } from './ggufKeys.ts';
import { architectureOf, partsOf } from './ggufNames.ts';
import { rowsOf } from './ggufParts.ts';
import type { Part } from './ggufParts.ts';
import { readTensor } from './ggufTensor.ts';
import { rebuildTokenizer } from './ggufTokenizer.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { nearestNames } from '../text/nearest.ts';
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
  const stored = new Map(gguf.tensors.map((tensor) => [tensor.name, tensor]));
  const architecture = architectureOf(metadata, stored);
  const config = architecture.config(new Keys(architecture.id, metadata, stored));

  const tensors = new Map<string, TensorInfo>();
  const sources = new Map<string, { tensor: GgufTensor; part: Part }>();
  for (const tensor of gguf.tensors) {
    const rowBytes = tensor.byteLength / rowsOf(tensor.shape);
    for (const part of partsOf(architecture, metadata, tensor)) {
      const { name, shape, first, rows } = part;
      const offset = tensor.offset + first * rowBytes;
      tensors.set(name, { name, dtype: tensor.type.name, shape, file, offset, byteLength: rows * rowBytes });
      sources.set(name, { tensor, part });
    }
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
      return readTensor(file, source.tensor, source.part);
    },
    tokenizer: () => rebuildTokenizer(metadata),
    sha256: async () => hashOfHashes(await hashFiles([file])),
    close: () => undefined,
  };
}
