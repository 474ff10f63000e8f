import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from '../../extension/src/resultFile.ts';
import { badgeTitle, groupRuns, kindOf, newestShown, runDescription, runsOf } from '../../extension/src/runTree.ts';
import type { RunFacts } from '../../extension/src/runTree.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const MINUTE = 60_000;

function run(path: string, time: number, change: Partial<RunFacts> & { estimator?: 'fisher'; finished?: number } = {}) {
  const { estimator, finished, ...rest } = change;
  const result = sampleResult({ layers: 6, tasks: ['a', 'b'], train: 8, validation: 4, finished });
  if (estimator) result.experiment.score.estimator = estimator;
  const facts: RunFacts = { path, kind: 'result', time, summary: summarise(result), label: '', pinned: false };
  return { ...facts, ...rest };
}

test('files of one run are one entry, its result first', () => {
  const at = (name: string, mtime: number) => ({ path: `/w/runs/tiny/20261130T000000Z-aaaaaa/${name}`, mtime });
  const runs = runsOf([
    at('tiny.layerif-scores.json', 5),
    at('tiny.layerif-result.json', 4),
    at('tiny.layerif-allocation.json', 9),
    { path: '/w/runs/tiny/20261130T000100Z-bbbbbb/tiny.layerif-validation.json', mtime: 7 },
    { path: '/w/copies/other.layerif-result.json', mtime: 1 },
    { path: '/w/copies/tiny.layerif-result.json', mtime: 2 },
    { path: '/w/package.json', mtime: 3 },
  ]);
  assert.deepEqual(
    runs.map(({ main, beside }) => [main.kind, main.mtime, beside.map(({ kind }) => kind)]),
    [
      ['validation', 7, []],
      ['result', 4, ['scores', 'allocation']],
      ['result', 2, []],
      ['result', 1, []],
    ],
  );
  assert.equal(kindOf('/w/tiny.layerif-pruning-comparison.json'), 'comparison');
  assert.equal(kindOf('/w/layerif-pruning.json'), null);
});

test('runs stand under their experiment and are told from the run before', () => {
  const groups = groupRuns([
    run('/w/runs/tiny/r1/tiny.layerif-result.json', 1),
    run('/w/runs/tiny/r3/tiny.layerif-result.json', 3, { estimator: 'fisher' }),
    run('/w/runs/tiny/r2/tiny.layerif-validation.json', 2, { kind: 'validation', summary: null }),
    run('/w/runs/tiny/r4/tiny.layerif-result.json', 4, { estimator: 'fisher' }),
    run('/w/runs/tiny/r5/tiny.layerif-result.json', 5, { label: 'before tuning', pinned: true }),
    run('/w/elsewhere/tiny/r6/tiny.layerif-result.json', 6),
  ]);
  assert.deepEqual(
    groups.map(({ name, folder, runs }) => [name, folder, runs.map(({ title }) => title)]),
    [
      ['tiny', '/w/elsewhere', ['a, b']],
      // Newest first but for the pinned one; the validation between two results is no run to tell them from.
      ['tiny', '/w/runs', ['before tuning', 'a, b', 'estimator fisher', 'Validation', 'a, b']],
    ],
  );
});

test('a pinned run stands first, whatever its age', () => {
  const [group] = groupRuns([
    run('/w/runs/tiny/r1/tiny.layerif-result.json', 1, { pinned: true }),
    run('/w/runs/tiny/r2/tiny.layerif-result.json', 2),
  ]);
  assert.deepEqual(
    group.runs.map((one) => one.run.time),
    [1, 2],
  );
});

test('a run is described by its badge, its age and how far it came', () => {
  const complete = run('/w/runs/tiny/r/tiny.layerif-result.json', 0);
  assert.equal(runDescription(complete, 3 * MINUTE), '3 min ago');
  complete.summary!.tasks = complete.summary!.tasks.map((task) => ({ ...task, badge: 'rough' }));
  assert.equal(runDescription(complete, 3 * MINUTE), 'rough · 3 min ago');
  const partial = run('/w/runs/tiny/r/tiny.layerif-result.json', 0, { finished: 0 });
  partial.summary!.status = 'partial';
  for (const task of partial.summary!.tasks) task.badge = null;
  assert.equal(runDescription(partial, 3 * MINUTE), '3 min ago · partial, no layer finished');
  partial.summary!.tasks[0].finished = 1;
  assert.equal(runDescription(partial, 3 * MINUTE), '3 min ago · partial, 1 layer');
});

test('a badge is said once where it is that of all tasks', () => {
  assert.equal(badgeTitle([{ badge: 'rough' }, { badge: 'rough' }]), 'rough');
  assert.equal(badgeTitle([{ badge: 'solid' }, { badge: 'unreadable' }]), 'solid, not readable');
  assert.equal(badgeTitle([{ badge: null }, { badge: null }]), '');
  assert.equal(badgeTitle([]), '');
});

test('a run cancelled before its first layer does not replace a good one', () => {
  const good = run('/w/runs/tiny/r1/tiny.layerif-result.json', 1);
  const empty = run('/w/runs/tiny/r2/tiny.layerif-result.json', 2, { finished: 0 });
  const scores = run('/w/runs/tiny/r3/tiny.layerif-scores.json', 3, { kind: 'scores', summary: null });
  assert.equal(newestShown([scores, empty, good]), good);
  assert.equal(newestShown([scores, empty]), empty);
  assert.equal(newestShown([scores]), null);
});
