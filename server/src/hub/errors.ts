/** What may go wrong with the hub, each in one line with what to do. */
import { LayerifError } from '../../../protocol/errors.ts';
import { nearest } from '../text/nearest.ts';
import { cachedIds } from './cache.ts';
import type { HubRepo } from './cache.ts';
import { hubCacheFolder, hubEndpoint, hubToken } from './environment.ts';
import { lookup } from '../text/lookup.ts';

/** An answer of the hub that another try would not change. */
export class HubRefusal extends Error {
  readonly status: number;
  /** `X-Error-Code`: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo. */
  readonly code: string;

  constructor(status: number, code: string, address: string) {
    super(`${address}: the hub answers ${status}${code ? ` (${code})` : ''}`);
    this.status = status;
    this.code = code;
  }
}

/** What is being fetched, for messages. */
export interface Wanted {
  repo: HubRepo;
  revision: string;
  /** What lies where a path of that name would be. */
  beside?: string | undefined;
}

/** From what a request threw. @returns `cancelled`, `badModel`, `badData` or `failed` */
export function asHubError(error: unknown, wanted: Wanted, signal?: AbortSignal): LayerifError {
  if (error instanceof LayerifError) return error;
  if (signal?.aborted) return new LayerifError('cancelled', 'cancelled');
  if (error instanceof HubRefusal) return refusal(error, wanted);
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  const why = [message, cause?.code ?? cause?.message].filter(Boolean).join(': ');
  return new LayerifError(
    'failed',
    `${named(wanted)} cannot be downloaded from ${hubEndpoint()} (${why}); check the network and run again: what was received is kept, and the download goes on from there`,
    { cause: error },
  );
}

/** An error about the repository, of the kind that its files have. */
export function badRepo({ type }: HubRepo, message: string): LayerifError {
  return new LayerifError(type === 'model' ? 'badModel' : 'badData', message);
}

/** From what the file system threw about the cache folder. */
export function cannotCache(error: unknown): LayerifError {
  if (error instanceof LayerifError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const why: Record<string, string> = {
    ENOSPC: 'the disk is full; free some space and run again, what was received is kept',
    EACCES: 'permission is missing; choose another folder with HF_HUB_CACHE',
    EPERM: 'permission is missing; choose another folder with HF_HUB_CACHE',
    EROFS: 'the disk is read-only; choose another folder with HF_HUB_CACHE',
    ENOTDIR: 'a part of the path is a file; choose another folder with HF_HUB_CACHE',
    EEXIST: 'a part of the path is a file; choose another folder with HF_HUB_CACHE',
  };
  return new LayerifError(
    'cannotWrite',
    `cannot write to the Hugging Face cache ${hubCacheFolder()}: ${lookup(why, code) ?? (error as Error).message}`,
    { cause: error },
  );
}

function refusal({ status, code, message }: HubRefusal, wanted: Wanted): LayerifError {
  const { repo, revision, beside = '' } = wanted;
  const page = `${hubEndpoint()}/${repo.type === 'dataset' ? 'datasets/' : ''}${repo.id}`;
  const token = hubToken();
  const login = 'set a token in HF_TOKEN or log in with "hf auth login"';
  if (code === 'GatedRepo' || status === 403) {
    const next = token ? `the token of ${token.from} has no access yet` : `then ${login}`;
    return badRepo(repo, `${named(wanted)} is gated: accept its licence at ${page} with your account; ${next}`);
  }
  if (code === 'RevisionNotFound') {
    return badRepo(
      repo,
      `${repo.type} ${repo.id} has no revision "${revision}"; ${page}/commits names branches, tags and commits`,
    );
  }
  if (status === 404 || code === 'RepoNotFound') {
    const known = nearest(repo.id, cachedIds(repo.type));
    const near = known === null ? '' : `; in the cache: ${known}`;
    const secret = token ? 'or the token may not read it' : `or it is private (${login})`;
    return badRepo(
      repo,
      `${repo.type} ${repo.id} is neither a path${beside} nor on ${hubEndpoint()}, ${secret}${near}`,
    );
  }
  if (status === 401) {
    const next = token ? `the token of ${token.from} is not valid: renew it` : login;
    return badRepo(repo, `${named(wanted)} needs a login: ${next}`);
  }
  return new LayerifError('failed', `${named(wanted)} cannot be downloaded: ${message}; try again later`);
}

function named({ repo, revision }: Wanted): string {
  return `${repo.type} ${repo.id}${revision === 'main' ? '' : ` (revision ${revision})`}`;
}
