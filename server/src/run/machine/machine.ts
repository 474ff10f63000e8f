/** What the machine has: physical cores, memory that is free to use, disk. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Machine } from '../../../../protocol/run.ts';

/** Two threads on one core share its multiplier, so more threads than cores only cost. */
export function physicalCores(): number {
  const logical = os.availableParallelism();
  if (process.platform !== 'linux') return process.arch === 'x64' && logical > 2 ? Math.ceil(logical / 2) : logical;
  try {
    const cores = new Set<string>();
    for (const cpu of fs.readFileSync('/proc/cpuinfo', 'utf8').split('\n\n')) {
      const core = /^core id\s*:\s*(\d+)/m.exec(cpu)?.[1];
      if (core !== undefined) cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(cpu)?.[1]}/${core}`);
    }
    return cores.size > 0 ? Math.min(logical, cores.size) : logical;
  } catch {
    return logical;
  }
}

/** 75 % of what the process could still take, the default limit of a run, in bytes. */
export function defaultMemoryLimit(): number {
  return Math.floor(0.75 * (process.availableMemory?.() ?? os.freemem()));
}

/** Bytes that a run may take, as asked for or the default. */
export function memoryLimit({ memoryBytes }: Machine): number {
  return memoryBytes ?? defaultMemoryLimit();
}

export interface Limits {
  memoryBytes: number;
  diskBytes: number;
}

/** Of a run whose files go to `folder`. */
export function limitsOf(machine: Machine, folder: string): Limits {
  return { memoryBytes: memoryLimit(machine), diskBytes: freeDisk(folder) };
}

/** Free bytes on the disk that holds `folder` or its nearest existing parent. */
export function freeDisk(folder: string): number {
  let existing = path.resolve(folder);
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = fs.statfsSync(existing);
  return bavail * bsize;
}
