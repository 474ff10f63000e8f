/** A case of test/reference with its tensors renamed, or with others beside them. */
import fs from 'node:fs';
import path from 'node:path';
import { readTensorBytes } from '../../server/src/checkpoints/fileBytes.ts';
import { openSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { safetensorsBytes } from './files.ts';

export interface Raw {
  name: string;
  dtype: string;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** The tensors of a case that lies in one file, as they are stored. */
export function rawTensors(folder: string): Raw[] {
  return openSafetensors(path.join(folder, 'model.safetensors')).tensors.map((info) => {
    return { name: info.name, dtype: info.dtype, shape: info.shape, bytes: readTensorBytes(info) };
  });
}

/** Writes the weights of a folder. */
export function writeRaw(folder: string, tensors: readonly Raw[]): void {
  let at = 0;
  const header = tensors.map(({ name, dtype, shape, bytes }) => {
    at += bytes.length;
    return [name, { dtype, shape, data_offsets: [at - bytes.length, at] }];
  });
  const data = Buffer.concat(tensors.map(({ bytes }) => bytes));
  fs.writeFileSync(path.join(folder, 'model.safetensors'), safetensorsBytes(Object.fromEntries(header), data));
}

/** Copies a case into `to` with other weights and, where given, other keys in config.json. */
export function copyCase(
  from: string,
  to: string,
  tensors: readonly Raw[],
  changes: Record<string, unknown> = {},
): string {
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    fs.copyFileSync(path.join(from, name), path.join(to, name));
  const config = JSON.parse(fs.readFileSync(path.join(from, 'config.json'), 'utf8')) as Record<string, unknown>;
  fs.writeFileSync(path.join(to, 'config.json'), JSON.stringify({ ...config, ...changes }));
  writeRaw(to, tensors);
  return to;
}
