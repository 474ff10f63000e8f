/**
 * Scores with a view, from the experiment file to the tables: drawn tokens, words of list columns, labels of whole
 * texts, a second checkpoint; and what is refused, with the other scores of the run finished.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ScoresFile } from '../../protocol/scores.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const words = ['The', 'film', 'was', 'a', 'delight', 'from', 'start', 'to', 'end'];
const tags = ['DET', 'NOUN', 'VERB', 'DET', 'NOUN', 'PREP', 'NOUN', 'PREP', 'NOUN'];

/** The experiment with these scores alone, and datasets of words with their parts of speech. */
function asked(workspace: Workspace, scores: string, datasets: Record<string, object[]> = { tags: tagged(12) }): void {
  for (const [name, rows] of Object.entries(datasets)) {
    fs.writeFileSync(path.join(workspace.folder, `${name}.jsonl`), rows.map((row) => JSON.stringify(row)).join('\n'));
    workspace.edit('datasets:', `datasets:\n  ${name}:\n    path: ${name}.jsonl`);
  }
  const text = fs.readFileSync(workspace.experiment, 'utf8');
  fs.writeFileSync(workspace.experiment, `${text.slice(0, text.indexOf('score:'))}${scores}\n`);
}

/** Sentences that begin with another word each. */
const tagged = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    words: [...words.slice(i % 3), ...words.slice(0, i % 3)],
    pos: [...tags.slice(i % 3), ...tags.slice(0, i % 3)],
  }));

const run = async ({ experiment }: Workspace): Promise<ScoresFile> =>
  (await runExperiment({ file: experiment, machine })).scores!;

test('words of a list column, positions, token frequency and depths: one pass for each set of vectors, all repeatable', async (t) => {
  const workspace = tinyWorkspace(t);
  const texts = 'texts: { dataset: tags, split: train, label: pos }';
  asked(
    workspace,
    `scores:
  - cluster_information: { clusters: 4, permutations: 20, ${texts} }
  - pwcca: { view: label, ${texts} }
  - pwcca: { view: previous, vectors: 100 }
  - mean_cca: { view: token_frequency, vectors: 100 }
  - pwcca: { view: position, vectors: 100 }`,
  );
  const first = await runExperiment({ file: workspace.experiment, machine });
  const [information, label, previous, frequency, position] = first.scores!.tables;
  assert.equal(first.passes.length, 2, 'the same vectors are looked at once');
  // The tokens of a sentence's words are its own: 12 x 9 words, 4 classes.
  assert.match(information.notes[0], /^108 words of 12 texts, 4 labels; H\(label\) 1\.\d+ nats/);
  for (const table of [information, label, previous, frequency, position]) {
    assert.equal(table.values.length, 3);
    for (const value of table.values)
      assert.ok(value !== null && value >= -1 && value <= 1 + 1e-9, `${table.score} ${value}`);
    assert.ok(table.intervals!.every((interval) => interval && interval[0] <= interval[1]));
  }
  assert.ok(information.values.every((value, l) => value! > (information.reference!.value as number[])[l]));
  assert.match(
    previous.notes[0],
    /^100 tokens of 8 texts; 5 dimensions of the layer and 5 of the view: the first principal/,
  );
  assert.match(frequency.notes[0], /and 1 of the view/);
  assert.ok(
    previous.values.every((value) => value! > 0.5),
    'layers follow from the one before',
  );
  const again = await run(workspace);
  assert.deepEqual(again.tables, first.scores!.tables);
});

test('tuned: the same checkpoint correlates fully, another one less; models that do not fit are named', async (t) => {
  const workspace = tinyWorkspace(t);
  const other = path.join(workspace.folder, 'other');
  fs.cpSync(workspace.model, path.join(workspace.folder, 'copy'), { recursive: true });
  writeTinyLlama(other, { seed: 9 });
  asked(
    workspace,
    `scores:
  - mean_cca: { view: tuned, tuned: copy, vectors: 100 }
  - mean_cca: { view: tuned, tuned: other, vectors: 100 }`,
  );
  const { tables } = await run(workspace);
  assert.ok(
    tables[0].values.every((value) => Math.abs(value! - 1) < 1e-4),
    tables[0].values.join(),
  );
  assert.ok(
    tables[1].values.every((value) => value! < 0.999),
    tables[1].values.join(),
  );
  const wrong = tinyWorkspace(t);
  writeTinyLlama(path.join(wrong.folder, 'short'), { layers: 2 });
  asked(wrong, 'scores:\n  - pwcca: { view: tuned, tuned: short }\n  - mean_cca: { view: tuned }\n  - magnitude');
  const refused = await run(wrong);
  assert.deepEqual(
    refused.refused!.map(({ score }) => score),
    ['pwcca', 'mean_cca'],
  );
  assert.match(refused.refused![0].message, /short has 2 layers, .*model has 3: layers are compared one by one/);
  assert.match(refused.refused![1].message, /the experiment names one: set model\.adapter .*, or mean_cca\.tuned/);
  assert.deepEqual(
    refused.tables.map(({ score }) => score),
    ['magnitude'],
  );
});

test('labels that are not there, of one class, too many, too few vectors, lists of other lengths: named', async (t) => {
  const cases: [texts: string, rows: object[], message: RegExp][] = [
    ['label: kind', tagged(12), /dataset "t0" has no column "kind" for the labels/],
    ['label: pos, words: word', tagged(12), /there is no column "word"; name it with words; columns: words, pos/],
    ['label: pos', tagged(3), /^27 vectors \(train of t2: 3 texts\) are too few/],
    [
      'label: pos',
      [{ words, pos: tags.slice(1) }],
      /row 0 of dataset "t3" has 9 words in "words" and 8 labels in "pos"/,
    ],
    [
      'label: pos',
      tagged(9).map((row) => ({ ...row, pos: tags.map(() => 'X') })),
      /all 81 words .* have the label "X"/,
    ],
    [
      'label: pos',
      tagged(9).map((row, i) => ({ ...row, pos: tags.map((_, j) => `${i} ${j}`) })),
      /81 labels for 81 words .*: labels that hardly repeat tell nothing/,
    ],
  ];
  const workspace = tinyWorkspace(t);
  const scores = cases.map(
    ([texts], i) => `  - pwcca: { view: label, texts: { dataset: t${i}, split: train, ${texts} } }`,
  );
  asked(
    workspace,
    ['scores:', '  - magnitude', ...scores].join('\n'),
    Object.fromEntries(cases.map(([, rows], i) => [`t${i}`, rows])),
  );
  const { refused, tables } = await run(workspace);
  cases.forEach(([, , message], i) => assert.match(refused![i].message, message));
  assert.equal(tables.length, 1);
});
