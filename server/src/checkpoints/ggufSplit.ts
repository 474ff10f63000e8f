/**
 * A GGUF model in several files, `NAME-00001-of-00003.gguf` ... (llama-gguf-split, gguf-py): the first holds the
 * metadata, each some of the tensors, `split.no` counts from 0. Any of them stands for all; they are found by their
 * names, beside the one that was given.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { openGgufFile } from './gguf.ts';
import type { GgufFile } from './gguf.ts';
import { Metadata } from './ggufMetadata.ts';
import { nth } from '../lists/nth.ts';

const PART = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i;

export interface PartName {
  /** Of the whole model, without ending. */
  model: string;
  /** From 1. */
  number: number;
  count: number;
}

/** Null for the name of a file that is no part. */
export function partName(file: string): PartName | null {
  const [, model, number, count] = PART.exec(path.basename(file)) ?? [];
  return model === undefined ? null : { model, number: Number(number), count: Number(count) };
}

/** File of another part. */
function named(file: string, number: number): string {
  const padded = String(number).padStart(5, '0');
  return path.join(path.dirname(file), path.basename(file).replace(PART, `$1-${padded}-of-$3$4`));
}

/** Files of one model, by its name without ending and number. */
export interface GgufModel {
  /** What to give as model: its only or its first file. */
  first: string;
  /** In order. */
  files: string[];
  /** Numbers of parts that are not there. */
  missing: number[];
}

/** The models that GGUF files make, parts together. @param files names or paths */
export function ggufModels(files: readonly string[]): GgufModel[] {
  const groups = new Map<string, string[]>();
  for (const file of files.filter((name) => /\.gguf$/i.test(name))) {
    const part = partName(file);
    const key = part ? `${path.dirname(file)}/${part.model} of ${part.count}` : file;
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups.values()].map((group) => {
    const some = nth(group, 0);
    const part = partName(some);
    if (!part) return { first: some, files: group, missing: [] };
    const all = Array.from({ length: part.count }, (_, i) => named(some, i + 1));
    const own = all.filter((file) => group.includes(file));
    return {
      first: named(some, 1),
      files: own,
      missing: all.flatMap((file, i) => (group.includes(file) ? [] : [i + 1])),
    };
  });
}

/** For messages: the file, and how many parts it stands for. */
export function shownModel({ first, files, missing }: GgufModel): string {
  const count = files.length + missing.length;
  return count === 1 ? first : `${first} (the first of ${count} parts)`;
}

/**
 * All files of a model, the first with its metadata.
 * @param target a .gguf file, one of several parts or whole
 * @throws LayerifError `badModel`: a part that is missing, in another's place or of another model
 */
export function openGgufParts(target: string): [GgufFile, ...GgufFile[]] {
  const given = openGgufFile(fs.realpathSync(target));
  const count = new Metadata(given).number('split.count') ?? 1; // 0 once they are joined
  if (count <= 1) return [given];
  // The name may be that of a link, or of what it leads to.
  const known = [target, given.file].find((file) => partName(file)?.count === count);
  if (known === undefined) {
    throw bad(
      target,
      `${target}: it is one of ${count} parts of a model, and its name does not say where the others are; name all ${count} files NAME-00001-of-${String(count).padStart(5, '0')}.gguf and so on, in one folder`,
    );
  }
  const missing = Array.from({ length: count }, (_, i) => named(known, i + 1)).filter((file) => !fs.existsSync(file));
  if (missing.length > 0) {
    throw bad(
      target,
      `${target}: it is one of ${count} parts of a model, of which ${path.dirname(target)} lacks ${missing.map((file) => path.basename(file)).join(', ')}; download the missing parts into this folder`,
    );
  }
  const parts = Array.from({ length: count }, (_, i) => openGgufFile(fs.realpathSync(named(known, i + 1))));
  parts.forEach((part, i) => requirePlace(named(known, i + 1), part, i, count));
  requireOneModel(parts, known);
  return parts as [GgufFile, ...GgufFile[]];
}

function requirePlace(file: string, part: GgufFile, number: number, count: number): void {
  const metadata = new Metadata(part);
  const own = metadata.number('split.count') ?? 1;
  if (own !== count) {
    throw bad(
      file,
      `${file} is named as one of ${count} parts, its metadata say ${own <= 1 ? 'that it is a whole model' : `one of ${own}`}; it belongs to another model: download all parts of one model into a folder of their own`,
    );
  }
  const no = metadata.number('split.no');
  if (no !== number) {
    throw bad(
      file,
      `${file} is named as part ${number + 1} of ${count}, its metadata ${no === undefined ? 'lack split.no' : `say part ${no + 1}`}; give the parts their own names again, or download them again`,
    );
  }
}

/** Parts with the same names may come from two models, or from two quantisations of one. */
function requireOneModel(parts: readonly GgufFile[], known: string): void {
  const first = new Metadata(nth(parts, 0));
  const total = first.number('split.tensors.count');
  const where = new Map<string, number>();
  parts.forEach((part, i) => {
    const file = named(known, i + 1);
    const metadata = new Metadata(part);
    const own = metadata.number('split.tensors.count');
    if (own !== total) {
      throw foreign(
        file,
        `a model of ${String(own)} tensors`,
        `${path.basename(named(known, 1))} to one of ${String(total)}`,
      );
    }
    for (const key of ['general.architecture', 'general.name', 'general.uuid']) {
      const value = part.metadata.get(key);
      if (value !== undefined && value !== nth(parts, 0).metadata.get(key))
        throw foreign(
          file,
          `a model with ${key} ${JSON.stringify(value)}`,
          `the first part has ${String(nth(parts, 0).metadata.get(key))}`,
        );
    }
    for (const { name } of part.tensors) {
      const other = where.get(name);
      if (other !== undefined) {
        throw bad(
          file,
          `tensor ${name} stands in part ${other + 1} and in ${file}; the parts belong to different models or were split anew: download all parts of one model into a folder of their own`,
        );
      }
      where.set(name, i);
    }
  });
  if (total !== undefined && where.size !== total) {
    throw bad(
      known,
      `the ${parts.length} parts beside ${known} hold ${where.size} tensors, their metadata say ${total}; they belong to different models: download all parts of one model into a folder of their own`,
    );
  }
}

function foreign(file: string, own: string, others: string): LayerifError {
  return bad(file, `${file} belongs to ${own}, ${others}; download all parts of one model into a folder of their own`);
}

function bad(file: string, message: string): LayerifError {
  return new LayerifError('badModel', message, { place: { file } });
}
