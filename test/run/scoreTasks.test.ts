/**
 * Scores of a task: its training samples, answers and labels instead of those of the first task; scores that are asked
 * for beside the file's own list, as the editor does.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const asked = (id: string, task?: string) => ({ id, options: {}, ...(task === undefined ? {} : { task }) });
const tablesOf = (file: ScoresFile | null, score: string) => file!.tables.filter((table) => table.score === score);

/** The tiny experiment with these scores and no influence. */
function write({ experiment }: Workspace, list: string, change = (text: string) => text): void {
  const text = fs.readFileSync(experiment, 'utf8').replace(/(score|scores|prune):[\s\S]*/, '');
  fs.writeFileSync(experiment, change(`${text}${list}\n`));
}

test('scores of a task are those of an experiment that has this task first', async (t) => {
  const own = tinyWorkspace(t, { train: 12 });
  const list = 'block_influence, { block_influence: { task: capital } }, { spider: { task: capital } }, probe';
  // Of a named task the calibration is not looked at.
  write(own, `prune: { calibration: { dataset: capitals, split: "train[:6]" } }\nscores: [${list}, agreement]`);
  const { scores } = await runExperiment({ file: own.experiment, machine, engine });
  const other = tinyWorkspace(t, { train: 12 });
  write(other, 'scores: [block_influence, spider]', (text) =>
    text.replace(/ {2}- task: sentiment[\s\S]*?(?= {2}- task: capital)/, ''),
  );
  const alone = await runExperiment({ file: other.experiment, machine, engine });
  const [calibrated, ofTask] = tablesOf(scores, 'block_influence');
  assert.deepEqual(ofTask.values, tablesOf(alone.scores, 'block_influence')[0].values);
  assert.notDeepEqual(calibrated.values, ofTask.values);
  assert.deepEqual(tablesOf(scores, 'spider')[0].values, tablesOf(alone.scores, 'spider')[0].values);
  assert.match(ofTask.texts!, /^task capital, train\[:12\] of capitals: 12 texts, \d+ tokens$/);
  assert.match(calibrated.texts!, /^train\[:6\] of capitals: 6 texts/);
  // Both stand in the matrix, each under a name of its own.
  const labels = tablesOf(scores, 'agreement')[0].axes[0].labels;
  assert.equal(new Set(labels).size, labels.length, labels.join('; '));
});

test('asked for beside the list of the file: as it declares them, or of a task; nothing else is computed', async (t) => {
  const own = tinyWorkspace(t, { train: 12 });
  write(own, 'scores: [{ probe: { pool: mean, texts: { dataset: reviews, split: "train[:10]" } } }, avss]');
  const run = (...scores: ReturnType<typeof asked>[]) =>
    runExperiment({ file: own.experiment, machine, engine, only: 'scores', asked: scores });
  const declared = (await run(asked('probe'))).scores;
  assert.deepEqual(
    declared!.tables.map(({ score, options, texts }) => [score, options.pool, texts]),
    [['probe', 'mean', 'train[:10] of reviews: 10 texts with 2 labels']],
  );
  const ofTask = (await run(asked('probe', 'sentiment'))).scores;
  const last = ofTask!.tables.at(-1)!;
  assert.deepEqual(
    [ofTask!.tables.length, last.options.pool, last.texts],
    [2, 'mean', 'task sentiment, train[:12] of reviews: 12 texts with 2 labels'],
  );
  const undeclared = (await run(asked('block_influence'))).scores;
  assert.deepEqual(
    undeclared!.tables.map(({ score }) => score),
    ['probe', 'probe', 'block_influence'],
  );
  // Of a task the answers are the labels, whatever a column is called.
  write(own, 'scores: [probe]', (text) =>
    text.replace('data/reviews.jsonl', 'data/reviews.jsonl\n    field_mapping: { label: review }'),
  );
  await assert.rejects(run(asked('probe')), /have the label "[^"]+", at least 5 are needed/);
  assert.match((await run(asked('probe', 'sentiment'))).scores!.tables.at(-1)!.texts!, /with 2 labels$/);
  await assert.rejects(run(asked('probe', 'sentimental')), (error: LayerifError) => {
    assert.equal(error.message, 'there is no task "sentimental" to take texts from; tasks: sentiment, capital');
    return error.code === 'badRequest';
  });
});

test('a task that is not there, or texts beside a task, are found in the file', (t) => {
  const own = tinyWorkspace(t);
  const problems = (list: string) => {
    write(own, `scores: [${list}]`);
    return parseExperiment(fs.readFileSync(own.experiment, 'utf8'), own.experiment).problems.map(
      ({ message }) => message,
    );
  };
  assert.deepEqual(problems('{ spider: { task: sentimen } }'), [
    'there is no task "sentimen"; did you mean "sentiment"?',
  ]);
  assert.deepEqual(problems('{ spider: { task: capital, texts: { dataset: reviews, split: train } } }'), [
    'texts and task both say what the score looks at: remove one of them',
  ]);
  assert.match(problems('{ agreement: { task: capital } }')[0], /task/);
  assert.deepEqual(problems('{ spider: { task: capital } }, { ndr: { task: capital, flips: 0.2 } }'), []);
});
