/**
 * A run that is killed at any moment is resumed, and the resumed result equals the uninterrupted one exactly. Every
 * call by which engine or run change the file system is a moment (test/run/faults.mjs): writes of spilled activations,
 * Grams, exact Grams of the projection's check, saved cotangents, losses, merged Grams and results, half written, and
 * every rename between them. By default every kind of call once, dealt out to the ways to influence that make it;
 * LAYERIF_ALL_FAULTS=1 takes all calls in all ways.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Result } from '../../protocol/result.ts';
import { planTasks } from '../../server/src/run/influence/plan.ts';
import type { TaskPlan } from '../../server/src/run/influence/plan.ts';
import { scoreExperiment } from '../../server/src/run/influence/score.ts';
import { prepare } from '../../server/src/run/inputs/prepare.ts';
import type { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { killAt, momentsOf, runApart, sampleOf, withFaultyEngine } from './withFault.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

interface Outcome {
  status: number | null;
  signal: string | null;
  message: string;
}

/** Scores in this process, saving its state at every segment boundary. */
async function scoreHere(experiment: string, memoryBytes: number, pool: EnginePool): Promise<Outcome> {
  try {
    await scoreExperiment({
      file: experiment,
      machine: { ...machine, memoryBytes },
      engine: pool,
      checkpointSeconds: 0,
    });
    return { status: 0, signal: null, message: '' };
  } catch (error) {
    return { status: 1, signal: null, message: (error as Error).message };
  }
}

type Target = 'engine' | 'run';

/** Scores where the fault belongs: a process that dies is one of its own; an engine always is, new for every fault. */
async function scoreWithFault(
  experiment: string,
  memoryBytes: number,
  target: Target,
  fault: string,
): Promise<Outcome> {
  if (target === 'engine') return withFaultyEngine(fault, (pool) => scoreHere(experiment, memoryBytes, pool));
  const { status, signal, stderr } = await runApart('scoreOnce.ts', [experiment, String(memoryBytes)], fault);
  return { status, signal, message: stderr.trim().split('\n').at(-1) ?? '' };
}

function runs(folder: string): string[] {
  const parent = path.join(folder, 'runs', 'tiny');
  const names = fs.existsSync(parent) ? fs.readdirSync(parent) : [];
  // A lock may be left.
  return names.filter((name) => !name.startsWith('.')).map((run) => path.join(parent, run));
}

/** What the only run of a folder computed. */
function outcome(folder: string, words = '') {
  const all = runs(folder);
  assert.equal(all.length, 1, `the interrupted run was resumed, not begun again${words}`);
  const result = JSON.parse(fs.readFileSync(path.join(all[0], 'tiny.layerif-result.json'), 'utf8')) as Result;
  assert.equal(result.status, 'complete');
  const grams = fs.readFileSync(path.join(all[0], 'grams.safetensors')).toString('base64');
  return { tasks: result.tasks, projection: result.score.projection, grams, files: fs.readdirSync(all[0]).sort() };
}

/** Ways to influence: what the section `score` says, training samples, and which of the smaller plans is wanted. */
const ways: Record<string, { says: string; train: number; wanted: (plan: TaskPlan['plan']) => boolean }> = {
  'projection none': { says: 'projection: none', train: 4, wanted: ({ boundaries }) => boundaries === 'files' },
  'projection 4': { says: 'projection: 4', train: 4, wanted: ({ boundaries }) => boundaries === 'files' },
  // Some captures are computed twice.
  sums: {
    says: 'accumulate: sums',
    train: 20,
    wanted: ({ boundaries, sums, batches }) => boundaries === 'files' && sums!.held < batches.train.length,
  },
};

/** A workspace with one small task, and the memory limit at which its activations go to files. */
async function workspace(t: TestContext, way: string): Promise<Workspace & { memoryBytes: number }> {
  const { says, train, wanted } = ways[way];
  const made = tinyWorkspace(t, { layers: 2, train });
  const text = fs.readFileSync(made.experiment, 'utf8');
  const [before, after] = [text.indexOf('  - task: capital'), text.indexOf('score:')];
  fs.writeFileSync(made.experiment, `${text.slice(0, before)}${text.slice(after)}  ${says}\n`);
  const prepared = await prepare(made.experiment);
  let memoryBytes = Infinity;
  for (let tries = 0; tries < 80; tries++) {
    const [plan] = planTasks(prepared, { memoryBytes, diskBytes: Infinity });
    if (wanted(plan.plan)) return { ...made, memoryBytes: plan.memoryBytes };
    memoryBytes = plan.memoryBytes - 1;
  }
  throw new Error('no plan has its activations in files');
}

