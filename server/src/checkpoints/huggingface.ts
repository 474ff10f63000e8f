/** A Hugging Face folder: config.json, one model.safetensors or shards with an index, tokenizer files. Used in place. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { didYouMean } from './nearest.ts';
import { hashFiles, hashOfHashes } from './hashFiles.ts';
import { openSafetensors, readFloat32 } from './safetensors.ts';
import type { Checkpoint, TensorInfo } from './types.ts';

/** @throws LayerifError `badModel` */
export function openHuggingFace(folder: string): Checkpoint {
  const config = readJson(path.join(folder, 'config.json'));
  const files = weightFiles(folder);
  const tensors = new Map<string, TensorInfo>();
  for (const file of files) {
    for (const info of openSafetensors(file).tensors) {
      const other = tensors.get(info.name);
      if (other) throw new LayerifError('badModel', `tensor ${info.name} stands in ${other.file} and in ${file}`);
      tensors.set(info.name, info);
    }
  }
  return {
    path: folder,
    name: path.basename(folder),
    format: 'safetensors',
    config,
    tensors,
    files,
    read(name) {
      const info = tensors.get(name);
      if (!info) {
        throw new LayerifError(
          'badModel',
          `${folder} has no tensor ${name}${didYouMean(name, [...tensors.keys()])}; its weight files hold ${tensors.size} tensors`,
        );
      }
      return readFloat32(info);
    },
    tokenizer() {
      const file = path.join(folder, 'tokenizer.json');
      if (!fs.existsSync(file)) {
        throw new LayerifError(
          'badModel',
          `${folder} has no tokenizer.json; copy the one of the model beside config.json (transformers: tokenizer.save_pretrained)`,
        );
      }
      const settings = path.join(folder, 'tokenizer_config.json');
      return { tokenizerJson: readJson(file), tokenizerConfig: fs.existsSync(settings) ? readJson(settings) : {} };
    },
    sha256: async () => hashOfHashes(await hashFiles([...files])),
    close: () => undefined,
  };
}

/** Real paths in name order. */
function weightFiles(folder: string): string[] {
  const single = path.join(folder, 'model.safetensors');
  const index = path.join(folder, 'model.safetensors.index.json');
  if (fs.existsSync(single)) return [fs.realpathSync(single)];
  if (!fs.existsSync(index)) {
    const others = fs.readdirSync(folder).filter((name) => /\.(bin|pt|pth|h5|msgpack|safetensors)$/.test(name));
    const found = others.length > 0 ? `it has ${others.slice(0, 5).join(', ')}` : 'it has no weight file';
    throw new LayerifError(
      'badModel',
      `${folder} has neither model.safetensors nor model.safetensors.index.json (${found}); save the model as safetensors (transformers: save_pretrained)`,
    );
  }
  const map = readJson(index).weight_map;
  if (typeof map !== 'object' || map === null) throw new LayerifError('badModel', `${index} has no weight_map`);
  const names = [...new Set(Object.values(map as Record<string, unknown>).map(String))].sort();
  return names.map((name) => {
    const file = path.join(folder, name);
    if (path.dirname(path.normalize(name)) !== '.' || !fs.existsSync(file)) {
      throw new LayerifError(
        'badModel',
        `${index} names the shard ${name}, which is not in the folder; download it again`,
      );
    }
    return fs.realpathSync(file);
  });
}

function readJson(file: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new LayerifError(
      'badModel',
      missing ? `${file} is missing` : `${file} cannot be read: ${(error as Error).message}`,
      {
        place: { file },
        cause: error,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LayerifError('badModel', `${file} is not a JSON object`, { place: { file } });
  }
  return value as Record<string, unknown>;
}
