/**
 * New experiments: whatever the data, the file is one that `check` has nothing against, and its splits hold every
 * label.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { experimentStem, newExperiment } from '../../extension/src/newExperiment.ts';
import { answerColumns, textColumns } from '../../extension/src/suggestedColumns.ts';
import { located } from '../../protocol/errors.ts';
import type { LayerifError } from '../../protocol/errors.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { describeData } from '../../server/src/run/inputs/describeData.ts';
import { writeTinyLlama } from '../tinyLlama.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-new-')));
before(() => writeTinyLlama(path.join(root, 'model')));
after(() => fs.rmSync(root, { recursive: true }));

const words = ['the film was good', 'a dull story', 'she came home late', 'what a day it was'];
const lines = (count: number, row: (i: number) => object) =>
  Array.from({ length: count }, (_, i) => JSON.stringify(row(i))).join('\n');

interface Case {
  what: string;
  file: string;
  content: string;
  text?: string | null;
  answer?: string | null;
  /** Of the task in the written file. */
  task: Record<string, unknown>;
}

const sentiment = (i: number) => (i % 3 === 0 ? 'positive' : 'negative');

const cases: Case[] = [
  {
    what: 'texts with labels: choices in a fixed order, four fifths for training',
    file: 'reviews.jsonl',
    content: lines(40, (i) => ({ id: i, text: words[i % 4], label: sentiment(i) })),
    task: {
      training_split: 'train[:32]',
      validation_split: 'train[32:40]',
      doc_to_text: 'Text: {{text}}\nLabel:',
      doc_to_target: 'label',
      doc_to_choice: ['negative', 'positive'],
      output_type: 'multiple_choice',
    },
  },
  {
    what: 'many rows: as many as in the paper',
    file: 'many.jsonl',
    content: lines(1000, (i) => ({ text: words[i % 4], label: sentiment(i) })),
    task: { training_split: 'train[:300]', validation_split: 'train[300:350]' },
  },
  {
    what: 'rows sorted by label: a part of each',
    file: 'sorted.csv',
    content: `text,label\n${Array.from({ length: 60 }, (_, i) => `${words[i % 4]},${i < 20 ? 'no' : 'yes'}`).join('\n')}\n`,
    task: {
      training_split: 'train[:16]+train[20:52]',
      validation_split: 'train[16:20]+train[52:60]',
      doc_to_choice: ['no', 'yes'],
    },
  },
  {
    what: 'classes counted from 0 name themselves',
    file: 'classes.csv',
    content: `sentence,class\n${Array.from({ length: 30 }, (_, i) => `${words[i % 4]},${i % 3}`).join('\n')}\n`,
    task: { doc_to_text: 'Sentence: {{sentence}}\nClass:', doc_to_target: 'class', doc_to_choice: ['0', '1', '2'] },
  },
  {
    what: 'ratings from 1 would be an index that is one too high: they are texts',
    file: 'ratings.jsonl',
    content: lines(30, (i) => ({ review: words[i % 4], stars: 1 + (i % 5) })),
    task: { doc_to_target: ' {{stars}}', doc_to_choice: undefined, output_type: 'loglikelihood' },
  },
  {
    what: 'booleans',
    file: 'booleans.jsonl',
    content: lines(30, (i) => ({ claim: words[i % 4], answer: i % 2 === 0 })),
    task: { doc_to_target: 'answer', doc_to_choice: ['False', 'True'] },
  },
  {
    what: 'free answers',
    file: 'questions.tsv',
    content: `question\tanswer\n${Array.from({ length: 12 }, (_, i) => `${words[i % 4]}\tit is ${i}`).join('\n')}\n`,
    task: {
      training_split: 'train[:10]',
      validation_split: 'train[10:12]',
      doc_to_text: 'Question: {{question}}\nAnswer:',
      doc_to_target: ' {{answer}}',
      output_type: 'loglikelihood',
    },
  },
  {
    what: 'no answer: the text itself',
    file: 'plain.txt',
    content: words.join('\n'),
    answer: null,
    task: { doc_to_text: '{{text}}', output_type: 'loglikelihood_rolling' },
  },
  {
    what: 'a column of splits',
    file: 'parts.csv',
    content: `text,label,split\n${Array.from({ length: 40 }, (_, i) => `${words[i % 4]},${sentiment(i)},${i < 30 ? 'train' : 'test'}`).join('\n')}\n`,
    task: { training_split: 'train[:30]', validation_split: 'test[:10]' },
  },
  {
    what: 'columns that are no words, one of them not in Latin letters',
    file: 'my data (1).csv',
    content: `Review text,\u5206\u985e\n${Array.from({ length: 20 }, (_, i) => `${words[i % 4]},${sentiment(i)}`).join('\n')}\n`,
    task: { doc_to_text: 'Review text: {{review_text}}\nColumn:', doc_to_target: 'column' },
  },
];

for (const { what, file, content, text, answer, task } of cases)
  test(what, async () => {
    fs.writeFileSync(path.join(root, file), content);
    const described = await describeData(path.join(root, file));
    const chosen = text === undefined ? textColumns(described.columns)[0].name : text;
    const parts = {
      model: './model',
      data: { path: `./${file}`, described },
      text: chosen,
      answer: answer === undefined ? answerColumns(described.columns, chosen ?? '')[0].name : answer,
    };
    const written = newExperiment(parts);
    const name = path.join(root, `${experimentStem(parts)}.layerif.yaml`);
    fs.writeFileSync(name, written);
    const { problems } = await checkExperiment(name, written);
    assert.deepEqual(
      problems.filter(({ severity }) => severity !== 'information').map(({ message }) => message),
      [],
      written,
    );
    const { experiment } = parseExperiment(written, name);
    const own = experiment!.tasks[0] as unknown as Record<string, unknown>;
    for (const [key, value] of Object.entries(task)) assert.deepEqual(own[key], value, `${key}\n${written}`);
    const labels = described.columns.find((column) => column.name === parts.answer)?.labels;
    if (!labels) return;
    const data = await openDataset('data', Object.values(experiment!.datasets)[0], root);
    for (const split of ['training_split', 'validation_split'])
      assert.equal(
        new Set((await readSlice(data, own[split] as string)).map(({ values }) => values[parts.answer!])).size,
        labels.length,
        split,
      );
  });

test('everything skipped: a whole experiment of examples', () => {
  const { experiment, problems } = parseExperiment(
    newExperiment({ model: null, data: null, text: null, answer: null }),
    '/w/x.layerif.yaml',
  );
  assert.deepEqual(problems, []);
  assert.equal(experiment!.tasks[0].doc_to_text, 'Text: {{text}}\nLabel:');
  assert.deepEqual(experiment!.model, { path: './models/my-model', max_length: 256 });
});

test('a data file that cannot be read is named', async () => {
  fs.writeFileSync(path.join(root, 'broken.jsonl'), '{"a": 1}\n{"a":\n');
  for (const [name, place] of [
    ['broken.jsonl', /broken\.jsonl:2/],
    ['gone.jsonl', /gone\.jsonl/],
  ] as const)
    await assert.rejects(describeData(path.join(root, name)), (error: LayerifError) => place.test(located(error)));
});
