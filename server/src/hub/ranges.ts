/**
 * The header of a file on the hub without the file: a reader asks for bytes as it would of a disk; what has not arrived
 * yet is fetched by one range request, and the reader begins anew. Readers are cheap beside a request.
 */
import type { LayerifError } from '../../../protocol/errors.ts';
import type { ByteSource } from '../files/byteSource.ts';
import type { RemoteFile } from './cache.ts';
import { asHubError, badRepo } from './errors.ts';
import type { Wanted } from './errors.ts';
import { addressOf, request } from './remote.ts';
import { startOf } from './transfer.ts';

/** Of the first request; each of the next asks for twice as much. */
const FIRST_BYTES = 1 << 18;
const LARGEST_REQUEST = 1 << 23;
/** Vocabularies of a quarter of a million tokens take 10 MiB. */
const MOST_BYTES = 1 << 27;
const MOST_REQUESTS = 100;

/** Thrown through a reader that asked for what is not there yet. */
class NotArrived extends Error {
  readonly at: number;
  readonly bytes: number;

  constructor(at: number, bytes: number) {
    super(`bytes ${at} to ${at + bytes} have not arrived`);
    this.at = at;
    this.bytes = bytes;
  }
}

/**
 * @param read called until nothing that it asks for is missing
 * @throws LayerifError: what `read` throws, what the hub refuses, `cancelled`, a header without end
 */
export async function readRemoteHeader<T>(
  wanted: Wanted,
  commit: string,
  file: RemoteFile,
  read: (source: ByteSource) => T,
  signal?: AbortSignal,
): Promise<T> {
  const pieces: { at: number; bytes: Uint8Array }[] = [];
  const source: ByteSource = {
    name: `${wanted.repo.id}/${file.path}`,
    size: file.size,
    read: (into, at) => {
      const length = Math.max(0, Math.min(into.length, file.size - at));
      for (let done = 0; done < length;) {
        const from = at + done;
        const piece = pieces.find((one) => one.at <= from && from < one.at + one.bytes.length);
        if (!piece) throw new NotArrived(from, length - done);
        const part = piece.bytes.subarray(from - piece.at, from - piece.at + length - done);
        into.set(part, done);
        done += part.length;
      }
      return length;
    },
  };
  let step = FIRST_BYTES;
  let received = 0;
  for (;;) {
    try {
      return read(source);
    } catch (error) {
      if (!(error instanceof NotArrived)) throw error;
      const bytes = Math.min(Math.max(error.bytes, step), file.size - error.at);
      if (received + bytes > MOST_BYTES || pieces.length === MOST_REQUESTS) throw endless(wanted, file);
      pieces.push({ at: error.at, bytes: await range(wanted, commit, file, error.at, bytes, signal) });
      received += bytes;
      step = Math.min(2 * step, LARGEST_REQUEST);
    }
  }
}

async function range(
  wanted: Wanted,
  commit: string,
  file: RemoteFile,
  at: number,
  length: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const address = addressOf(wanted.repo, commit, file);
  try {
    const headers = { 'accept-encoding': 'identity', range: `bytes=${at}-${at + length - 1}` };
    const answer = await request(address, { headers }, signal);
    if (answer.status !== 206) {
      await answer.body?.cancel();
      throw badRepo(
        wanted.repo,
        `${address} is answered as a whole where ${length} bytes of it were asked for: this server knows no range requests; take another HF_ENDPOINT, or download the model`,
      );
    }
    startOf(answer, at);
    const bytes = new Uint8Array(length);
    let done = 0;
    for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes.set(piece.subarray(0, length - done), done);
      done += Math.min(piece.length, length - done);
      if (done === length) break;
    }
    if (done < length) throw new Error(`${address}: the connection ended at byte ${at + done} of ${at + length}`);
    return bytes;
  } catch (error) {
    throw asHubError(error, wanted, signal);
  }
}

function endless({ repo }: Wanted, { path }: RemoteFile): LayerifError {
  return badRepo(
    repo,
    `${path} of ${repo.id} has no header in its first ${MOST_BYTES / 2 ** 20} MiB: its names lie among its weights, or it is damaged; download it and open the file`,
  );
}
