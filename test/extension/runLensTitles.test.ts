import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estimate } from '../../protocol/run.ts';
import { runLensesOf } from '../../extension/src/runLensTitles.ts';
import { estimateWords } from '../../protocol/estimateWords.ts';
import type { RunState } from '../../extension/src/runState.ts';

const file = '/w/reviews.layerif.yaml';
const run = (change: Partial<RunState>) =>
  ({ experimentFile: file, done: 28, total: 100, end: null, ...change }) as unknown as RunState;
const titles = (state: RunState | null, hasResult = true) =>
  runLensesOf(file, state, hasResult).map(({ title, command }) => [title, command]);

const estimate = ['Estimate', 'layerif.estimate'];
const last = ['Open Last Result', 'layerif.openResult'];

test('during its own run an experiment can be cancelled, with how far it is; else opened and estimated', () => {
  assert.deepEqual(titles(run({})), [['Cancel (28 %)', 'layerif.cancelRun']]);
  assert.deepEqual(titles(run({ total: 0 })), [['Cancel', 'layerif.cancelRun']]);
  assert.deepEqual(titles(run({ experimentFile: '/w/other.layerif.yaml' })), [last, estimate]);
  assert.deepEqual(titles(run({ end: { kind: 'finished' } })), [last, estimate]);
  assert.deepEqual(titles(null, false), [estimate]);
});

test('an estimate says time, samples, memory and disk, or why it does not fit', () => {
  const found = {
    tasks: [
      { train: 300, validation: 50, tokens: 20_000 },
      { train: 10, validation: 2, tokens: 1000 },
    ],
    device: 'cpu',
    seconds: 190,
    memoryBytes: 1.5 * 2 ** 30,
    memoryLimitBytes: 8 * 2 ** 30,
    diskBytes: 300 * 2 ** 20,
    diskFreeBytes: 20 * 2 ** 30,
    refusal: null,
  } as unknown as Estimate;
  assert.equal(
    estimateWords('reviews', found),
    'Scoring reviews takes about 3 min on cpu: 362 samples, 21,000 tokens. It needs 1.5 GiB of 8.0 GiB memory and 300 MiB of 20.0 GiB disk.',
  );
  assert.match(
    estimateWords('reviews', { ...found, refusal: 'it needs 9 GiB' }),
    /tokens\. It does not fit: it needs 9 GiB$/,
  );
});
