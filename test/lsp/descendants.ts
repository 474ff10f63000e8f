/** The processes below one: of the server its workers, of a worker the engine. */
import fs from 'node:fs';

/** Ids of the children of `pid` and of theirs; none where the system does not tell (only Linux does). */
export function descendants(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (!fs.existsSync(list)) return [];
  const children = fs.readFileSync(list, 'utf8').split(/\s+/).filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** The engine's entry stands in its command line. */
export function isEngine(pid: number): boolean {
  return /engine(Main)?\.(c?js|ts)/.test(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
