/** Processes below one, of the server its workers, of a worker the engine; and whether processes still run. */
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

/**
 * Whether a process runs. One that has ended and waits for its parent to hear of it does not: of an orphan the system's
 * first process hears late or never.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return stateOf(String(pid))?.state !== 'Z';
}

/** Whether a process of the group runs. */
export function groupIsAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (!fs.existsSync('/proc/self/stat')) return true;
  const states = fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(stateOf);
  return states.some((one) => one !== null && one.group === group && one.state !== 'Z');
}

/** State letter and process group; null where the system does not tell, or the process is gone. */
function stateOf(pid: string): { state: string; group: number } | null {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before it, in brackets, may have spaces.
    const [state, , group] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, group: Number(group) };
  } catch {
    return null;
  }
}

/** Which of these processes took most processor time in the last tenth of a second. */
export async function busiest(pids: readonly number[]): Promise<number> {
  const ticks = (pid: number): number => Number(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13]);
  const before = pids.map(ticks);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const took = pids.map((pid, i) => ticks(pid) - before[i]);
  return pids[took.indexOf(Math.max(...took))];
}
