/**
 * What the hub says about a repository: the commit of a revision and the files of that commit (`@huggingface/hub`), and small files
 * as text. Requests carry the token of the environment to the hub's own address only (fetch drops it when it is sent on to another
 * host), are tried again when the network or the server fails, and end with the caller's signal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
import { isCommit, isSafe } from './cache.ts';
import type { HubRepo, Listing, RemoteFile } from './cache.ts';
import { hubEndpoint, hubToken } from './environment.ts';
import { asHubError, HubRefusal } from './errors.ts';
import type { Wanted } from './errors.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 500;
/** Without any answer for so long, a request counts as failed. */
const PATIENCE_MS = 30_000;

/** @throws LayerifError: what the hub refuses, no network, `cancelled` */
export async function listRepo(wanted: Wanted, signal?: AbortSignal): Promise<Listing> {
  const { repo, revision } = wanted;
  const hubUrl = hubEndpoint();
  const fetch = (url: string | URL | Request, init?: RequestInit) =>
    request(url instanceof Request ? url.url : String(url), init, signal);
  try {
    const asked = { name: repo.id, revision, hubUrl, fetch, additionalFields: ['sha'] as 'sha'[] };
    const { sha } = repo.type === 'model' ? await modelInfo(asked) : await datasetInfo(asked);
    if (!isCommit(sha)) throw new Error(`${hubUrl} names no commit for revision ${revision} of ${repo.id}`);
    const files: RemoteFile[] = [];
    const name = { type: repo.type, name: repo.id };
    for await (const entry of listFiles({ repo: name, revision: sha, recursive: true, hubUrl, fetch })) {
      if (entry.type !== 'file') continue;
      const file = { path: entry.path, size: entry.size, etag: entry.lfs?.oid ?? entry.oid ?? '' };
      if (isSafe(file)) files.push(file);
    }
    return { commit: sha, files };
  } catch (error) {
    throw asHubError(error, wanted, signal);
  }
}

/** @throws LayerifError */
export async function readRemoteText(
  wanted: Wanted,
  commit: string,
  file: RemoteFile,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await (await request(addressOf(wanted.repo, commit, file), {}, signal)).text();
  } catch (error) {
    throw asHubError(error, wanted, signal);
  }
}

export function addressOf({ type, id }: HubRepo, commit: string, file: RemoteFile): string {
  const name = file.path.split('/').map(encodeURIComponent).join('/');
  return `${hubEndpoint()}/${type === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${name}`;
}

/**
 * One request with the token, and no second try.
 * @throws HubRefusal for an answer that is final; Error for one that may be another next time
 */
export async function requestOnce(address: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('user-agent', 'layerif');
  const token = hubToken()?.token;
  if (token) headers.set('authorization', `Bearer ${token}`);
  const answer = await fetch(address, { ...init, headers, ...(signal ? { signal } : {}) });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429)
    throw new Error(`${address}: the hub answers ${answer.status}`);
  throw new HubRefusal(answer.status, answer.headers.get('x-error-code') ?? '', address);
}

async function request(address: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    try {
      return await requestOnce(address, init, signal ? AbortSignal.any([signal, patience]) : patience);
    } catch (error) {
      if (error instanceof HubRefusal || signal?.aborted || attempt >= TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  }
}
