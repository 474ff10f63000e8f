/**
 * One download of a blob at a time among LayerIF's processes, on this machine or on another that shares the cache: a file that its
 * owner touches while it works. A lock that nobody has touched for a while, or whose process is gone, is taken over. Should two
 * processes ever hold it at once, they write the same bytes at the same places: the lock saves work, correctness does not need it.
 */
import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const TOUCH_MS = 5_000;
const STALE_MS = 60_000;
const POLL_MS = 200;

/**
 * @param onWait called while another process has the lock
 * @throws what `work` throws; the signal's reason while waiting
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
  onWait: () => void = () => undefined,
): Promise<T> {
  while (!take(file)) {
    signal?.throwIfAborted();
    onWait();
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  const touch = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now, () => undefined);
  }, TOUCH_MS);
  touch.unref();
  try {
    return await work();
  } finally {
    clearInterval(touch);
    fs.rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    fs.writeFileSync(file, JSON.stringify({ host: os.hostname(), pid: process.pid }), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (isStale(file)) fs.rmSync(file, { force: true }); // the next round takes it
  return false;
}

function isStale(file: string): boolean {
  try {
    if (Date.now() - fs.statSync(file).mtimeMs > STALE_MS) return true;
    const { host, pid } = JSON.parse(fs.readFileSync(file, 'utf8')) as { host?: unknown; pid?: unknown };
    return host === os.hostname() && typeof pid === 'number' && !isAlive(pid);
  } catch {
    return false; // gone, or being written
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
