/**
 * How a run ends, whatever its verb. What was opened is given back, the last first; what was thrown because of a cancel
 * is `cancelled`; and the finished file is written before the parts that it was made of are removed, so that a run that
 * is killed in between is repeated from its parts and never lost.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Written } from '../../../../protocol/provenance.ts';
import { writeJson } from './results.ts';

/** Says what is to be given back when the run ends, however it ends. */
export type OnEnd = (release: () => unknown) => void;

/**
 * @param work is told with its argument what is to be given back
 * @throws LayerifError `cancelled` in place of what a cancel made others throw; what `work` throws
 */
export async function untilEnd<T>(signal: AbortSignal | undefined, work: (onEnd: OnEnd) => Promise<T>): Promise<T> {
  const releases: (() => unknown)[] = [];
  try {
    return await work((release) => releases.unshift(release));
  } catch (error) {
    if (signal?.aborted && !(error instanceof LayerifError)) throw new LayerifError('cancelled', 'cancelled');
    throw error;
  } finally {
    for (const release of releases) await release();
  }
}

/**
 * Writes the file as complete, with the date of now, and removes the parts.
 * @throws LayerifError `cannotWrite`; the parts are there then
 */
export function complete(
  file: string,
  content: { status: 'partial' | 'complete'; provenance: Pick<Written, 'date'> },
  parts: { clear(): void },
): void {
  content.status = 'complete';
  content.provenance.date = new Date().toISOString();
  writeJson(file, content);
  parts.clear();
}
