/** One command at a time on an output: a second one waits, and says for whom. */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { ownerText, withLock } from '../../hub/lock.ts';
import { cannotWrite, makeFolder } from '../../files/writing.ts';

export interface Waiting {
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * @param file of the lock; its folder is made
 * @param output what both would write, for the line
 * @throws LayerifError `cancelled` while waiting, `cannotWrite`; what `work` throws
 */
export async function alone<T>(
  file: string,
  output: string,
  { onProgress, signal }: Waiting,
  work: () => Promise<T>,
): Promise<T> {
  makeFolder(path.dirname(file));
  let said = false;
  let started = false;
  try {
    return await withLock(
      file,
      () => {
        started = true;
        return work();
      },
      signal,
      (owner) => {
        if (!said)
          onProgress?.({ done: 0, total: 1, message: `waiting for ${ownerText(owner)}, which writes ${output}` });
        said = true;
      },
    );
  } catch (error) {
    if (started) throw error;
    if (signal?.aborted) throw new LayerifError('cancelled', 'cancelled');
    throw cannotWrite(file, error);
  }
}
