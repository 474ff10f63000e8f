/**
 * Base weights in an adapter's file. PEFT saves embedding and head along where they are among the targets, or where
 * `save_embedding_layers` asks for it, because they may have been resized. Copies of what the base model has say
 * nothing; others are weights that were trained, which a LoRA adapter on this base is not.
 */
import fs from 'node:fs';
import { LayerifError } from '../../../protocol/errors.ts';
import { floatTypes, writtenTypes } from './dtypes.ts';
import { readFloat32 } from './safetensors.ts';
import type { Checkpoint, TensorInfo } from './types.ts';
import { lookup } from '../text/lookup.ts';

const CARRIED = /^base_model\.model\.(.+?)(?:\.base_layer|\.modules_to_save(?:\.default)?)?\.weight$/;
/** Embeddings of tokens under the names of all families, with which a head is tied. */
const EMBEDDING = /(?:^|\.)(?:embed_tokens|wte|embed_in|word_embeddings)\.weight$/;
/** Numbers that are compared at a time. */
const PIECE = 1 << 20;

/** Name in the PyTorch model of a base weight that lies in an adapter's file; null for any other tensor. */
export function carriedName(tensor: string): string | null {
  const name = /\.lora_/.test(tensor) ? undefined : CARRIED.exec(tensor)?.[1];
  return name === undefined ? null : `${name}.weight`;
}

/** Verdicts of this process by what was compared, for an editor checks a model again and again. */
const verdicts = new Map<string, boolean>();

/**
 * @param name in the checkpoint
 * @throws LayerifError `badModel` for weights that the base model has not, or has others in their place
 */
export function requireUnchanged(base: Checkpoint, adapter: string, name: string, info: TensorInfo): void {
  const fail = (what: string): never => {
    throw new LayerifError('badModel', `adapter ${adapter} carries ${name}, ${what}`, { place: { file: info.file } });
  };
  const merge = 'merge the adapter into the model (peft: merge_and_unload), or train it without them';
  const tied = /^(?:lm_head|embed_out)\./.test(name)
    ? [...base.tensors.keys()].find((own) => EMBEDDING.test(own))
    : undefined;
  const own = base.tensors.get(base.tensors.has(name) ? name : (tied ?? name));
  if (!own) return fail(`which the model ${base.path} does not have; it was made for another model`);
  if (own.shape.join() !== info.shape.join()) {
    return fail(
      `of shape [${info.shape.join(', ')}], the model ${base.path} has it as [${own.shape.join(', ')}]; the vocabulary was resized for the adapter: ${merge}`,
    );
  }
  const key = JSON.stringify([stamp(own.file), own.name, stamp(info.file), info.name]);
  const equal = verdicts.get(key) ?? sameValues(base, own, info);
  verdicts.set(key, equal);
  if (!equal) {
    fail(
      `which differs from that of the model ${base.path}: whole weights were trained beside the factors, or the adapter was made for another model; ${merge}`,
    );
  }
}

function stamp(file: string): string {
  const { size, mtimeMs, ctimeMs } = fs.statSync(file);
  return `${file} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** Equal, or equal once rounded to the type that the adapter's file has. */
function sameValues(base: Checkpoint, own: TensorInfo, info: TensorInfo): boolean {
  if (!Object.hasOwn(floatTypes, info.dtype)) return false;
  const total = info.shape.reduce((product, size) => product * size, 1);
  // Of types with a fixed place for each number a piece is read at a time; others are decoded as a whole.
  const plain = base.format === 'safetensors' && own.scales === undefined && Object.hasOwn(floatTypes, own.dtype);
  const whole = plain ? null : base.read(own.name);
  for (let at = 0; at < total; at += PIECE) {
    const count = Math.min(PIECE, total - at);
    const theirs = readFloat32(piece(info, at, count));
    const ours = whole?.subarray(at, at + count) ?? readFloat32(piece(own, at, count));
    if (!alike(ours, theirs, info.dtype)) return false;
  }
  return true;
}

function piece(info: TensorInfo, at: number, count: number): TensorInfo {
  const { bytes } = lookup(floatTypes, info.dtype)!;
  return { ...info, offset: info.offset + at * bytes, byteLength: count * bytes };
}

function alike(ours: Float32Array, theirs: Float32Array, dtype: string): boolean {
  if (ours.every((value, i) => value === theirs[i])) return true;
  if (dtype !== 'F16' && dtype !== 'BF16') return false;
  const rounded = writtenTypes[dtype].encode(ours);
  const back = new Float32Array(ours.length);
  writtenTypes[dtype].decode(rounded.buffer, back);
  return back.every((value, i) => value === theirs[i]);
}
