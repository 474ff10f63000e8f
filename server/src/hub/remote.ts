/**
 * What the hub says about a repository: the commit of a revision and the files of that commit (`@huggingface/hub`), and
 * small files as text. Requests are tried again when the network or the server fails, and end with the caller's signal.
 * What a server may send is bounded: pages of a listing by number and by size, texts by size and time. Who gets the
 * token is told by `addresses.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
import { LayerifError } from '../../../protocol/errors.ts';
import { follow, requireHub } from './addresses.ts';
import { isCommit, isSafe } from './cache.ts';
import type { HubRepo, Listing, RemoteFile } from './cache.ts';
import { hubEndpoint } from './environment.ts';
import { asHubError, HubRefusal } from './errors.ts';
import type { Wanted } from './errors.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 500;
/** Without any answer for so long, a request counts as failed. */
const PATIENCE_MS = 30_000;
/** A page of the hub lists up to 1000 files. */
const MOST_PAGES = 500;
/** Of one page, or of a small file that is read as text. */
const MOST_BYTES = 64 * 2 ** 20;
/** Bytes per second that a text must come with: one byte now and then would go on for years. */
const LEAST_RATE = 2000;

/** @throws LayerifError: what the hub refuses, no network, `cancelled` */
export async function listRepo(wanted: Wanted, signal?: AbortSignal): Promise<Listing> {
  const { repo, revision } = wanted;
  const hubUrl = hubEndpoint();
  const asked = new Set<string>();
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    requireHub(url);
    if (asked.has(url) || asked.size > MOST_PAGES) throw endless(wanted, asked.has(url));
    asked.add(url);
    const answer = await request(url, init, signal);
    return new Response(await boundedText(answer, url), { status: answer.status, headers: answer.headers });
  };
  try {
    const about = { name: repo.id, revision, hubUrl, fetch, additionalFields: ['sha'] as 'sha'[] };
    const { sha } = repo.type === 'model' ? await modelInfo(about) : await datasetInfo(about);
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
    const address = addressOf(wanted.repo, commit, file);
    return await boundedText(await request(address, {}, signal), address);
  } catch (error) {
    throw asHubError(error, wanted, signal);
  }
}

export function addressOf({ type, id }: HubRepo, commit: string, file: RemoteFile): string {
  const name = file.path.split('/').map(encodeURIComponent).join('/');
  return `${hubEndpoint()}/${type === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${name}`;
}

/**
 * One request, and no second try.
 * @throws HubRefusal, LayerifError for an answer that is final; Error for one that may be another next time
 */
export async function requestOnce(address: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
  const answer = await follow(address, { ...init, ...(signal ? { signal } : {}) });
  if (answer.ok) return answer;
  await answer.body?.cancel();
  if (answer.status >= 500 || answer.status === 408 || answer.status === 429)
    throw new Error(`${address}: the hub answers ${answer.status}`);
  throw new HubRefusal(answer.status, answer.headers.get('x-error-code') ?? '', address);
}

/** Tried again when the network or the server fails. @throws HubRefusal, LayerifError; the last error */
export async function request(address: string, init: RequestInit = {}, signal?: AbortSignal): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    try {
      return await requestOnce(address, init, signal ? AbortSignal.any([signal, patience]) : patience);
    } catch (error) {
      if (error instanceof HubRefusal || error instanceof LayerifError || signal?.aborted || attempt >= TRIES)
        throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  }
}

/**
 * @param patience milliseconds that any text may take
 * @throws LayerifError for more bytes than any listing or small file has; Error for one that hardly comes
 */
export async function boundedText(answer: Response, address: string, patience = PATIENCE_MS): Promise<string> {
  if (!answer.body) return '';
  const reader: ReadableStreamDefaultReader<Uint8Array> = answer.body.getReader();
  const pieces: Uint8Array[] = [];
  const began = Date.now();
  let bytes = 0;
  let late = false;
  try {
    for (;;) {
      const left = patience + (1000 * bytes) / LEAST_RATE - (Date.now() - began);
      const timer = setTimeout(() => {
        late = true;
        void reader.cancel(); // ends the read
      }, left);
      const { value } = await reader.read().finally(() => clearTimeout(timer));
      if (late) throw new Error(`${address}: the answer has stopped, or comes with under ${LEAST_RATE} bytes a second`);
      if (!value) return Buffer.concat(pieces).toString('utf8');
      bytes += value.length;
      if (bytes > MOST_BYTES)
        throw new LayerifError(
          'failed',
          `${address} answers with more than ${MOST_BYTES / 2 ** 20} MiB where a short text belongs; see that HF_ENDPOINT is a hub that you trust`,
        );
      pieces.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function endless({ repo }: Wanted, again: boolean): LayerifError {
  const what = again ? 'names a page that was read already' : `has more than ${MOST_PAGES} pages`;
  return new LayerifError(
    'failed',
    `the list of files of ${repo.type} ${repo.id} on ${hubEndpoint()} ${what} and would not end; download the files by hand and write their path`,
  );
}
