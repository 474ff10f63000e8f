import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskProgress } from '../../server/src/run/influence/runProgress.ts';
import type { TaskPhase, TaskPlace } from '../../server/src/run/influence/runProgress.ts';
import { TimeLeft, leftWords } from '../../server/src/run/machine/timeLeft.ts';

const place: TaskPlace = {
  runId: 'r',
  task: 'sentiment',
  index: 0,
  tasks: 2,
  part: 0,
  parts: 1,
  layers: 30,
  layersPerSegment: 4,
  graph: false,
};
const at = (phase: TaskPhase, done: number, total: number, change: Partial<TaskPlace> = {}) => {
  const { message, done: finished } = taskProgress({ ...place, ...change }, { phase, done, total });
  return `${finished} ${message}`;
};

test('progress names task, its place among the tasks and the layer', () => {
  assert.equal(at('load', 1, 1), '0 sentiment, 1 of 2: reading weights');
  assert.equal(at('forward', 17_000, 68_820), '31 sentiment, 1 of 2: forward pass, 24 %');
  // 4 of 8 segments: 16 layers; the last segment has two.
  assert.equal(at('backward', 4, 8), '303 sentiment, 1 of 2: layer 16 of 30');
  assert.equal(at('backward', 8, 8), '480 sentiment, 1 of 2: layer 30 of 30');
  assert.equal(at('intervals', 0, 1, { index: 1 }), '980 sentiment, 2 of 2: intervals');
  assert.equal(at('backward', 1, 2, { tasks: 1, layersPerSegment: 15 }), '605 sentiment: layer 15 of 30');
  assert.equal(
    at('forward', 0, 10, { tasks: 1, part: 1, parts: 3 }),
    '333 sentiment, checkpoint 2 of 3: forward pass, 0 %',
  );
  assert.equal(at('backward', 3, 64, { graph: true, tasks: 1 }), '283 sentiment: sample 3 of 64');
});

test('progress never goes back and never stands at the end while there is work', () => {
  const steps: [TaskPhase, number, number][] = [
    ['load', 0, 1],
    ['load', 1, 1],
    ['forward', 0, 5],
    ['forward', 5, 5],
    ['backward', 0, 3],
    ['backward', 3, 3],
    ['intervals', 0, 1],
  ];
  let last = -1;
  for (let index = 0; index < 3; index++)
    for (let part = 0; part < 2; part++)
      for (const [phase, done, total] of steps) {
        if (phase === 'intervals' && part === 0) continue;
        const progress = taskProgress({ ...place, index, tasks: 3, part, parts: 2 }, { phase, done, total });
        assert.ok(progress.done >= last && progress.done < progress.total, `${phase} ${progress.done} after ${last}`);
        last = progress.done;
      }
});

test('time left counts what was done since the work of this total began', () => {
  const left = new TimeLeft();
  assert.equal(left.update({ done: 500, total: 1000 }, 0), null);
  assert.equal(left.update({ done: 510, total: 1000 }, 900), null, 'too early to tell');
  assert.equal(left.update({ done: 600, total: 1000 }, 4000), 16);
  assert.equal(left.update({ done: 0, total: 8 }, 5000), null, 'other work');
  assert.equal(left.update({ done: 4, total: 8 }, 9000), 4);
  assert.equal(left.update({ done: 8, total: 8 }, 10_000), null);
});

test('time left in words', () => {
  const rows: [number | null, string][] = [
    [null, ''],
    [0.2, 'about 5 seconds left'],
    [34, 'about 35 seconds left'],
    [50, 'about 1 minute left'],
    [100, 'about 2 minutes left'],
    [80 * 60, 'about 80 minutes left'],
    [3 * 3600, 'about 3 hours left'],
  ];
  for (const [seconds, words] of rows) assert.equal(leftWords(seconds), words);
});
