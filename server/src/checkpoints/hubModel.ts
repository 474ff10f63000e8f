/**
 * Which files of a hub repository make a model, and where a model lies in the cache. To read another format from the
 * hub, add what it needs to `modelFiles` and how a whole one looks to `localTarget`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { cachedCommit, cachedIds, missingOf, readListing, snapshotFolder } from '../hub/cache.ts';
import type { HubRepo, RemoteFile } from '../hub/cache.ts';
import { hubCacheFolder, offlineBy } from '../hub/environment.ts';
import { ggufModels, shownModel } from './ggufSplit.ts';
import { listed } from '../text/listed.ts';
import { nearest } from '../text/nearest.ts';
import { readText } from '../files/textFile.ts';
import { nth } from '../lists/nth.ts';

const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
/** Beside the weights, where the repository has them. */
const described = [
  'config.json',
  'generation_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  // Not read: a model that it stands beside is refused (run/inputs/openModel.ts).
  'adapter_config.json',
];
/** Files of a tokenizer; the first form that a repository has is read. */
const tokenizers = [['tokenizer.json'], ['tekken.json'], ['tokenizer.model'], ['vocab.json', 'merges.txt']];

/** Empty where there is none. */
function tokenizerFiles(has: (name: string) => boolean): readonly string[] {
  return tokenizers.find((files) => files.every(has)) ?? [];
}

/**
 * The files that the engine reads, of those that a repository has.
 * @param readText a small file of the repository
 * @throws LayerifError `badModel` for a repository without weights that can be read
 */
