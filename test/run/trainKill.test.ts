/**
 * A training that is killed at any moment goes on behind its last saved step, and ends with the same factors, matrices,
 * losses and curve to the bit. Moments are calls by which engine or run change the file system (faults.mjs): one of
 * every kind by default, LAYERIF_ALL_FAULTS=1 takes them all.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TrainingResult } from '../../protocol/training.ts';
import type { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { trainExperiment } from '../../server/src/run/train/train.ts';
import { killAt, momentsOf, runApart, sampleOf, withFaultyEngine } from './withFault.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

const settings = 'steps: 3, batch_size: 4, learning_rate: 0.01, schedule: cosine, warmup_steps: 1, seed: 3';
const ways = {
  lora: `{ ${settings}, rank: 2, layers: "0-1" }`,
  full: `{ ${settings}, method: full, optimizer: adamw, layers: [1], modules: ["mlp.*"] }`,
};

type Target = 'engine' | 'run';

async function trainHere(file: string, pool: EnginePool): Promise<string> {
  try {
    await trainExperiment({ file, machine, engine: pool, checkpointSeconds: 0 });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** With a fault where it belongs: a process that dies is one of its own; an engine is new for every fault. */
async function trainWithFault(
  file: string,
  target: Target,
  fault: string,
): Promise<{ message: string; killed: boolean }> {
  if (target === 'engine') {
    const message = await withFaultyEngine(fault, (pool) => trainHere(file, pool));
    return { message, killed: /the engine ended with signal SIGKILL/.test(message) };
  }
  const { signal, stderr } = await runApart('trainOnce.ts', [file], fault);
  return { message: stderr.trim().split('\n').at(-1) ?? '', killed: signal === 'SIGKILL' };
}

/** The only run of a folder: its result and the bytes of what it wrote; null where nothing is written yet. */
function outcome(folder: string) {
  const parent = path.join(folder, 'runs', 'tiny');
  const runs = fs.existsSync(parent) ? fs.readdirSync(parent) : [];
  assert.ok(runs.length <= 1, 'the interrupted training was resumed, not begun again');
  const run = path.join(parent, runs[0] ?? '');
  const file = path.join(run, 'tiny.layerif-training.json');
  if (!fs.existsSync(file)) return null;
  const { status, curve, learningRates, train, validation, output } = JSON.parse(
    fs.readFileSync(file, 'utf8'),
  ) as TrainingResult;
  if (status !== 'complete') return null;
  const written = path.join(run, output);
  const bytes = fs
    .readdirSync(written)
    .filter((name) => name.endsWith('.safetensors'))
    .map((name) => [name, fs.readFileSync(path.join(written, name)).toString('base64')]);
  assert.ok(bytes.length > 0);
  return { curve, learningRates, train, validation, bytes };
}

/** A way's workspace and run without a fault, with the moments that the target had in it. */
async function counted(t: TestContext, way: keyof typeof ways, target: Target) {
  const { folder, experiment } = tinyWorkspace(t, { layers: 2 });
  fs.appendFileSync(experiment, `\ntrain: ${ways[way]}\n`);
  const counter = path.join(folder, 'calls');
  assert.equal((await trainWithFault(experiment, target, `count ${target} ${counter}`)).message, '');
  const whole = outcome(folder)!;
  assert.equal(whole.curve.length, 3);
  return { folder, experiment, whole, moments: momentsOf(counter) };
}

for (const target of ['engine', 'run'] as const) {
  test(`killed at writes of the ${target}, resumed, the same to the bit`, async (t) => {
    const runs = { lora: await counted(t, 'lora', target), full: await counted(t, 'full', target) };
    const samples = sampleOf(runs);
    for (const [way, { folder, experiment, whole, moments }] of Object.entries(runs)) {
      await t.test(way, async (t) => {
        let tried = 0;
        for (const moment of samples[way]) {
          const words = `killed at ${moment.kind}, ${moment.nth}`;
          fs.rmSync(path.join(folder, 'runs'), { recursive: true });
          const { killed, message } = await trainWithFault(experiment, target, killAt(target, moment));
          // What is written by the clock may be fewer calls.
          if (message === '' && !killed) continue;
          assert.ok(killed, `${words}: ${message}`);
          tried++;
          if (outcome(folder) === null) assert.equal(await trainHere(experiment, engine), '', words);
          assert.deepEqual(outcome(folder), whole, words);
        }
        assert.ok(tried >= 2, `${tried} moments`);
        t.diagnostic(`${tried} of ${moments.length} moments`);
      });
    }
  });
}
