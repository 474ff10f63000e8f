/** Runs whose file system fails at a chosen call (faults.mjs): in an engine of this process, or in a process apart. */
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';

/** What a process needs to fail. @param fault `kill engine 17`, see faults.mjs */
function environmentOf(fault: string): Record<string, string> {
  const faults = pathToFileURL(path.join(import.meta.dirname, 'faults.mjs')).href;
  return { NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import ${faults}`, LAYERIF_TEST_FAULT: fault };
}

/** Whether a process of the group is left. */
function groupLives(id: number): boolean {
  try {
    process.kill(-id, 0);
    return true;
  } catch {
    return false;
  }
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
  while (groupLives(outcome.pid)) await delay(20);
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
