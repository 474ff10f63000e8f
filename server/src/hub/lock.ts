/**
 * One worker at a time on a file or folder, among LayerIF's processes on this machine or on another that shares the
 * disk: a lock file that says who has it and that its owner touches while it works.
 *
 * A lock is free again when its process is gone (on this machine), or when nobody has touched it for five minutes
 * (another machine, which may be switched off; a number that another process has by now; a file that cannot be read).
 * Should two processes ever hold a lock at once, because a disk does not know exclusive creation, results are still
 * whole files: they are written aside and renamed.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const TOUCH_MS = 5_000;
const STALE_MS = 5 * 60_000;
const POLL_MS = 200;

/** Who has a lock. */
export interface LockOwner {
  host: string;
  pid: number;
  /** UTC. */
  since: string;
  command: string;
}

/**
 * @param onWait called, again and again, while another process has the lock; null: its owner cannot be read
 * @throws what `work` throws; the signal's reason while waiting; what the disk refuses
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
  onWait: (owner: LockOwner | null) => void = () => undefined,
): Promise<T> {
  while (!takeLock(file)) {
    signal?.throwIfAborted();
    onWait(lockOwner(file));
    await sleep(POLL_MS, undefined, signal ? { signal } : {});
  }
  try {
    return await work();
  } finally {
    releaseLock(file);
  }
}

/**
 * False when another has it. Whoever took it holds it until `releaseLock`, or until the process or the file is gone.
 */
export function takeLock(file: string): boolean {
  const free = freeIfStale(file);
  if (!free) return false;
  const owner: LockOwner = {
    host: os.hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
    command: commandLine(),
  };
  if (!create(file, JSON.stringify(owner))) return false;
  const touch = setInterval(() => {
    const now = new Date();
    fs.utimes(file, now, now, (error) => {
      if (error) clearInterval(touch); // gone with its folder
    });
  }, TOUCH_MS);
  touch.unref();
  touching.get(file)?.();
  touching.set(file, () => clearInterval(touch));
  return true;
}

export function releaseLock(file: string): void {
  if (!touching.has(file)) return;
  touching.get(file)!();
  touching.delete(file);
  if (isOwn(lockOwner(file))) fs.rmSync(file, { force: true });
}

/** Null where there is no lock, or one that cannot be read. */
export function lockOwner(file: string): LockOwner | null {
  try {
    const read = JSON.parse(fs.readFileSync(file, 'utf8')) as unknown;
    // A bare number: the process that has it, on this machine.
    if (typeof read === 'number') return { host: os.hostname(), pid: read, since: '', command: '' };
    const { host, pid, since, command } = read as Partial<LockOwner>;
    if (typeof host !== 'string' || typeof pid !== 'number') return null;
    return { host, pid, since: String(since ?? ''), command: String(command ?? '') };
  } catch {
    return null; // gone, or being written
  }
}

/** Whether this very process has it. */
export function isOwn(owner: LockOwner | null): boolean {
  return owner !== null && owner.host === os.hostname() && owner.pid === process.pid;
}

/** `process 4711 on host (layerif score x.yaml, since 2026-01-01T12:00:00Z)` */
export function ownerText(owner: LockOwner | null): string {
  if (owner === null) return 'another process';
  const more = [owner.command, owner.since && `since ${owner.since}`].filter(Boolean).join(', ');
  return `process ${owner.pid} on ${owner.host}${more ? ` (${more})` : ''}`;
}

/**
 * Makes a file that is whole as soon as it is there: a process that is killed leaves no lock without an owner, which
 * others would wait for. Only a disk without hard links gets it in two steps. @returns false when there is one
 */
function create(file: string, text: string): boolean {
  const aside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    fs.writeFileSync(aside, text);
    try {
      fs.linkSync(aside, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      fs.writeFileSync(file, text, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

/** What ends the touching of the locks that this process holds. */
const touching = new Map<string, () => void>();

/** True when there is no lock, after a stale one was removed. */
function freeIfStale(file: string): boolean {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat) return true;
  const owner = lockOwner(file);
  const isHere = owner?.host === os.hostname();
  const isStale = Date.now() - stat.mtimeMs > STALE_MS || (isHere && !isAlive(owner.pid));
  if (!isStale) return false;
  // Two that wait may both see it: it is set aside under a name of one's own, and put back when it is not the one that
  // was judged.
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return false; // the other one was first
  }
  const same = fs.statSync(aside).ino === stat.ino && fs.statSync(aside).mtimeMs === stat.mtimeMs;
  if (!same) {
    try {
      fs.linkSync(aside, file);
    } catch {
      // A third one has it by now.
    }
  }
  fs.rmSync(aside, { force: true });
  return same;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function commandLine(): string {
  const [, program = '', ...rest] = process.argv;
  return [path.basename(program).replace(/\.c?js$/, ''), ...rest].join(' ').slice(0, 200);
}
