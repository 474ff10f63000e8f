/**
 * The memory that is available differs from one start to the next, and with it the plan: exact gradients, then
 * projected ones, then exact ones again. Whatever was finished under another plan never gets into a result.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { planTasks } from '../../server/src/run/influence/plan.ts';
import { prepare } from '../../server/src/run/inputs/prepare.ts';
import { machine, numbersOf, score, tinyWorkspace } from './workspace.ts';

const EXACT_BYTES = 1e9;

/** The largest limit, in steps of 4 MB, at which every task is projected and fits. */
async function projectedLimit(experiment: string): Promise<number> {
  const prepared = await prepare(experiment);
  try {
    for (let memoryBytes = 400e6; memoryBytes > 200e6; memoryBytes -= 4e6) {
      const plans = planTasks(prepared, { memoryBytes, diskBytes: Infinity });
      if (plans.every((plan) => plan.plan.projection !== null && plan.memoryBytes <= memoryBytes)) return memoryBytes;
    }
  } finally {
    prepared.checkpoint.close();
  }
  throw new Error('no limit forces a projection');
}

test('exact, interrupted; projected, interrupted; then exact or projected: as if never interrupted', async (t) => {
  const { folder, experiment } = tinyWorkspace(t, { layers: 3, hidden: 256, intermediate: 2048, train: 12 });
  const projectedBytes = await projectedLimit(experiment);
  const at = (memoryBytes: number) => ({ machine: { ...machine, memoryBytes }, checkpointSeconds: 0 });
  const grams = (resultFile: string) => fs.readFileSync(path.join(path.dirname(resultFile), 'grams.safetensors'));
  /** Stops after some layers. @returns what was logged */
  const interrupted = async (memoryBytes: number, layers: number): Promise<string[]> => {
    const abort = new AbortController();
    const logs: string[] = [];
    let seen = 0;
    await assert.rejects(
      score(experiment, {
        ...at(memoryBytes),
        signal: abort.signal,
        onEvent: (event) => {
          if (event.type === 'log') logs.push(event.text);
          if (event.type === 'layers' && ++seen === layers) abort.abort();
        },
      }),
      { code: 'cancelled' },
    );
    return logs;
  };
  const told = (logs: readonly string[]) =>
    logs.filter((text) => /had another plan .* removed and computed anew$/.test(text));

  for (const [last, projection] of [
    [EXACT_BYTES, null],
    [projectedBytes, 64],
  ] as const) {
    const whole = await score(experiment, { ...at(last), outputDir: 'elsewhere' });
    assert.equal(whole.result.score.projection?.rank ?? null, projection);
    // Into the second task: one whole task and a part of the next have to go.
    assert.deepEqual(told(await interrupted(EXACT_BYTES, 4)), []);
    assert.equal(told(await interrupted(projectedBytes, 1)).length, 1);
    const resumed = await score(experiment, at(last));
    const logs = resumed.events.flatMap((event) => (event.type === 'log' ? [event.text] : []));
    assert.equal(told(logs).length, 1, logs.join('\n'));
    assert.deepEqual(numbersOf(resumed.result), numbersOf(whole.result));
    assert.deepEqual(resumed.result.score, whole.result.score);
    assert.ok(grams(resumed.resultFile).equals(grams(whole.resultFile)), 'the same Grams, to the last bit');
    assert.deepEqual(fs.readdirSync(path.dirname(resumed.resultFile)).sort(), [
      'grams.safetensors',
      'tiny.layerif-result.json',
    ]);
    for (const output of ['runs', 'elsewhere']) fs.rmSync(path.join(folder, output), { recursive: true });
  }
});
