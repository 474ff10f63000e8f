/** Opens whatever lies at a path: one row per kind of checkpoint. */
import { urlAdvice, urlIn } from '../text/url.ts';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { openGguf } from './ggufCheckpoint.ts';
import { ggufModels } from './ggufSplit.ts';
import { isHubId } from '../hub/cache.ts';
import { cachedModel } from './hubModel.ts';
import { openHuggingFace } from './huggingface.ts';
import { didYouMean } from '../text/nearest.ts';
import { withAdapter } from './peftAdapter.ts';
import type { Checkpoint } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';

interface Format {
  title: string;
  fits(target: string, isFolder: boolean): boolean;
  open(target: string): Checkpoint;
}

export const checkpointFormats: readonly Format[] = [
  {
    title: 'folder with config.json and .safetensors',
    fits: (_, isFolder) => isFolder,
    open: (target) => {
      const gguf = onlyGguf(target);
      return gguf === null ? openHuggingFace(target) : openGguf(gguf);
    },
  },
  { title: '.gguf file', fits: (target) => /\.gguf$/i.test(target), open: openGguf },
];

/** The GGUF model of a folder that holds no other weights; null where there is none or a choice. */
function onlyGguf(folder: string): string | null {
  const names = fs.readdirSync(folder);
  if (names.some((name) => /\.(safetensors|safetensors\.index\.json|bin|pt|pth)$/.test(name))) return null;
  const models = ggufModels(names);
  return models.length === 1 ? path.join(folder, nth(nth(models, 0).files, 0)) : null;
}

const MOST_SIBLINGS = 8;

/** How to open what lies there. */
export interface OpenOptions {
  /** Of a hub id. */
  revision?: string | undefined;
  /** Folder of a PEFT LoRA adapter that is applied to the model. */
  adapter?: string | undefined;
}

/**
 * @param target a path, or a hub id `org/name` that the Hugging Face cache holds; an existing path wins
 * @throws LayerifError `badModel` that says what was looked for and what is there
 */
export function openCheckpoint(target: string, { revision, adapter }: OpenOptions = {}): Checkpoint {
  const base = openBase(target, revision);
  return adapter === undefined ? base : withAdapter(base, adapter);
}

function openBase(target: string, revision: string | undefined): Checkpoint {
  const absolute = path.resolve(target);
  const stat = fs.statSync(absolute, { throwIfNoEntry: false });
  const known = checkpointFormats.map((f) => f.title).join(', ');
  if (!stat) {
    const url = urlIn(target);
    if (url !== null) throw new LayerifError('badModel', `model ${url} ${urlAdvice('model')}`);
    if (isHubId(target)) {
      const cached = cachedModel(target, revision, besidePath(target));
      return { ...openBase(cached.target, undefined), name: nth(target.split('/'), 1), revision: cached.commit };
    }
    throw new LayerifError(
      'badModel',
      `model ${target} does not exist${siblings(absolute)}; expected: ${known}, or a hub id org/name`,
    );
  }
  const format = checkpointFormats.find((f) => f.fits(absolute, stat.isDirectory()));
  if (!format) {
    const ending = path.extname(absolute);
    const hint = lookup(hints, ending) ?? '';
    throw new LayerifError(
      'badModel',
      `model ${target} cannot be read${hint}; expected: ${known}, or a hub id org/name`,
    );
  }
  return format.open(absolute);
}

/** What is said about a file that is something else. */
const hints: Readonly<Record<string, string>> = {
  '.safetensors': ': give the folder that it lies in, with config.json and tokenizer.json beside it',
  '.json': ': give the folder that it lies in',
  '.onnx':
    ': an ONNX graph can be scored, estimated, checked and inspected; this needs a checkpoint with its weights by name',
  '.bin':
    ': pickled weights can hold code and are not read; save the model as safetensors (transformers: save_pretrained)',
  '.pt':
    ': pickled weights can hold code and are not read; save the model as safetensors (transformers: save_pretrained)',
  '.pth':
    ': pickled weights can hold code and are not read; save the model as safetensors (transformers: save_pretrained)',
};

/** What lies where a path of a hub id's name would be, for messages; nothing where its folder is not there. */
export function besidePath(target: string): string {
  const absolute = path.resolve(target);
  return fs.existsSync(path.dirname(absolute)) ? siblings(absolute) : '';
}

/** What lies beside a path that does not exist: the nearest name, else a list. */
function siblings(absolute: string): string {
  const folder = path.dirname(absolute);
  let names: string[];
  try {
    names = fs.readdirSync(folder).filter((name) => !name.startsWith('.'));
  } catch {
    return `, nor does its folder ${folder}`;
  }
  const near = didYouMean(path.basename(absolute), names);
  if (near) return near;
  const shown = names.slice(0, MOST_SIBLINGS).join(', ') + (names.length > MOST_SIBLINGS ? ' …' : '');
  return names.length === 0 ? ` (${folder} is empty)` : ` (${folder} has ${shown})`;
}
