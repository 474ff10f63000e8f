/**
 * Where the hub is and who asks, by the environment variables of huggingface_hub: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE,
 * HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_DISABLE_IMPLICIT_TOKEN, HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE,
 * HF_DATASETS_OFFLINE.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Address of the hub or of a mirror, without `/` at its end. */
export function hubEndpoint(environment: Environment = process.env): string {
  return (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
}

/** The folder with one folder per repository. */
export function hubCacheFolder(environment: Environment = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = environment;
  if (HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE) return expand((HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE)!);
  return path.join(hubHome(environment), 'hub');
}

/** A variable that says no, or the name of the variable that forbids the network. */
export function offlineBy(environment: Environment = process.env): string | null {
  const names = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_DATASETS_OFFLINE'];
  return names.find((name) => isOn(environment[name])) ?? null;
}

/** The access token and where it was found. */
export function hubToken(environment: Environment = process.env): { token: string; from: string } | null {
  for (const from of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const token = environment[from]?.trim();
    if (token) return { token, from };
  }
  if (isOn(environment.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return null;
  const file = environment.HF_TOKEN_PATH ? expand(environment.HF_TOKEN_PATH) : path.join(hubHome(environment), 'token');
  try {
    const token = fs.readFileSync(file, 'utf8').trim();
    return token ? { token, from: file } : null;
  } catch {
    return null; // nobody is logged in
  }
}

function hubHome({ HF_HOME, XDG_CACHE_HOME }: Environment): string {
  return expand(HF_HOME || path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'huggingface'));
}

function isOn(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

function expand(folder: string): string {
  return folder === '~' || folder.startsWith('~/') ? path.join(os.homedir(), folder.slice(1)) : folder;
}