/** A way's workspace and run without a fault, with the moments that the target had in it. */
async function counted(t: TestContext, way: string, target: Target) {
  const made = await workspace(t, way);
  const counter = path.join(made.folder, 'calls');
  assert.equal(
    (await scoreWithFault(made.experiment, made.memoryBytes, target, `count ${target} ${counter}`)).message,
    '',
  );
  const whole = outcome(made.folder);
  assert.deepEqual(whole.files, ['grams.safetensors', 'tiny.layerif-result.json']);
  const moments = momentsOf(counter);
  assert.ok(moments.length > 10, `${moments.length} calls`);
  return { ...made, whole, moments };
}

for (const target of ['engine', 'run'] as const) {
  test(`killed at writes of the ${target}, resumed, the same result`, async (t) => {
    const runsOf: Record<string, Awaited<ReturnType<typeof counted>>> = {};
    for (const way of Object.keys(ways)) runsOf[way] = await counted(t, way, target);
    const samples = sampleOf(runsOf);
    for (const [way, { folder, experiment, memoryBytes, whole, moments }] of Object.entries(runsOf)) {
      await t.test(way, async (t) => {
        let tried = 0;
        for (const moment of samples[way]) {
          const words = `killed at ${moment.kind}, ${moment.nth}`;
          fs.rmSync(path.join(folder, 'runs'), { recursive: true });
          const killed = await scoreWithFault(experiment, memoryBytes, target, killAt(target, moment));
          // Results under way are written by the clock, so the last moments may lie behind the end.
          if (killed.status === 0) continue;
          if (target === 'run') assert.equal(killed.signal, 'SIGKILL', `${words}: ${killed.message}`);
          else assert.match(killed.message, /the engine ended with signal SIGKILL/, words);
          tried++;
          // The result was in place, and only the clearing up is missing: nothing to resume.
          const [run] = runs(folder);
          const result = run && path.join(run, 'tiny.layerif-result.json');
          const finished =
            result &&
            fs.existsSync(result) &&
            (JSON.parse(fs.readFileSync(result, 'utf8')) as Result).status === 'complete';
          if (!finished) {
            const resumed = await scoreHere(experiment, memoryBytes, engine);
            assert.equal(resumed.status, 0, `${words}: ${resumed.message}`);
          }
          const { files, ...numbers } = outcome(folder, `, ${words}`);
          const { files: wholeFiles, ...wholeNumbers } = whole;
          assert.deepEqual(numbers, wholeNumbers, words);
          if (!finished) assert.deepEqual(files, wholeFiles, words);
        }
        assert.ok(tried > 3, `${tried} moments`);
        t.diagnostic(`${tried} of ${moments.length} moments`);
      });
    }
  });
}

test('a full disk: one message that says so, and the run goes on from where it was', async (t) => {
  const { folder, experiment, memoryBytes } = await workspace(t, 'projection none');
  const counter = path.join(folder, 'calls');
  for (const target of ['engine', 'run'] as const) {
    fs.rmSync(counter, { force: true });
    fs.rmSync(path.join(folder, 'runs'), { recursive: true, force: true });
    const count = await scoreWithFault(experiment, memoryBytes, target, `count ${target} ${counter}`);
    assert.equal(count.message, '');
    const whole = outcome(folder);
    const calls = momentsOf(counter).length;
    const step = process.env.LAYERIF_ALL_FAULTS ? 1 : Math.ceil(calls / 4);
    for (let call = 3; call < calls - 6; call += step) {
      fs.rmSync(path.join(folder, 'runs'), { recursive: true });
      const full = await scoreWithFault(experiment, memoryBytes, target, `full ${target} ${call}`);
      assert.equal(full.status, 1, `call ${call}`);
      assert.match(full.message, /disk is full.*run again|no space left.*run again/, `call ${call}`);
      const resumed = await scoreHere(experiment, memoryBytes, engine);
      assert.equal(resumed.status, 0, `call ${call}: ${resumed.message}`);
      assert.deepEqual(outcome(folder), whole, `full at call ${call} of ${calls}`);
    }
  }
});
