/**
 * `score.until`: rows are added look by look. The last look has the numbers of a run on its rows at once; what ended it
 * is said; cancelled and killed runs go on; a run without the key never takes a grown one for its own.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Result } from '../../protocol/result.ts';
import { untilSentence } from '../../protocol/until.ts';
import { planTask } from '../../server/src/run/influence/plan.ts';
import { openRun } from '../../server/src/run/influence/rescore.ts';
import { levelFor } from '../../server/src/run/influence/until.ts';
import { prepare } from '../../server/src/run/inputs/prepare.ts';
import { tinyReviews } from '../tinyLlama.ts';
import { killAt, momentsOf, runApart } from './withFault.ts';
import { machine, score, tinyWorkspace, type Workspace } from './workspace.ts';

/** 24 rows that train and 10 that validate, in files of their own; of these the task names 6 and 3. */
function growing(t: TestContext, until: string, estimator = 'datainf'): Workspace {
  const workspace = tinyWorkspace(t, { train: 24, layers: estimator === 'ekfac' ? 8 : 3, estimator });
  const { folder, experiment, edit } = workspace;
  const rows = (count: number, from: number) =>
    tinyReviews(from + count)
      .slice(from)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join('');
  fs.writeFileSync(path.join(folder, 'data', 'reviews.jsonl'), rows(24, 0));
  fs.writeFileSync(path.join(folder, 'data', 'test.jsonl'), rows(10, 24));
  edit('path: data/reviews.jsonl', 'data_files: { train: data/reviews.jsonl, test: data/test.jsonl }');
  edit('train[:24]', 'train[:6]');
  edit('train[24:36]', 'test[:3]');
  const text = fs.readFileSync(experiment, 'utf8');
  const second = text.indexOf('  - task: capital');
  fs.writeFileSync(experiment, text.slice(0, second) + text.slice(text.indexOf('score:')));
  edit(`  estimator: ${estimator}\n`, `  estimator: ${estimator}\n  projection: none\n  until: ${until}\n`);
  return workspace;
}

const close = (got: number, right: number) => Math.abs(got / right - 1) < 1e-5;

function assertSame(got: Result, right: Result): void {
  const [a, b] = [got.tasks[0], right.tasks[0]];
  assert.deepEqual(a.train.rows, b.train.rows);
  assert.deepEqual(a.validation.rows, b.validation.rows);
  assert.ok(a.train.loss.every((loss, i) => close(loss, b.train.loss[i])));
  assert.ok(a.layers.every(({ score: own }, i) => close(own, b.layers[i].score)));
  const [scale, error] = [
    Math.max(...b.influence.flat().map(Math.abs)),
    Math.max(...a.influence.flatMap((row, l) => row.map((value, i) => Math.abs(value - b.influence[l][i])))),
  ];
  assert.ok(error < 1e-5 * scale);
}

/** The run on all rows of the last look at once. */
async function atOnce({ edit, experiment }: Workspace, until: string): Promise<Result> {
  edit(`  until: ${until}\n`, '');
  edit('train[:6]', 'train[:24]');
  edit('test[:3]', 'test[:10]');
  return (await score(experiment)).result;
}

for (const estimator of ['datainf', 'ekfac']) {
  test(`rows are added until the splits have no more, by ${estimator}: the numbers of all rows at once`, async (t) => {
    const until = '{ rank_interval: 0.01 }';
    const workspace = growing(t, until, estimator);
    const { result, resultFile, events } = await score(workspace.experiment);
    const [task] = result.tasks;
    assert.equal(result.status, 'complete');
    const { looks, ended, ...rest } = task.until!;
    assert.deepEqual(rest, { rankInterval: 0.01, rows: 2000, planned: 3 });
    assert.equal(ended, 'split');
    assert.deepEqual(
      looks.map(({ train, validation }) => [train, validation]),
      [
        [6, 3],
        [12, 6],
        [24, 10],
      ],
    );
    assert.ok(looks.every(({ open }) => open > task.layers.length / 3 && open <= task.layers.length));
    assert.equal(task.uncertainty!.level, levelFor(3));
    assert.equal(events.filter(({ type }) => type === 'finished').length, 1);
    const said = events.flatMap((event) => (event.type === 'progress' ? [event.message] : []));
    assert.ok(said.some((message) => message.startsWith('sentiment, look 3 of at most 3: layer ')));
    assert.match(untilSentence(task)!, /^The order is not settled: with 24 × 10 samples .* no further rows/);
    const { total = 0, forward = 0, backward = 0, grams: products = 0 } = result.provenance.seconds;
    assert.ok(total >= forward + backward + products, 'the time of all looks');
    const { grams } = openRun(resultFile);
    assert.equal(grams.layer('sentiment', 0)[0].grams.n, 24);
    assertSame(result, await atOnce(workspace, until));
  });
}

test('settled at the first look: nothing is added, and nothing is computed again', async (t) => {
  const { experiment } = growing(t, '{ rank_interval: 1 }');
  const { result, resultFile } = await score(experiment);
  assert.deepEqual([result.tasks[0].until!.ended, result.tasks[0].train.samples], ['settled', 6]);
  assert.match(untilSentence(result.tasks[0])!, /^The order is settled: with 6 × 3 samples \(look 1 of at most 3\)/);
  const again = await score(experiment);
  assert.equal(again.resultFile, resultFile);
  assert.ok(!again.events.some((event) => event.type === 'progress' && event.phase === 'backward'));
});

