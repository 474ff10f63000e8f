/**
 * The noise detection rate from the experiment file to the table: by a column beside influence, by labels that are
 * changed in a run of its own, and what is refused.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Result } from '../../protocol/result.ts';
import { loadTask } from '../../server/src/data/loadTask.ts';
import { noisyRows } from '../../server/src/data/labelNoise.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { noiseDetection } from '../../server/src/statistics/noiseDetection.ts';
import { machine, tinyWorkspace } from './workspace.ts';

const engine = new EnginePool();
after(() => engine.dispose());
const run = (file: string) => runExperiment({ file, machine, engine });

test('a column of the training rows marks the noisy ones; labels changed on purpose get a run of their own', async (t) => {
  const { folder, experiment } = tinyWorkspace(t);
  const data = path.join(folder, 'data/reviews.jsonl');
  const rows = fs.readFileSync(data, 'utf8').trim().split('\n');
  fs.writeFileSync(
    data,
    rows
      .map((line, i) => `${JSON.stringify({ ...(JSON.parse(line) as object), noisy: i % 4 === 0, none: 'no' })}\n`)
      .join(''),
  );
  const text = fs.readFileSync(experiment, 'utf8');
  const asked = [
    'ndr',
    'ndr: { noisy: "{{ not noisy }}" }',
    'ndr: { flips: 0.25, seed: 3 }',
    'ndr: { noisy: none }',
    'ndr: { noisy: nois }',
    'ndr: { task: others }',
    'ndr: { task: capital, flips: 0.25 }',
  ];
  fs.writeFileSync(experiment, `${text}\nscores:\n${asked.map((one) => `  - ${one}\n`).join('')}`);
  const { scores, result, resultFile } = await run(experiment);
  const [marked, others, flipped] = scores!.tables;
  const influence = result!.tasks[0].influence;
  const noisy = influence[0].map((_, i) => i % 4 === 0);
  assert.deepEqual(
    marked.values,
    influence.map((row) => noiseDetection(row, noisy).rate),
  );
  assert.equal(marked.texts, 'training samples of sentiment: 8, 2 marked as mislabelled');
  assert.equal(others.reference!.value, 6 / 8);
  assert.equal(flipped.texts, 'training samples of sentiment: 8, 2 with changed labels');
  // The run with changed labels lies beside, and its influence is that of the changed samples.
  const beside = path.join(path.dirname(resultFile!), 'label-noise');
  const file = fs
    .readdirSync(beside, { recursive: true, encoding: 'utf8' })
    .find((name) => name.endsWith('-result.json'))!;
  const noise = { share: 0.25, seed: 3 };
  const other = JSON.parse(fs.readFileSync(path.join(beside, file), 'utf8')) as Result;
  assert.deepEqual(other.experiment.tasks[0].label_noise, noise);
  const changed = new Set(noisyRows(8, noise));
  assert.deepEqual(
    flipped.values,
    other.tasks[0].influence.map(
      (row) =>
        noiseDetection(
          row,
          row.map((_, i) => changed.has(i)),
        ).rate,
    ),
  );
  result!.tasks[0].train.loss.forEach((loss, i) => {
    const own = other.tasks[0].train.loss[i];
    if (changed.has(i)) assert.ok(Math.abs(own - loss) > 1e-4, `sample ${i} is another text`);
    else assert.ok(Math.abs(own - loss) < 1e-6, `sample ${i}`);
  });
  const said = scores!.refused!.map(({ message }) => message);
  assert.match(
    said[0],
    /none of the 8 training samples of task sentiment are mislabelled \(none\): samples of both kinds/,
  );
  assert.match(said[1], /noisy uses "nois", which is not a column of row \d+.*did you mean "noisy"/i);
  assert.match(said[2], /there is no influence for a task "others"; tasks: sentiment, capital/);
  assert.match(
    said[3],
    /task "capital": row \d+ has no other choice to change its label to; .*ndr: \{ noisy: COLUMN \}/,
  );
  // Nothing twice.
  const again = await run(experiment);
  assert.deepEqual(again.scores!.tables, scores!.tables);

  fs.writeFileSync(experiment, `${text.slice(0, text.indexOf('score:'))}scores: [block_influence, ndr]\n`);
  const alone = await run(experiment);
  assert.match(alone.scores!.refused![0].message, /there is no complete influence of training samples to look at/);
  assert.deepEqual(
    alone.scores!.tables.map(({ score }) => score),
    ['block_influence'],
  );
});

test('another choice stands in the place of the label, and nothing else changes', async (t) => {
  const { folder } = tinyWorkspace(t);
  const tokenizer = {
    encodeStart: (text: string) => ({ tokens: Int32Array.from(Buffer.from(text)), truncated: false }),
    decode: () => '',
  };
  const task = {
    task: 'sentiment',
    dataset: 'reviews',
    training_split: 'train[:8]',
    validation_split: 'train[8:]',
    doc_to_text: '{{review}}',
    doc_to_target: 'sentiment',
    doc_to_choice: ['negative', 'positive'],
    output_type: 'multiple_choice',
    target_delimiter: ' ',
    fewshot_delimiter: '\n\n',
    num_fewshot: 0,
  } as const;
  const load = (noise?: { share: number; seed: number }) =>
    loadTask({
      task: { ...task, doc_to_choice: [...task.doc_to_choice], ...(noise ? { label_noise: noise } : {}) },
      datasets: { reviews: { path: 'data/reviews.jsonl' } },
      baseDir: folder,
      maxLength: 1000,
      loss: 'all',
      tokenizer: tokenizer as never,
    });
  const [plain, noisy] = [await load(), await load({ share: 0.4, seed: 1 })];
  const changed = plain.train.flatMap(({ text }, i) => (text === noisy.train[i].text ? [] : [i]));
  assert.deepEqual(changed, noisyRows(8, { share: 0.4, seed: 1 }));
  assert.equal(changed.length, 3);
  for (const i of changed) {
    const [own, other] = [plain.train[i].text, noisy.train[i].text].map((text) => text.split(' ').at(-1));
    assert.deepEqual([own, other].sort(), ['negative', 'positive']);
  }
  assert.deepEqual(plain.validation, noisy.validation);
});
