import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRunning, percentage, reduceRun, runningMessage } from '../../extension/src/runState.ts';
import type { RunState } from '../../extension/src/runState.ts';
import type { Estimate, RunEvent } from '../../protocol/run.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const started: RunEvent = {
  type: 'started',
  runId: 'r1',
  experimentFile: '/w/a.layerif.yaml',
  resultFile: '/w/runs/a/r1/a.layerif-result.json',
  resumed: false,
  estimate: { seconds: 9 } as Estimate,
};
const progress = (runId: string, done: number): RunEvent => ({
  type: 'progress',
  runId,
  task: 't',
  phase: 'backward',
  done,
  total: 1000,
  message: `at ${done}`,
});
const result = sampleResult({ layers: 3, tasks: ['t'], train: 2, validation: 1 });

function play(events: RunEvent[]): RunState | null {
  return events.reduce<RunState | null>((state, event) => reduceRun(state, event, 77), null);
}

test('a run from its start to its end', () => {
  const begun = play([started]);
  assert.ok(isRunning(begun));
  assert.equal(begun.startedAt, 77);
  assert.equal(percentage(begun), null, 'no total yet');
  const later = play([started, progress('r1', 250), { type: 'layers', runId: 'r1', result }]);
  assert.ok(isRunning(later));
  assert.equal(percentage(later), 25);
  assert.equal(later.result, result);
  const ended = play([started, progress('r1', 250), { type: 'finished', runId: 'r1', resultFile: '/x', result }]);
  assert.equal(isRunning(ended), false);
  assert.deepEqual(ended?.end, { kind: 'finished' });
});

test('cancel is not a failure; a failure keeps its message and the layers that were finished', () => {
  const layers: RunEvent = { type: 'layers', runId: 'r1', result };
  assert.deepEqual(play([started, { type: 'failed', runId: 'r1', code: 'cancelled', message: 'c' }])?.end, {
    kind: 'cancelled',
  });
  const failed = play([started, layers, { type: 'failed', runId: 'r1', code: 'engineDied', message: 'it died' }]);
  assert.deepEqual(failed?.end, { kind: 'failed', message: 'it died' });
  assert.equal(failed?.result, result);
});

test('events of another run change nothing; a new start replaces the old run', () => {
  const state = play([started, progress('r1', 10)]);
  assert.equal(reduceRun(state, progress('r0', 999), 0), state);
  assert.equal(reduceRun(null, progress('r0', 999), 0), null);
  assert.equal(reduceRun(state, { ...started, runId: 'r2' }, 5)?.runId, 'r2');
});

test('percentages stay within 0 and 100', () => {
  for (const [done, expected] of [
    [-5, 0],
    [999, 99],
    [1000, 100],
    [4000, 100],
  ] as const)
    assert.equal(percentage(play([started, progress('r1', done)])!), expected);
});

test('a page gets the whole state of a run', () => {
  const message = runningMessage(play([started, progress('r1', 10)])!);
  assert.deepEqual(message, {
    type: 'running',
    runId: 'r1',
    startedAt: 77,
    estimate: started.estimate,
    message: 'at 10',
    done: 10,
    total: 1000,
    result: null,
  });
});