test('the limit of rows, then a higher one: the run goes on where it was', async (t) => {
  const { experiment, edit } = growing(t, '{ rank_interval: 0.01, rows: 12 }');
  const first = await score(experiment);
  assert.deepEqual([first.result.tasks[0].until!.ended, first.result.tasks[0].train.samples], ['rows', 12]);
  edit('rows: 12', 'rows: 20');
  const { result, resultFile, events } = await score(experiment);
  assert.equal(resultFile, first.resultFile);
  assert.deepEqual(
    result.tasks[0].until!.looks.map(({ train }) => train),
    [6, 12, 20],
  );
  assert.ok(!events.some((event) => event.type === 'progress' && event.message.includes('look 2')));
  // It was complete, so nothing was interrupted.
  const started = events.find((event) => event.type === 'started');
  assert.equal(started?.resumed, false);
});

test('what does not fit into memory ends it, and the last look stands', async (t) => {
  const { experiment } = growing(t, '{ rank_interval: 0.01 }');
  const smallest = async (further: number) => {
    const sides = { sentiment: { train: further, validation: 0 } };
    const prepared = await prepare(experiment, { further: sides });
    try {
      return planTask(prepared, prepared.tasks[0], { memoryBytes: 0, diskBytes: Infinity }).memoryBytes;
    } finally {
      prepared.checkpoint.close();
    }
  };
  const memoryBytes = Math.round(((await smallest(0)) + (await smallest(6))) / 2);
  const { result } = await score(experiment, { machine: { ...machine, memoryBytes }, engine: undefined });
  assert.deepEqual([result.tasks[0].until!.ended, result.tasks[0].train.samples], ['memory', 6]);
  assert.match(untilSentence(result.tasks[0])!, /more rows do not fit into the memory or on the disk/);
  // With more memory the same command goes on.
  const { result: later } = await score(experiment);
  assert.deepEqual([later.tasks[0].until!.ended, later.tasks[0].train.samples], ['split', 24]);
});

test('a run without the key does not take a grown one for its own, and one with it goes on from one without', async (t) => {
  const { experiment, edit } = growing(t, '{ rank_interval: 0.01 }');
  edit('  until: { rank_interval: 0.01 }\n', '');
  const plain = await score(experiment, { reopen: true });
  edit('  projection: none\n', '  projection: none\n  until: { rank_interval: 0.01 }\n');
  const grown = await score(experiment);
  assert.equal(grown.resultFile, plain.resultFile);
  assert.equal(grown.result.tasks[0].train.samples, 24);
  edit('  until: { rank_interval: 0.01 }\n', '');
  const again = await score(experiment, { reopen: true });
  assert.notEqual(again.resultFile, plain.resultFile);
  assert.equal(again.result.tasks[0].train.samples, 6);
});

test('cancelled in a look: the result is that of the look before, and the same command goes on', async (t) => {
  const until = '{ rank_interval: 0.01 }';
  const workspace = growing(t, until);
  const { experiment } = workspace;
  const stop = new AbortController();
  let resultFile = '';
  await assert.rejects(
    score(experiment, {
      signal: stop.signal,
      checkpointSeconds: 0,
      onEvent(event) {
        if (event.type === 'started') ({ resultFile } = event);
        if (event.type === 'progress' && event.message.includes('look 3 of at most 3: layer 1')) stop.abort();
      },
    }),
    { code: 'cancelled' },
  );
  const { result: kept } = openRun(resultFile);
  assert.deepEqual([kept.tasks[0].until!.ended, kept.tasks[0].train.samples], [null, 12]);
  assert.match(untilSentence(kept.tasks[0])!, /more rows were being added/);
  const { result, events } = await score(experiment);
  assert.ok(!events.some((event) => event.type === 'progress' && event.message.includes('look 2')));
  assert.ok(fs.readdirSync(path.dirname(resultFile)).every((name) => name !== 'partial'));
  assertSame(result, await atOnce(workspace, until));
});

test('killed around the Grams of a look, between them and its result: the same command ends with the same numbers', async (t) => {
  const until = '{ rank_interval: 0.01 }';
  const whole = await score(growing(t, until).experiment);
  const { experiment, folder } = growing(t, until);
  const counter = path.join(folder, 'calls');
  await runApart('scoreOnce.ts', [experiment, '1e10'], `count run ${counter}`);
  const moments = momentsOf(counter);
  const last = moments.findLastIndex(({ kind }) => /^renameSync .*grams\.safetensors/.test(kind));
  for (const moment of [moments[last], moments[last + 1]]) {
    fs.rmSync(path.join(folder, 'runs'), { recursive: true });
    const { signal } = await runApart('scoreOnce.ts', [experiment, '1e10'], killAt('run', moment));
    assert.equal(signal, 'SIGKILL', moment.kind);
    const { result } = await score(experiment);
    assert.deepEqual(result.tasks[0].layers, whole.result.tasks[0].layers);
  }
});
