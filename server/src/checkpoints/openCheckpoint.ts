/** Opens whatever lies at a path: one row per kind of checkpoint. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { openGgufCheckpoint } from './ggufCheckpoint.ts';
import { openHuggingFace } from './huggingface.ts';
import { didYouMean } from './nearest.ts';
import type { Checkpoint } from './types.ts';

interface Format {
  title: string;
  fits(target: string, isFolder: boolean): boolean;
  open(target: string): Checkpoint;
}

export const checkpointFormats: readonly Format[] = [
  { title: 'folder with config.json and .safetensors', fits: (_, isFolder) => isFolder, open: openHuggingFace },
  { title: '.gguf file', fits: (target) => target.endsWith('.gguf'), open: openGgufCheckpoint },
];

/** @throws LayerifError `badModel` that says what was looked for and what is there */
export function openCheckpoint(target: string): Checkpoint {
  const absolute = path.resolve(target);
  const stat = fs.statSync(absolute, { throwIfNoEntry: false });
  const known = checkpointFormats.map((f) => f.title).join(', ');
  if (!stat) {
    const siblings = fs.existsSync(path.dirname(absolute)) ? fs.readdirSync(path.dirname(absolute)) : [];
    throw new LayerifError(
      'badModel',
      `model ${target} does not exist${didYouMean(path.basename(absolute), siblings)}; expected: ${known}`,
    );
  }
  const format = checkpointFormats.find((f) => f.fits(absolute, stat.isDirectory()));
  if (!format)
    throw new LayerifError('badModel', `model ${target} is of a kind that cannot be read; expected: ${known}`);
  return format.open(absolute);
}
