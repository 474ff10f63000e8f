/** Whole runs of tracin over checkpoints, against the gradient dot product at each of them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { machine, numbersOf, score, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

/** The experiment over two checkpoints beside the model. */
function withCheckpoints({ folder, edit }: Workspace): void {
  for (const seed of [2, 3]) writeTinyLlama(path.join(folder, `step-${seed}`), { seed });
  const list =
    '  checkpoints:\n    - { path: step-2, learning_rate: 0.5 }\n    - { path: step-3, learning_rate: 0.25 }\n';
  edit('  estimator: tracin\n', `  estimator: tracin\n${list}`);
}

test('tracin is the sum of learning rate times dot over the checkpoints', async (t) => {
  const space = tinyWorkspace(t, { estimator: 'tracin' });
  withCheckpoints(space);
  const { result } = await score(space.experiment, { tasks: ['sentiment'] });
  const [task] = result.tasks;
  assert.deepEqual(
    task.checkpoints!.map(({ path: place, learningRate }) => [place, learningRate]),
    [
      ['step-2', 0.5],
      ['step-3', 0.25],
    ],
  );
  assert.notEqual(task.checkpoints![0].trainLoss, task.checkpoints![1].trainLoss);
  assert.equal(task.uncertainty!.curvature, 'none');

  const dot = tinyWorkspace(t, { estimator: 'dot' });
  const expected = task.influence.map((row) => row.map(() => 0));
  for (const [seed, rate] of [
    [2, 0.5],
    [3, 0.25],
  ]) {
    writeTinyLlama(dot.model, { seed });
    const one = await score(dot.experiment, { tasks: ['sentiment'] });
    one.result.tasks[0].influence.forEach((row, l) => row.forEach((b, i) => (expected[l][i] += rate * b)));
    if (seed === 3) assert.deepEqual(one.result.tasks[0].train.loss, task.train.loss, 'losses of the last checkpoint');
  }
  task.influence.forEach((row, l) => {
    const size = Math.max(...expected[l].map(Math.abs));
    row.forEach((b, i) => assert.ok(Math.abs(b - expected[l][i]) < 1e-9 * size, `${b}, expected ${expected[l][i]}`));
  });
});

test('killed within the second checkpoint, the resumed run takes the first one from disk and gives the same', async (t) => {
  const space = tinyWorkspace(t, { estimator: 'tracin' });
  withCheckpoints(space);
  const whole = await score(space.experiment, { outputDir: 'elsewhere', tasks: ['sentiment'] });
  const engine = new EnginePool();
  t.after(() => engine.dispose());
  const { pid } = await engine.start(machine);
  let killed = false;
  const onEvent = (event: { type: string; message?: string }) => {
    if (killed || event.type !== 'progress' || !/checkpoint 2 of 2: layer/.test(event.message ?? '')) return;
    killed = true;
    process.kill(pid, 'SIGKILL');
  };
  const options = { engine, checkpointSeconds: 0, tasks: ['sentiment'] };
  await assert.rejects(score(space.experiment, { ...options, onEvent }), { code: 'engineDied' });
  const resumed = await score(space.experiment, options);
  assert.ok(resumed.events[0].type === 'started' && resumed.events[0].resumed);
  const messages = resumed.events.flatMap((e) => (e.type === 'progress' ? [e.message] : []));
  assert.ok(messages.length > 0 && messages.every((message) => /checkpoint 2 of 2/.test(message)), messages[0]);
  assert.deepEqual(numbersOf(resumed.result), numbersOf(whole.result));
});

test('checkpoints that do not belong together are named', async (t) => {
  const space = tinyWorkspace(t, { estimator: 'tracin' });
  await assert.rejects(score(space.experiment), /list them under score\.checkpoints/);
  withCheckpoints(space);
  writeTinyLlama(path.join(space.folder, 'step-3'), { layers: 4 });
  await assert.rejects(score(space.experiment), /step-3 is another architecture than .*: layers 4, expected 3/);
  writeTinyLlama(path.join(space.folder, 'step-3'), { intermediate: 48 });
  await assert.rejects(
    score(space.experiment),
    /step-3 is another architecture than .*: mlp\.\w+ of layer 0 is \d+ x \d+, expected/,
  );
  fs.rmSync(path.join(space.folder, 'step-3'), { recursive: true });
  await assert.rejects(score(space.experiment), /step-3 does not exist/);
  space.edit('estimator: tracin', 'estimator: dot');
  await assert.rejects(score(space.experiment), /checkpoints are for the estimator tracin, not for dot/);
});
