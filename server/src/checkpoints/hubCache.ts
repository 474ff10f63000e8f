/**
 * Models that Hugging Face tools have downloaded: `<cache>/models--<org>--<name>/refs/<revision>` holds a commit,
 * `snapshots/<commit>/` its files. Read only, and never over the network.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';

/** `org/name`, as the hub allows it. */
export function isHubId(target: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(target) && !/--|\.\./.test(target);
}

/** The cache folder by the rules of huggingface_hub. */
export function hubCacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  if (HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE) return expand((HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE)!);
  const home = HF_HOME || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface');
  return path.join(expand(home), 'hub');
}

/**
 * The folder with the files of a model.
 * @param revision branch, tag or commit
 * @param beside what lies where a path of that name would be, for the error
 * @throws LayerifError `badModel` that says how to get the model
 */
export function cachedSnapshot(id: string, revision = 'main', beside = ''): string {
  const cache = hubCacheFolder();
  const folder = path.join(cache, `models--${id.replace('/', '--')}`);
  const get = `download it once with "hf download ${id}${revision === 'main' ? '' : ` --revision ${revision}`}", or give the path of a folder`;
  if (!fs.existsSync(folder)) {
    throw new LayerifError(
      'badModel',
      `model ${id} is neither a path${beside} nor in the Hugging Face cache ${cache}; ${get}`,
    );
  }
  const snapshot = path.join(folder, 'snapshots', commitOf(folder, revision) ?? revision);
  if (!fs.existsSync(snapshot) || path.dirname(snapshot) !== path.join(folder, 'snapshots')) {
    throw new LayerifError(
      'badModel',
      `model ${id} is in the Hugging Face cache ${cache}, but not its revision ${revision}; ${get}`,
    );
  }
  return snapshot;
}

function commitOf(folder: string, revision: string): string | null {
  const refs = path.join(folder, 'refs');
  const file = path.join(refs, revision);
  if (!file.startsWith(refs + path.sep) || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return null;
  const commit = fs.readFileSync(file, 'utf8').trim();
  return /^[0-9a-f]{7,64}$/.test(commit) ? commit : null;
}

function expand(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}
