/**
 * Bad input of one score is said of that score, with file, row or layer; the other scores of the run finish, and only
 * where none can be made does the run fail.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { workspaceOf } from './scoredSets.ts';

const engine = new EnginePool();
after(() => engine.dispose());

const rows = (count: number, label: (i: number) => unknown) =>
  Array.from({ length: count }, (_, i) => ({ text: `text number ${i} of a set`, label: label(i) }));

const answers = (more: (i: number) => object) =>
  rows(12, () => '').map(({ text }, i) => ({ question: `question ${i}?`, text, ...more(i) }));

const probe = (dataset: string) => `probe: { texts: { dataset: ${dataset}, split: train } }`;
const bad: [entry: string, message: RegExp][] = [
  [probe('unlabelled'), /the texts of dataset "unlabelled" have no labels: .*name a column with label; columns: text/],
  [probe('one'), /all 12 texts \(train of one\) have the label "a": at least two classes are needed/],
  [probe('few'), /2 of 12 texts \(train of few\) have the label "b", at least 5 are needed for five folds/],
  [probe('empty'), /^.*empty\.jsonl:4: row 3 of dataset "empty" has an empty label/],
  // A cell without a value is not the label "None".
  [probe('missing'), /^.*missing\.jsonl:4: row 3 of dataset "missing" has an empty label/],
  [
    'cluster_information: { texts: { dataset: words, split: train } }',
    /^.*words\.jsonl:2: row 1 of dataset "words": entry 1 of column "label" is empty; give each word a label/,
  ],
  [
    'eavss: { texts: { dataset: told, split: train, label: told, answer: text, prompt: question, hallucinated: "yes" } }',
    /^.*told\.jsonl:6: row 5 of dataset "told" has an empty label/,
  ],
  [
    'eavss: { texts: { dataset: silent, split: train, label: told, answer: text, prompt: question, hallucinated: "yes" } }',
    /0 of 6 answers \(train of silent.*are hallucinated; empty answers of rows 1, 3, 5, 7, 9/,
  ],
  ['ila', /score ila masks what fine-tuning has changed, .*set model\.adapter to a LoRA folder, or ila\.tuned/],
  ['ila: { tuned: ./narrow }', /ila\.tuned .*narrow: tensor .* has shape \[.*\], .*model has it with \[.*\]/],
  [
    'block_influence: { texts: { dataset: reviews, split: "train[:1]", max_length: 20 } }',
    /^the texts \(train\[:1\] of reviews\) have \d+ tokens together, at least 64 are needed; give more or longer texts with texts$/,
  ],
  [
    'pwcca: { view: position, texts: { dataset: reviews, split: "train[:1]", max_length: 20 } }',
    /^the texts \(train\[:1\] of reviews\) have \d+ tokens together.* with texts$/,
  ],
  [
    'pwcca: { view: tuned, tuned: ./shallow, texts: { dataset: reviews, split: "train" } }',
    /pwcca\.tuned .*shallow has 2 layers, .* has 3: layers are compared one by one/,
  ],
];

test('what is bad for one score is said of it in one line; the others finish, agreement of what is there among them', async (t) => {
  const sets = {
    unlabelled: rows(12, () => null).map(({ text }) => ({ text })),
    one: rows(12, () => 'a'),
    few: rows(12, (i) => (i < 2 ? 'b' : 'a')),
    empty: rows(12, (i) => (i === 3 ? '' : 'ab'[i % 2])),
    missing: rows(12, (i) => (i === 3 ? null : 'ab'[i % 2])),
    words: rows(12, (i) => (i === 1 ? ['a', null] : ['a', 'b'])).map((row) => ({ ...row, words: ['one', 'two'] })),
    told: answers((i) => ({ told: i === 5 ? null : ['no', 'yes'][i % 2] })),
    silent: answers((i) => ({ told: ['no', 'yes'][i % 2], ...(i % 2 ? { text: null } : {}) })),
  };
  const { folder, run } = workspaceOf(t, engine, sets, [
    ...bad.map(([entry]) => entry),
    'relative_magnitude',
    'magnitude',
    'agreement',
  ]);
  writeTinyLlama(path.join(folder, 'narrow'), { hidden: 16 });
  writeTinyLlama(path.join(folder, 'shallow'), { layers: 2 });
  const { scores } = await run();
  assert.deepEqual(scores!.tables.map(({ score }) => score).sort(), ['agreement', 'magnitude', 'relative_magnitude']);
  assert.equal(scores!.status, 'complete');
  assert.deepEqual(
    scores!.refused!.map(({ score }) => score),
    bad.map(([entry]) => entry.split(':')[0]),
  );
  bad.forEach(([entry, message], i) => {
    const said = scores!.refused![i].message;
    assert.match(said, message, entry);
    assert.equal(said.split('\n').length, 1, entry);
  });
});

test('where no score can be made the run fails with what is wrong', async (t) => {
  const { run } = workspaceOf(t, engine, { one: rows(12, () => 'a') }, [probe('one'), 'ila']);
  await assert.rejects(run(), /all 12 texts \(train of one\) have the label "a"/);
});

test('more dimensions than texts is told beside the numbers', async (t) => {
  const { run } = workspaceOf(t, engine, { some: rows(12, (i) => 'ab'[i % 2]) }, [probe('some')]);
  const { scores } = await run();
  assert.match(scores!.tables[0].notes.join('\n'), /Fewer texts than dimensions \(12 and 32\)/);
});

test('constant weights: values that are not defined are null and named by layer, never 0 or infinite', async (t) => {
  const { folder, run } = workspaceOf(t, engine, {}, [
    'alpha_hill',
    'owl',
    'magnitude',
    'block_influence',
    'layer_drop',
  ]);
  // Every matrix of layer 1 is zero: the layer is the identity.
  const file = path.join(folder, 'model/model.safetensors');
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  for (const [name, { data_offsets: offsets }] of Object.entries(header))
    if (/layers\.1\..*proj/.test(name)) bytes.fill(0, 8 + length + offsets[0], 8 + length + offsets[1]);
  fs.writeFileSync(file, bytes);
  const { scores } = await run();
  const table = (id: string) => scores!.tables.find(({ score }) => score === id)!;
  assert.equal(scores!.refused, undefined);
  assert.equal(table('alpha_hill').values[1], null);
  assert.match(table('alpha_hill').notes.join('\n'), /layer 1/);
  assert.ok(Math.abs(table('block_influence').values[1]!) < 1e-6);
  assert.ok(Math.abs(table('layer_drop').values[1]!) < 1e-6);
  assert.equal(table('magnitude').values[1], 0);
  for (const { values } of scores!.tables)
    for (const value of values) assert.ok(value === null || Number.isFinite(value));
});
