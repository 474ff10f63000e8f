/**
 * A .gguf file, or all parts of one, as a checkpoint: names, order of rows and configuration of Hugging Face; weights
 * are dequantised when they are read.
 */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { GgufTensor } from './gguf.ts';
import { Metadata } from './ggufMetadata.ts';
import { Keys } from './ggufKeys.ts';
import { architectureOf, partsOf } from './ggufNames.ts';
import { rowsOf } from './ggufParts.ts';
import type { Part } from './ggufParts.ts';
import { openGgufParts, partName } from './ggufSplit.ts';
import { readTensor } from './ggufTensor.ts';
import { rebuildTokenizer } from './ggufTokenizer.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { nearestNames } from '../text/nearest.ts';
import type { Checkpoint, TensorInfo } from './types.ts';

/** @throws LayerifError `badModel` */
export function openGguf(target: string): Checkpoint {
  const parts = openGgufParts(target);
  const metadata = new Metadata(parts[0]);
  const stored = new Map(parts.flatMap(({ tensors }) => tensors).map((tensor) => [tensor.name, tensor]));
  const architecture = architectureOf(metadata, stored);
  const config = architecture.config(new Keys(architecture.id, metadata, stored));

  const tensors = new Map<string, TensorInfo>();
  const sources = new Map<string, { file: string; tensor: GgufTensor; part: Part }>();
  for (const { file, tensors: own } of parts) {
    for (const tensor of own) {
      const rowBytes = tensor.byteLength / rowsOf(tensor.shape);
      for (const part of partsOf(architecture, metadata, tensor)) {
        const { name, shape, first, rows } = part;
        const offset = tensor.offset + first * rowBytes;
        tensors.set(name, { name, dtype: tensor.type.name, shape, file, offset, byteLength: rows * rowBytes });
        sources.set(name, { file, tensor, part });
      }
    }
  }
  const files = parts.map(({ file }) => file);
  return {
    path: target,
    name: partName(target)?.model ?? path.basename(target).replace(/\.gguf$/i, ''),
    format: 'gguf',
    config,
    tensors,
    files,
    read(name) {
      const source = sources.get(name);
      if (!source)
        throw new LayerifError('badModel', `${target} has no tensor ${name}${nearestNames(name, tensors.keys())}`);
      return readTensor(source.file, source.tensor, source.part);
    },
    tokenizer: () => rebuildTokenizer(metadata),
    sha256: async () => hashOfHashes(await hashFiles(files)),
    close: () => undefined,
  };
}
