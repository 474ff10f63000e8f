/**
 * Runs by sums of gradients: numbers of a run by Grams, a subsample for intervals, other estimators and dampings, what
 * is said of it, and when `auto` takes it.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { methodLines, planLine } from '../../server/src/cli/report.ts';
import { uncertaintySentences } from '../../protocol/readability.ts';
import { fileKinds } from '../../protocol/files/kinds.ts';
import { agreementsOf } from '../../server/src/run/influence/agreement.ts';
import { compareRuns } from '../../server/src/run/influence/compare.ts';
import { estimateExperiment } from '../../server/src/run/influence/estimate.ts';
import { cheaperSums, planTask, planTasks } from '../../server/src/run/influence/plan.ts';
import type { TaskPlan } from '../../server/src/run/influence/plan.ts';
import { openRun, rescore } from '../../server/src/run/influence/rescore.ts';
import { sweepDamping } from '../../server/src/run/influence/sweepDamping.ts';
import { tokenInfluence } from '../../server/src/run/influence/tokens.ts';
import { prepare } from '../../server/src/run/inputs/prepare.ts';
import { withRescored } from '../../webview/src/model/rescore.ts';
import { machine, score, tinyWorkspace } from './workspace.ts';

const relative = (got: readonly number[], right: readonly number[]) => {
  const largest = Math.max(...right.map(Math.abs));
  return Math.max(...right.map((value, i) => Math.abs(got[i] - value))) / largest;
};

test('a run by sums has the numbers of one by Grams; what needs pairs speaks of the subsample', async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { train: 210, layers: 2 });
  edit('  estimator: datainf\n', '  estimator: datainf\n  accumulate: grams\n');
  const grams = await score(experiment, { tasks: ['capital'] });
  edit('accumulate: grams', 'accumulate: sums');
  const { result, resultFile, events } = await score(experiment);

  assert.equal(grams.result.score.accumulate, undefined);
  assert.equal(result.score.accumulate, 'sums');
  const plan = events.flatMap((event) => (event.type === 'log' ? [event.text] : [])).join('\n');
  assert.match(plan, /influence of all validation samples together from their sums, Grams of 200 × 105 samples/);
  for (const [at, task] of result.tasks.entries()) {
    for (const row of at === 1 ? task.layers.keys() : []) {
      const [right] = grams.result.tasks;
      assert.ok(relative(task.influence[row], right.influence[row]) < 1e-5);
      assert.ok(relative(task.train.gradientSquaredNorm[row], right.train.gradientSquaredNorm[row]) < 1e-5);
      assert.ok(relative(task.validation.gradientSquaredNorm[row], right.validation.gradientSquaredNorm[row]) < 1e-5);
      assert.ok(Math.abs(task.layers[row].score / right.layers[row].score - 1) < 1e-5);
      const [low, high] = task.layers[row].interval!;
      assert.ok(low < task.layers[row].score && task.layers[row].score < high);
    }
    assert.deepEqual(task.train.loss.length, 210);
    assert.deepEqual(task.uncertainty!.of, { train: 200, validation: 105 });
    assert.equal(new Set(task.subsample!.train).size, 200);
    assert.ok(task.subsample!.train.every((place, i, all) => place < 210 && (i === 0 || place > all[i - 1])));
    assert.match(uncertaintySentences(task)[0], /a subsample of 200 training samples and 105 validation samples/);
  }
  assert.notDeepEqual(result.tasks[0].subsample!.train, result.tasks[1].subsample!.train, 'each task draws its own');
  const [method] = methodLines(result);
  assert.match(
    method,
    /exact, from sums of gradients.*200 of 210 training and 105 of 105 validation samples of sentiment/,
  );

  // Tokens add up to the influence of their row, layer by layer.
  const { grams: stored } = openRun(resultFile);
  for (const [row, { index }] of result.tasks[1].layers.entries()) {
    const tokens = stored.tokens('capital', index)!;
    let start = 0;
    const sums = result.tasks[1].train.rows.map(({ tokens: length }) =>
      tokens.subarray(start, (start += length)).reduce((a, b) => a + b, 0),
    );
    assert.equal(start, tokens.length);
    assert.ok(relative(sums, result.tasks[1].influence[row]) < 1e-4);
  }

  await assert.rejects(
    tokenInfluence(resultFile, { task: 'capital', validation: 0, machine }),
    /was scored by sums of gradients, with inner products of 200 of 210 training .* score with accumulate: grams/,
  );

  // The same settings with another aggregation are of all samples; others are of the subsample.
  const top25 = await rescore(resultFile, { aggregation: 'top25' });
  assert.equal(top25.tasks[0].influence[0].length, 210);
  assert.equal(top25.tasks[0].layers[0].score, result.tasks[0].layers[0].top25);
  const fisher = await rescore(resultFile, { estimator: 'fisher', tasks: ['sentiment'] });
  assert.equal(fisher.tasks[0].train.samples, 200);
  assert.equal(fisher.tasks[0].influence[0].length, 200);
  const settings = {
    estimator: 'fisher',
    rule: 'mean_square',
    factor: 0.1,
    per: 'sample',
    aggregation: 'positive',
  } as const;
  const shown = withRescored(result, settings, fisher.tasks);
  assert.equal(shown.tasks[0].train.rows.length, 200);
  assert.deepEqual(shown.tasks[0].train.rows[3], result.tasks[0].train.rows[result.tasks[0].subsample!.train[3]]);
  assert.equal(shown.tasks[1].train.rows.length, 210);
  const { others, sweep } = await agreementsOf(resultFile, result, result.tasks[0]);
  assert.deepEqual(
    others.map(({ estimator }) => estimator),
    ['fisher', 'dot'],
  );
  assert.ok(sweep);
  assert.equal((await sweepDamping(resultFile, 'capital')).steps.length, 7);
  const { notes, series } = await compareRuns([resultFile], { estimators: ['datainf', 'dot'], tasks: ['capital'] });
  assert.equal(series.length, 2);
  assert.match(notes.join('\n'), /scored by sums: what is compared is of 200 of 210 training/);
  assert.doesNotThrow(() => fileKinds.result.schema.parse(JSON.parse(fs.readFileSync(resultFile, 'utf8'))));
});

test('little memory: fewer samples in the subsample, captures computed twice, the same numbers', async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { train: 40, layers: 2 });
  edit('  estimator: datainf\n', '  estimator: datainf\n  accumulate: sums\n');
  const whole = await score(experiment, { tasks: ['sentiment'] });
  const prepared = await prepare(experiment, { tasks: ['sentiment'] });
  let memoryBytes = Infinity;
  let plan: TaskPlan = planTasks(prepared, { memoryBytes, diskBytes: Infinity })[0];
  const wanted = ({ plan: { sums, batches } }: TaskPlan) =>
    sums!.subsample.train.length === 16 && sums!.held < batches.train.length;
  for (let tries = 0; tries < 80 && !wanted(plan); tries++) {
    memoryBytes = plan.memoryBytes - 1;
    [plan] = planTasks(prepared, { memoryBytes, diskBytes: Infinity });
  }
  assert.ok(wanted(plan));
  assert.match(plan.why, /captures of all samples do not, so they are computed twice/);
  memoryBytes = plan.memoryBytes;
  const small = await score(experiment, {
    tasks: ['sentiment'],
    machine: { ...machine, memoryBytes },
    outputDir: 'small',
  });
  assert.equal(small.result.tasks[0].subsample!.train.length, 16);
  for (const [row, influence] of small.result.tasks[0].influence.entries())
    assert.ok(relative(influence, whole.result.tasks[0].influence[row]) < 1e-5);
});

test('auto takes Grams for few samples, sums where they cost less or where Grams do not fit', async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { train: 40, layers: 2 });
  const limits = { memoryBytes: Infinity, diskBytes: Infinity };
  const few = await prepare(experiment, {});
  assert.ok(planTasks(few, limits).every(({ plan }) => plan.sums === undefined));
  const { experiment: large } = tinyWorkspace(t, { train: 3000, layers: 2 });
  const many = await prepare(large, { tasks: ['capital'] });
  const [taken] = planTasks(many, limits);
  assert.deepEqual([taken.plan.sums?.subsample.train.length, taken.plan.sums?.subsample.validation.length], [200, 200]);
  assert.match(taken.why, /^sums of gradients take about 0\.\d\d of the time that Grams of all samples would/);
  const exact = planTask(many, many.tasks[0], limits);
  assert.equal(cheaperSums([taken], [exact], limits), null);
  assert.match(
    cheaperSums([exact], [taken], { ...limits, memoryBytes: taken.memoryBytes })!,
    /Grams of all samples would need/,
  );

  edit('  estimator: datainf\n', '  estimator: datainf\n  accumulate: sums\n');
  const estimate = await estimateExperiment({ file: experiment, machine });
  assert.deepEqual(estimate.plan.sums, { train: 40, validation: 20 });
  assert.match(planLine(estimate), /, by sums: about/);
});

for (const [change, says] of [
  [
    'estimator: fisher\n  accumulate: sums',
    /influence of datainf and dot alone, and fisher needs inner products of all pairs/,
  ],
  ['estimator: datainf\n  accumulate: sums\n  per: pair', /per: pair needs that of single ones/],
  ['estimator: datainf\n  accumulate: sums\n  projection: 8', /remove one of the keys accumulate and projection/],
] as const)
  test(`${change.replaceAll(/\s+/g, ' ')} is refused`, async (t) => {
    const { experiment, edit } = tinyWorkspace(t);
    edit('estimator: datainf', change);
    await assert.rejects(score(experiment), says);
  });
