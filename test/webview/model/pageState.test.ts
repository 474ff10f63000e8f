import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estimate } from '../../../protocol/run.ts';
import {
  defaultChoices,
  emptyView,
  reduceView,
  restoreChoices,
  taskIndex,
} from '../../../webview/src/model/pageState.ts';
import { sampleResult } from '../sampleResult.ts';

const result = sampleResult({ layers: 3, tasks: ['a', 'b'], train: 2, validation: 1 });
const running = {
  type: 'running',
  runId: '1',
  startedAt: 5,
  estimate: {} as Estimate,
  message: 'm',
  done: 1,
  total: 4,
} as const;

test('choices survive; what another version stored is dropped or replaced', () => {
  const choices = { ...defaultChoices, tab: 'run', layer: 7, normalised: false };
  assert.deepEqual(restoreChoices(JSON.parse(JSON.stringify(choices))), choices);
  assert.deepEqual(restoreChoices({ tab: 3, layer: 'x', unknown: 1, table: true }), { ...defaultChoices, table: true });
  for (const nothing of [undefined, null, 'text', 4]) assert.deepEqual(restoreChoices(nothing), defaultChoices);
});

test('a run keeps what is drawn until it has numbers of its own', () => {
  const first = reduceView(emptyView, { ...running, result: null });
  assert.equal(first.phase, 'running');
  assert.equal(first.result, null);
  const second = reduceView(first, { ...running, result });
  const third = reduceView(second, { ...running, done: 2, result: null });
  assert.equal(third.result, result);
  assert.equal(third.run?.done, 2);
  const other = reduceView(third, { ...running, runId: '2', result: null });
  assert.equal(other.result, null, 'numbers of another run are not shown under the new one');
});

test('result, failure and idle are complete snapshots', () => {
  const live = reduceView(emptyView, { ...running, result });
  assert.deepEqual(reduceView(live, { type: 'result', result, file: 'f' }), {
    phase: 'done',
    result,
    run: null,
    message: '',
    trust: null,
    scores: null,
  });
  assert.deepEqual(reduceView(live, { type: 'failed', message: 'x' }), {
    phase: 'failed',
    result: null,
    run: null,
    message: 'x',
    trust: null,
    scores: null,
  });
  assert.equal(reduceView(live, { type: 'idle' }).result, null);
  assert.equal(reduceView(live, { type: 'samples', requestId: 1, answer: { samples: [] } }), live);
});

test('a remembered task that this result does not have falls back to the first', () => {
  assert.equal(taskIndex(result, { ...defaultChoices, task: 'b' }), 1);
  assert.equal(taskIndex(result, { ...defaultChoices, task: 'gone' }), 0);
});
