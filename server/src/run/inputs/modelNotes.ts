/**
 * What a user should know of a model that can be read: where its files disagree with each other, and what of them is
 * left out.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { otherBase } from '../../checkpoints/peftBase.ts';
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import { unreadKeys } from '../../models/configKeys.ts';
import { ropeConflict } from '../../models/rotary.ts';
import { languageConfig } from '../../models/wrappers.ts';
import type { Architecture } from '../../models/types.ts';
import { listed } from '../../text/listed.ts';
import { unreadInLayers } from './scope.ts';

/** Bytes of a stretch, and stretches of a tensor, that are compared. */
const STRETCH = 1 << 12;
const STRETCHES = 64;
/** Tensors that a sentence names. */
const MOST_NAMES = 4;

/** Sentences; none for a user's graph. */
export function modelNotes(checkpoint: Checkpoint, model: Architecture): string[] {
  if (checkpoint.format === 'onnx') return [];
  const config = languageConfig(checkpoint.config);
  const notes = [
    ropeConflict(config),
    twoHeads(checkpoint, model),
    otherLayers(checkpoint, model),
    otherBase(checkpoint),
  ];
  if (checkpoint.format === 'safetensors')
    notes.push(unreadKeys(config), withoutOthers(checkpoint, config), embeddingModel(checkpoint));
  else if (config['pooling_type'] !== undefined) notes.push(forEmbeddings('pooling_type stands in the metadata'));
  return notes.filter((note) => note !== null);
}

/**
 * A model may be looked at without a tokenizer; what it is worth is said where texts are read.
 * @param read of a tokenizer that is built already, in place of the checkpoint's, which is rebuilt
 */
export function tokenWarnings(
  checkpoint: Checkpoint,
  read: () => readonly string[] | undefined = () => checkpoint.tokenizer().warnings,
): string[] {
  if (checkpoint.format !== 'gguf') return [];
  try {
    return [...(read() ?? [])];
  } catch (error) {
    if (error instanceof LayerifError) return [];
    throw error;
  }
}

/** The head is that of the file in any case; whether the embedding is another matrix is told from stretches of both. */
function twoHeads(checkpoint: Checkpoint, { outputs }: Architecture): string | null {
  if (!outputs?.twins) return null;
  const [head, embedding] = outputs.twins;
  const [one, other] = [checkpoint.tensors.get(head), checkpoint.tensors.get(embedding)];
  if (!one || !other || sameStretches(one, other)) return null;
  return `config.json: tie_word_embeddings is true, but ${head} and ${embedding} of the file differ; ${head} is the head, as in transformers 5 (older versions and other programs take the embedding): set tie_word_embeddings to false`;
}

function sameStretches(one: TensorInfo, other: TensorInfo): boolean {
  if (one.dtype !== other.dtype || one.byteLength !== other.byteLength) return false;
  if (one.file === other.file && one.offset === other.offset) return true;
  const last = Math.max(0, one.byteLength - STRETCH);
  for (let i = 0; i < STRETCHES; i++) {
    const at = Math.floor((last * i) / (STRETCHES - 1));
    if (!stretch(one, at).equals(stretch(other, at))) return false;
  }
  return true;
}

function stretch({ file, offset, byteLength }: TensorInfo, at: number): Buffer {
  const bytes = Buffer.alloc(Math.min(STRETCH, byteLength - at));
  const handle = fs.openSync(file, 'r');
  try {
    fs.readSync(handle, bytes, 0, bytes.length, offset + at);
  } finally {
    fs.closeSync(handle);
  }
  return bytes;
}

/** As transformers passes them by: a norm or a bias that config.json does not ask for, more layers than it counts. */
function otherLayers(checkpoint: Checkpoint, model: Architecture): string | null {
  const names = unreadInLayers(checkpoint, model);
  if (names.length === 0) return null;
  const one = names.length === 1;
  return `${listed(names, MOST_NAMES)} ${one ? 'lies' : 'lie'} in the files and ${one ? 'is' : 'are'} not read, as in transformers: nothing in config.json asks for ${one ? 'it' : 'them'}; make sure that config.json is the one of these weights`;
}

function withoutOthers({ config }: Checkpoint, language: Checkpoint['config']): string | null {
  if (config === language) return null;
  return `the model is multimodal (model_type ${JSON.stringify(config.model_type)}); its language model (${JSON.stringify(language.model_type)}) is read, on text alone`;
}

/** sentence-transformers leaves the class of the language model in config.json. */
function embeddingModel({ path: folder }: Checkpoint): string | null {
  const marks = ['config_sentence_transformers.json', 'modules.json', '1_Pooling'];
  const found = marks.find((name) => fs.existsSync(path.join(folder, name)));
  return found === undefined ? null : forEmbeddings(`${found} stands beside the model`);
}

const forEmbeddings = (sign: string): string =>
  `${sign}: it was trained for embeddings, and the loss of next tokens is not what it was trained for`;