export async function modelFiles(
  id: string,
  files: readonly RemoteFile[],
  readText: (file: RemoteFile) => Promise<string>,
): Promise<RemoteFile[]> {
  const find = (name: string) => files.find((file) => file.path === name);
  const named = [...described, ...tokenizerFiles((name) => find(name) !== undefined)];
  const basics = files.filter((file) => named.includes(file.path));
  const config = find('config.json');
  const whole = find(WEIGHTS);
  const index = find(INDEX);
  if (config && whole) return [...basics, whole];
  if (config && index) return [...basics, index, ...(await shardsOf(id, files, index, readText))];

  const ggufs = ggufModels(files.map((file) => file.path).filter((name) => !name.includes('/')));
  if (ggufs.length === 1) {
    const { files: parts, missing } = nth(ggufs, 0);
    if (missing.length > 0) {
      throw bad(
        `model ${id} has ${parts.length} of the ${parts.length + missing.length} parts of ${nth(ggufs, 0).first}; part ${missing.join(', ')} is missing: take another revision or another repository`,
      );
    }
    return parts.map((name) => find(name)!);
  }
  const names = files.map((file) => file.path);
  if (ggufs.length > 1) {
    throw bad(
      `model ${id} has ${ggufs.length} GGUF files; choose one: "hf download ${id} NAME" prints the path to give as model (${listed(
        ggufs.map(shownModel),
        8,
      )})`,
    );
  }
  const deeper = ggufModels(names);
  if (deeper.length > 0 && !whole && !index) {
    throw bad(
      `model ${id} has its GGUF files in folders; choose one: "hf download ${id} --include 'FOLDER/*'" prints where it lies, give the path of its first file as model (${listed(deeper.map(shownModel), 8)})`,
    );
  }
  if (find('adapter_config.json') && !config)
    throw bad(`${id} is a PEFT adapter, no model; download it and give its folder as model.adapter`);
  const pickled = names.filter((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  if (pickled.length > 0 && !whole && !index) {
    throw bad(
      `model ${id} has its weights only as ${listed(pickled, 3)}: pickled weights can hold code and are not read; take a revision with safetensors (often refs/pr/1 by "SFconvertbot"), or save the model as safetensors (transformers: save_pretrained)`,
    );
  }
  if (!config && (whole || index)) throw bad(`model ${id} has no config.json; it is no Hugging Face model folder`);
  throw bad(`model ${id} has neither ${WEIGHTS} nor ${INDEX} nor a .gguf file; it has ${listed(names, 8)}`);
}

async function shardsOf(
  id: string,
  files: readonly RemoteFile[],
  index: RemoteFile,
  readText: (file: RemoteFile) => Promise<string>,
): Promise<RemoteFile[]> {
  let map: unknown;
  try {
    map = (JSON.parse(await readText(index)) as { weight_map?: unknown }).weight_map;
  } catch (error) {
    if (error instanceof LayerifError) throw error;
  }
  if (typeof map !== 'object' || map === null) throw bad(`model ${id}: ${INDEX} has no weight_map`);
  const names = [...new Set(Object.values(map).map(String))].sort();
  return names.map((name) => {
    const shard = files.find((file) => file.path === name);
    if (!shard) throw bad(`model ${id}: ${INDEX} names ${name}, which the repository does not have`);
    return shard;
  });
}

export interface CachedModel {
  /** A folder, or a .gguf file. */
  target: string;
  commit: string;
}

/** A model that lies in the cache as a whole, or null. */
export function findCachedModel(id: string, revision = 'main'): CachedModel | null {
  const repo: HubRepo = { type: 'model', id };
  const commit = cachedCommit(repo, revision);
  if (commit === null) return null;
  const target = localTarget(snapshotFolder(repo, commit));
  if (target === null) return null;
  // Where the listing is known, a file with another length is not the file.
  const listing = readListing(repo, commit);
  const damaged = listing && missingOf(repo, listing, fs.readdirSync(snapshotFolder(repo, commit)));
  return damaged && damaged.length > 0 ? null : { target, commit };
}

/** What `openCheckpoint` can open in a snapshot, or null where something is missing. */
function localTarget(snapshot: string): string | null {
  if (!fs.existsSync(snapshot)) return null;
  const has = (name: string) => path.basename(name) === name && fs.existsSync(path.join(snapshot, name));
  if (has('config.json') && tokenizerFiles(has).length > 0) {
    if (has(WEIGHTS)) return snapshot;
    if (has(INDEX)) {
      try {
        const { weight_map } = JSON.parse(readText(path.join(snapshot, INDEX), 'tokenizer')) as {
          weight_map: Record<string, string>;
        };
        return Object.values(weight_map).every(has) ? snapshot : null;
      } catch {
        return null;
      }
    }
  }
  const ggufs = ggufModels(fs.readdirSync(snapshot).filter(has));
  return ggufs.length === 1 && nth(ggufs, 0).missing.length === 0 ? path.join(snapshot, nth(ggufs, 0).first) : null;
}

/**
 * What to open for a hub id, by the cache alone. A snapshot that other tools downloaded in part is given too: its
 * reader says best what it lacks.
 * @param beside what lies where a path of that name would be, for the error
 * @throws LayerifError `badModel` that says how to get the model
 */
export function cachedModel(id: string, revision = 'main', beside = ''): CachedModel {
  const whole = findCachedModel(id, revision);
  if (whole) return whole;
  const repo: HubRepo = { type: 'model', id };
  const cache = hubCacheFolder();
  const commit = cachedCommit(repo, revision);
  const snapshot = commit === null ? null : snapshotFolder(repo, commit);
  if (commit !== null && snapshot !== null && fs.existsSync(path.join(snapshot, 'config.json')))
    return { target: snapshot, commit };
  const offline = offlineBy();
  const get = `"hf download ${id}${revision === 'main' ? '' : ` --revision ${revision}`}"`;
  const how =
    offline === null
      ? `layerif score downloads it, as ${get} does`
      : `${offline} forbids to download it: unset it, or run ${get} where there is a network, or give the path of a folder`;
  const ids = cachedIds('model');
  if (ids.includes(id))
    throw bad(`model ${id} is in the Hugging Face cache ${cache}, but not its revision ${revision}; ${how}`);
  const near = nearest(id, ids);
  const meant = near === null ? '' : ` (did you mean "${near}"?)`;
  throw bad(`model ${id} is neither a path${beside} nor in the Hugging Face cache ${cache}${meant}; ${how}`);
}

function bad(message: string): LayerifError {
  return new LayerifError('badModel', message);
}
