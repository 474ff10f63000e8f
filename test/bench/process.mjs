/**
 * Runs one command and measures it from outside: wall time of the whole process; CPU time and peak memory of the process with all
 * its children, read from /proc (Linux) every 50 ms; elsewhere these are null.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';

/** Kilobytes of one line of /proc/<pid>/status, or 0 when the process is gone. */
function statusKilobytes(status, key) {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status);
  return match ? Number(match[1]) : 0;
}

function descendants(root) {
  const children = new Map();
  for (const entry of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // The second field is the name in parentheses, which may itself hold spaces and parentheses.
      const parent = Number(
        fs
          .readFileSync(`/proc/${entry}/stat`, 'utf8')
          .replace(/^.*\) \S /s, '')
          .split(' ')[0],
      );
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch {
      // ended between readdir and read
    }
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i]) ?? []));
  return found;
}

const sum = (map) => [...map.values()].reduce((a, b) => a + b, 0);

/** User and system seconds of one process so far; Linux counts in hundredths. */
function cpuSeconds(pid) {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Watches a process tree. `peak()`: the sum of every process's own high-water mark (an upper bound of the true peak). */
function watch(pid) {
  if (process.platform !== 'linux') return { stop() {}, peak: () => null, cpuSeconds: () => null };
  const resident = new Map();
  const cpu = new Map();
  let anonymous = 0;
  const look = () => {
    let now = 0;
    for (const one of descendants(pid)) {
      try {
        const status = fs.readFileSync(`/proc/${one}/status`, 'utf8');
        resident.set(one, Math.max(resident.get(one) ?? 0, statusKilobytes(status, 'VmHWM')));
        now += statusKilobytes(status, 'RssAnon');
        cpu.set(one, Math.max(cpu.get(one) ?? 0, cpuSeconds(one)));
      } catch {
        // ended
      }
    }
    anonymous = Math.max(anonymous, now);
  };
  const timer = setInterval(look, 50);
  return {
    stop: () => clearInterval(timer),
    peak: () => ({ resident: sum(resident) * 1024, anonymous: anonymous * 1024 }),
    cpuSeconds: () => sum(cpu),
  };
}

/**
 * @param {string[]} command
 * @param {{ cwd?: string, env?: Record<string, string> }} options `env` is added to this process's own
 * @returns stdout, wall and CPU seconds of the process, peak bytes (resident, anonymous); null where they are not known
 * @throws Error with the end of standard error when the exit code is not 0
 */
export async function measured(command, { cwd, env } = {}) {
  const began = performance.now();
  const child = spawn(command[0], command.slice(1), {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watched = watch(child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr = (stderr + chunk).slice(-4000)));
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  watched.stop();
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${stderr}`);
  const processSeconds = (performance.now() - began) / 1000;
  return { stdout, processSeconds, cpuSeconds: watched.cpuSeconds(), peak: watched.peak() };
}

/** The JSON on the last line of what a contestant printed. */
export function lastJson(stdout) {
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
