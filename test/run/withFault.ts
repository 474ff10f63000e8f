/** Runs whose file system fails at a chosen call (faults.mjs): in an engine of this process, or in a process apart. */
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Random } from '../../server/src/random/random.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { groupIsAlive } from '../lsp/descendants.ts';

/** A call that changes the file system: the nth of its kind (faults.mjs) in a process. */
export interface Moment {
  kind: string;
  nth: number;
}

/** All moments of a process, in order. @param counter what `count` wrote */
export function momentsOf(counter: string): Moment[] {
  const met = new Map<string, number>();
  const kinds = fs.readFileSync(counter, 'utf8').trimEnd().split('\n');
  return kinds.map((kind) => {
    const nth = (met.get(kind) ?? 0) + 1;
    met.set(kind, nth);
    return { kind, nth };
  });
}

/**
 * Moments to try of several ways to compute something: one of every kind, drawn, and a kind that several ways have in
 * one of them; all of them with LAYERIF_ALL_FAULTS=1.
 */
export function sampleOf(ways: Readonly<Record<string, { moments: readonly Moment[] }>>): Record<string, Moment[]> {
  const all = Object.entries(ways).map(([way, { moments }]) => [way, moments] as const);
  if (process.env.LAYERIF_ALL_FAULTS) return Object.fromEntries(all.map(([way, moments]) => [way, [...moments]]));
  const random = new Random(1);
  const sample: Record<string, Moment[]> = Object.fromEntries(all.map(([way]) => [way, []]));
  const kinds = new Set(all.flatMap(([, moments]) => moments.map(({ kind }) => kind)));
  for (const [i, kind] of [...kinds].sort().entries()) {
    const able = all
      .map(([way, moments]) => [way, moments.filter((moment) => moment.kind === kind)] as const)
      .filter(([, same]) => same.length > 0);
    const [way, same] = able[i % able.length];
    sample[way].push(same[random.integer(same.length)]);
  }
  return sample;
}

/** The fault that ends a process at a moment. */
export const killAt = (target: 'engine' | 'run', { kind, nth }: Moment): string => `kill ${target} ${nth} ${kind}`;

/** What a process needs to fail. @param fault `kill engine 17`, see faults.mjs */
function environmentOf(fault: string): Record<string, string> {
  const faults = pathToFileURL(path.join(import.meta.dirname, 'faults.mjs')).href;
  return { NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import ${faults}`, LAYERIF_TEST_FAULT: fault };
}

/**
 * A script of this folder in a process of its own, which may be killed. Its engine ends by itself a moment later: this
 * waits for it, so that nothing writes into the folder of the run any more.
 */
export async function runApart(
  script: string,
  words: readonly string[],
  fault: string,
): Promise<SpawnSyncReturns<string>> {
  const options = { encoding: 'utf8' as const, env: { ...process.env, ...environmentOf(fault) }, detached: true };
  const outcome = spawnSync(process.execPath, [path.join(import.meta.dirname, script), ...words], options);
  while (groupIsAlive(outcome.pid)) await delay(20);
  return outcome;
}

/** Runs in this process with a new engine that fails. */
export async function withFaultyEngine<T>(fault: string, run: (engine: EnginePool) => Promise<T>): Promise<T> {
  const wanted = environmentOf(fault);
  const before = Object.keys(wanted).map((name) => [name, process.env[name]] as const);
  const engine = new EnginePool();
  Object.assign(process.env, wanted);
  try {
    return await run(engine);
  } finally {
    engine.dispose();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
