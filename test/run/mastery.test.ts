/** Levels of facts from the file to the table and to a draw of them; what of facts and templates is refused. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileKinds } from '../../protocol/files/kinds.ts';
import { parseFile } from '../../protocol/files/read.ts';
import type { ScoreTable } from '../../protocol/scores.ts';
import { chosenRows } from '../../server/src/run/decide/selection.ts';
import { selectRows } from '../../server/src/run/decide/selectRows.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import type { RunOptions } from '../../server/src/run/influence/runExperiment.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { engine, machine } from './workspace.ts';

const FACTS = [
  { subject: 'France', relation: 'capital', object: 'Paris', aliases: [] },
  { subject: 'Chad', relation: 'capital', object: "N'Djamena", aliases: ['N’Djamena', 'Ndjamena'] },
  { subject: 'Peru', relation: 'region', object: 'Americas', aliases: ['South America', 'America'] },
  { subject: 'Mali', relation: 'region', object: 'Africa', aliases: [] },
  { subject: 'Oman', relation: 'region', object: 'e', aliases: ['a', 'i'] },
];
const TEMPLATES =
  'capital: ["The capital of {subject} is", "{subject}, whose capital is"]\nregion: ["{subject} is in"]\n';

interface Given {
  facts?: readonly object[];
  templates?: string;
  scores?: string;
}

function workspace(
  t: TestContext,
  {
    facts = FACTS,
    templates = TEMPLATES,
    scores = '[{ mastery: { templates: t.yaml, samples: 3, max_new_tokens: 4 } }]',
  }: Given = {},
): { file: string; folder: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-facts-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  writeTinyLlama(path.join(folder, 'model'), { layers: 1 });
  fs.writeFileSync(path.join(folder, 'facts.jsonl'), facts.map((one) => `${JSON.stringify(one)}\n`).join(''));
  fs.writeFileSync(path.join(folder, 't.yaml'), templates);
  const file = path.join(folder, 'facts.layerif.yaml');
  fs.writeFileSync(
    file,
    `version: 1
model: { path: ./model, max_length: 64 }
datasets: { facts: { path: facts.jsonl } }
tasks:
  - task: facts
    training_split: train
    output_type: generate_until
    doc_to_text: "{{subject}} is in"
    doc_to_target: object
data_scores: ${scores}
`,
  );
  return { file, folder };
}

const run = (file: string, options: Partial<RunOptions> = {}) => runExperiment({ file, machine, engine, ...options });
const numbersOf = ({ values, parts, intervals, axes }: ScoreTable) => ({ values, parts, intervals, axes });

test('shares, levels and probabilities of a model; the same from any chunks and behind an interruption', async (t) => {
  const { file, folder } = workspace(t);
  const { scores } = await run(file);
  assert.equal(parseFile('scores', JSON.stringify(scores), fileKinds.scores.schema).fault, null);
  const [table] = scores!.tables as [ScoreTable];
  assert.equal(table.subject, 'fact');
  assert.ok(scores!.provenance.seconds.completions > 0, 'drawing is a part of the time that the run says');
  assert.deepEqual(table.parts!.completions, [6, 6, 3, 3, 3]);
  assert.deepEqual(table.axes[0].groups, ['capital', 'capital', 'region', 'region', 'region']);
  for (const [row, value] of table.values.entries())
    assert.ok(Math.abs(value! * table.parts!.completions[row] - table.parts!.hits[row]!) < 1e-9);
  assert.match(table.notes.join('\n'), /in 1 of \d+ facts an answer has another one as its part/);

  const inChunks = workspace(t);
  const abort = new AbortController();
  await assert.rejects(
    run(inChunks.file, { rowsPerChunk: 2, signal: abort.signal, onProgress: ({ done }) => done >= 3 && abort.abort() }),
  );
  const again = await run(inChunks.file, { rowsPerChunk: 2 });
  assert.deepEqual(numbersOf(again.scores!.tables[0]), numbersOf(table));

  // Completions that are kept are not drawn again; a line that was cut off is.
  const observed = fs.readdirSync(path.dirname(again.scoresFile!)).includes('observations');
  assert.ok(observed);
  const folderOf = path.join(path.dirname(again.scoresFile!), 'observations');
  const [kept] = fs.readdirSync(folderOf).filter((name) => name.endsWith('.jsonl')) as [string];
  const whole = fs.readFileSync(path.join(folderOf, kept), 'utf8');
  fs.writeFileSync(path.join(folderOf, kept), whole.slice(0, -3));
  fs.rmSync(again.scoresFile!);
  const third = await run(inChunks.file, { rowsPerChunk: 2 });
  assert.deepEqual(numbersOf(third.scores!.tables[0]), numbersOf(table));
  assert.ok(fs.existsSync(folder));
});

test('the probability of an object is that of its tokens as they are trained on; greedy completions give multiples of 1/N', async (t) => {
  const { file } = workspace(t, {
    facts: FACTS.map(({ aliases: _, ...rest }) => rest),
    scores:
      '[{ mastery: { by: probability } }, loss, length, { mastery: { templates: t.yaml, temperature: 0, samples: 9, max_new_tokens: 2 } }]',
  });
  const { scores } = await run(file);
  const [own, loss, length, greedy] = scores!.tables as [ScoreTable, ScoreTable, ScoreTable, ScoreTable];
  for (const [row, value] of own.values.entries()) {
    const expected = Math.exp(-loss.values[row]! * length.values[row]!);
    assert.ok(Math.abs(value! / expected - 1) < 1e-5, `row ${row}: ${value}, ${expected}`);
  }
  assert.deepEqual(greedy.parts!.completions, [2, 2, 1, 1, 1]);
});

const table = {
  subject: 'fact',
  score: 'mastery',
  values: Array.from({ length: 12 }, (_, row) => row / 11),
  parts: { level: [2, 2, 2, 2, 2, 2, 1, 1, 2, 2, 2, 0] },
  axes: [{ name: 'row', labels: [], groups: [...'aaaaaabbbbcc'] }],
} as unknown as ScoreTable;

test('a draw from a level is balanced over relations, random by its seed, and of that level alone', async () => {
  const { Random } = await import('../../server/src/random/random.ts');
  const draw = (seed: number, keep: number, levels: number[]) =>
    chosenRows(table, { keep, lowest: false, levels, random: new Random(seed, 'draw') });
  const counts = new Map<string, number>();
  const sets = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { rows } = draw(seed, 4, [2]);
    sets.add(rows.join());
    assert.equal(rows.length, 4);
    assert.ok(rows.every((row) => table.parts!.level[row] === 2));
    const relations = rows.map((row) => table.axes[0].groups![row]).join('');
    counts.set(relations, (counts.get(relations) ?? 0) + 1);
  }
  // Six, two and one fact of a, b and c: one of each, and the fourth of a or b.
  assert.ok(
    [...counts.keys()].every((relations) => ['aabc', 'abbc'].includes(relations)),
    [...counts.keys()].join(),
  );
  assert.ok(sets.size > 5);
  assert.deepEqual(draw(3, 4, [2]).rows, draw(3, 4, [2]).rows);
  assert.deepEqual(draw(0, 5, [1, 0]).rows, [6, 7, 11]);
});

test('facts of a level are written as a dataset; other levels and other scores are refused by name', async (t) => {
  const { file } = workspace(t, { scores: '[{ mastery: { by: probability, templates: t.yaml } }, length]' });
  await run(file);
  const select = (options: object) => selectRows({ file, by: 'mastery', keep: '2', ...options });
  await assert.rejects(
    select({}),
    /facts of which level\? give --level: use one or several of the levels, with commas; facts of each: 0 \(4\), 1 \(1\)/,
  );
  await assert.rejects(select({ level: '5' }), /--level 5 is not allowed/);
  await assert.rejects(select({ level: '' }), /--level {2}is not allowed/);
  await assert.rejects(select({ level: '3' }), /no fact of 5 is of level 3/);
  await assert.rejects(select({ by: 'length', level: '0' }), /--level is of facts, and length scores rows/);
  const { file: written, rows, provenanceFile } = await select({ level: '0,4', seed: 2 });
  assert.equal(rows, 2);
  const lines = fs
    .readFileSync(written, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { relation: string });
  assert.deepEqual(lines.map(({ relation }) => relation).sort(), ['capital', 'region']);
  const from = JSON.parse(fs.readFileSync(provenanceFile, 'utf8')) as { levels: number[]; seed: number };
  assert.deepEqual([from.levels, from.seed], [[0, 4], 2]);
});

const bad: [string, Given, RegExp][] = [
  [
    'no subject',
    { facts: [{ object: 'x', relation: 'region' }] },
    /facts\.jsonl:1: row 0: a fact needs a text in the column subject/,
  ],
  [
    'no object',
    { facts: [FACTS[0], { subject: 'x', relation: 'region' }] },
    /facts\.jsonl:2: row 1: a fact needs an answer in the column object/,
  ],
  [
    'an empty alias',
    { facts: [{ ...FACTS[0], aliases: ['', ' '] }] },
    /the answer "" has neither a letter nor a digit/,
  ],
  ['an alias that is no text', { facts: [{ ...FACTS[0], aliases: [{ a: 1 }] }] }, /\{"a":1\} is not an answer/],
  [
    'an unknown relation',
    { facts: [{ ...FACTS[0], relation: 'regoin' }] },
    /t\.yaml has no templates for the relation "regoin"; its relations: capital, region \(did you mean "region"\?\)/,
  ],
  [
    'no subject in a template',
    { templates: 'capital: ["is"]\nregion:\n  - "{subject} is"\n  - "x"' },
    /t\.yaml:1:\d+: templates of mastery: "is" of capital is not a text with \{subject\} in it/,
  ],
  ['a template twice', { templates: 'region: ["{subject} is", "{subject} is"]' }, /stands there twice/],
  ['no list', { templates: 'capital: "x"' }, /capital is not a list of texts/],
  ['no YAML', { templates: 'capital: [' }, /t\.yaml:1:\d+: templates of mastery/],
  [
    'no file',
    { scores: '[{ mastery: { templates: none.yaml } }]' },
    /templates of mastery: cannot read .*none\.yaml: there is no such file/,
  ],
  ['a share of samples', { scores: '[{ mastery: { samples: 0.5 } }]' }, /samples/],
];

for (const [what, options, says] of bad)
  test(`refused: ${what}`, async (t) => {
    const { file } = workspace(t, options);
    await assert.rejects(run(file), (error: Error & { place?: { file: string; line?: number; column?: number } }) => {
      const { place } = error;
      const at = place ? `${place.file}:${place.line}${place.column === undefined ? '' : `:${place.column}`}: ` : '';
      assert.match(at + error.message, says);
      return true;
    });
  });

test('answers in a CSV are texts with | between them, or a JSON list; templates for all relations are a list', async (t) => {
  const { factOf, Templates } = await import('../../server/src/run/scores/factRows.ts');
  const row = (values: Record<string, unknown>) => ({ values, file: 'f.csv', row: 0, line: 2 });
  assert.deepEqual(factOf(row({ subject: 7, object: 'a|b ', aliases: '["c", "a"]' })), {
    subject: '7',
    relation: '',
    answers: ['a', 'b', 'c'],
  });
  const { folder } = workspace(t, { templates: '["{subject} and {subject} are"]' });
  const templates = Templates.read(path.join(folder, 't.yaml'));
  const given = row({ subject: '$& x', object: 'y' });
  assert.deepEqual(templates.prompts(factOf(given), given), ['$& x and $& x are ']);
});
