/**
 * Answers with whether they are hallucinated, from the experiment file to the table and its export: labelled, in pairs,
 * choices of a task, written by the model itself; and what is refused, with the place, while other scores finish.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { exportScores } from '../../server/src/run/decide/exportScores.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { workspaceOf } from './scoredSets.ts';

const engine = new EnginePool();
after(() => engine.dispose());

const questions = Array.from({ length: 6 }, (_, i) => `What is the capital of country ${i}?`);

const entry = (dataset: string, more = '') =>
  `eavss: { permutations: 99, texts: { dataset: ${dataset}, split: "train"${more} } }`;

/** Files of a folder and below with answers. */
const answerFiles = (folder: string) =>
  fs
    .readdirSync(path.join(folder, 'runs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /answers-[0-9a-f]{16}\.json$/.test(file))
    .map((file) => path.join(folder, 'runs', file));

const labelled = questions.flatMap((question, i) => [
  { question, answer: `city number ${i}`, hallucination: 'no' },
  { question, answer: `a village of ${i} people at the sea`, hallucination: 'yes' },
]);

test('labelled answers: equally many tokens of both kinds, shuffled within the question, exported', async (t) => {
  const { scores, scoresFile } = await workspaceOf(t, engine, { qa: labelled }, [entry('qa')]).run();
  const [table] = scores!.tables;
  assert.match(table.texts!, /^train of qa: 12 answers \(labelled\), (\d+) of their \d+ tokens$/);
  assert.match(
    table.notes[0],
    /6 hallucinated and 6 truthful answers; labels are shuffled within each of the 6 questions/,
  );
  assert.ok(Math.abs(table.values.reduce<number>((a, b) => a + b!, 0) - 2) < 1e-9);
  assert.deepEqual([table.question, table.status, table.p!.length], ['find_hallucination', 'ours', 3]);
  const withMarks = (marks: object[]) => {
    const file = JSON.parse(fs.readFileSync(scoresFile!, 'utf8')) as { tables: { marks?: object[] }[] };
    file.tables[0].marks = marks;
    fs.writeFileSync(scoresFile!, JSON.stringify(file));
  };
  withMarks([]);
  assert.throws(() => exportScores({ scoresFile: scoresFile!, to: 'prone-list' }), /no layer differs/);
  withMarks([{ at: [0, 2], words: 'prone to hallucination: highest quarter' }]);
  assert.equal(exportScores({ scoresFile: scoresFile!, to: 'prone-list' }).content, 'layers.0\nlayers.2\n');
});

test('the same answers in pairs, with labels, by columns and by templates; choices of a task', async (t) => {
  const pairs = questions.map((question, i) => {
    return { question, best_answer: `city ${i}`, incorrect_answers: ['', null, `lake ${i}`] };
  });
  const rows = pairs.flatMap(({ question, best_answer, incorrect_answers }) => [
    { q: question, a: best_answer, wrong: 0 },
    { q: question, a: incorrect_answers[2], wrong: 1 },
  ]);
  const { scores } = await workspaceOf(t, engine, { pairs, rows }, [
    entry('pairs'),
    entry('rows', ', prompt: q, answer: a, label: wrong, hallucinated: "1"'),
    entry('rows', ', prompt: "{{q}}", answer: "{{a}}", label: "{{wrong}}", hallucinated: "1"'),
    // The right choice is truthful.
    entry('reviews'),
    'agreement',
  ]).run();
  const [first, choices] = scores!.tables;
  assert.match(first.texts!, /12 answers \(pairs of a right and a wrong one\)/);
  assert.match(choices.texts!, /^train of reviews: 24 answers \(pairs/);
  assert.equal(scores!.tables.length, 3, 'equal answers, labels and options are one table');
});

test("the model's own answers are judged by aliases, written once, and kept", async (t) => {
  const own = ', aliases: answers, max_new_tokens: 6';
  const wrong = questions.map((question) => ({ question, answers: ['nothing that it says'] }));
  const first = workspaceOf(t, engine, { qa: wrong }, [entry('qa', own)]);
  await assert.rejects(
    first.run(),
    /6 of 6 answers \(train of qa\) are hallucinated: at least 2 of each kind are needed/,
  );
  const { answers } = JSON.parse(fs.readFileSync(answerFiles(first.folder)[0], 'utf8')) as {
    answers: { text: string; tokens: number[] }[];
  };
  assert.ok(answers.every(({ tokens }) => tokens.length >= 1 && tokens.length <= 6));
  // What it says to some of the questions becomes an alias.
  const spoken = (i: number) => i % 2 === 1 && /[\p{L}\p{N}]/u.test(answers[i].text);
  const judged = questions.map((question, i) => ({ question, answers: [spoken(i) ? answers[i].text : '...'] }));
  const count = questions.filter((_, i) => spoken(i)).length;
  assert.ok(count >= 2, `${count} of the tiny model's answers have a word`);
  const second = workspaceOf(t, engine, { qa: judged }, [entry('qa', own)]);
  const { scores } = await second.run();
  assert.match(scores!.tables[0].texts!, /6 answers \(the model's own, compared with the right ones\)/);
  assert.match(scores!.tables[0].notes[0], new RegExp(`^${6 - count} hallucinated and ${count} truthful`));
  assert.ok(scores!.provenance.seconds.answers > 0, 'writing answers is a part of the time that the run says');
  assert.equal(answerFiles(second.folder).length, 1);
  assert.deepEqual((await second.run()).passes, []);
});

const bad: [dataset: string, rows: object[], more: string, message: RegExp][] = [
  [
    'one',
    labelled.filter(({ hallucination }) => hallucination === 'no'),
    '',
    /nothing says which label means a hallucinated answer \(train of one\); set hallucinated to one of "no"/,
  ],
  [
    'dumb',
    labelled.map((row, i) => ({ ...row, hallucination: 'ab'[i % 2] })),
    '',
    /set hallucinated to one of "a", "b"/,
  ],
  ['other', labelled, ', hallucinated: maybe', /no answer has the label "maybe" .*"no", "yes"/],
  [
    'unlabelled',
    labelled.map(({ question, answer }) => ({ question, answer })),
    '',
    /dataset "unlabelled" says nothing of hallucinated answers: name columns/,
  ],
  [
    'typo',
    labelled,
    ', answer: answr',
    /dataset "typo" has no column "answr" for answer; columns: .*did you mean "answer"/i,
  ],
  [
    'unasked',
    labelled.map(({ answer, hallucination }) => ({ answer, hallucination })),
    '',
    /dataset "unasked" has no column question or prompt/,
  ],
  [
    'empty',
    labelled.map((row, i) => (row.hallucination === 'yes' && i > 1 ? { ...row, answer: ' ' } : row)),
    '',
    /1 of 7 answers \(train of empty\) are hallucinated; empty answers of rows 3, 5, 7, 9, 11 are left out: at least 2 of each kind/,
  ],
  [
    'long',
    labelled,
    ', aliases: answer, max_new_tokens: 500',
    /max_new_tokens 500 leaves no room for a prompt in the 128 tokens of max_length/,
  ],
];

test('what cannot be compared is said in one line each, and the other scores finish; an empty answer is named', async (t) => {
  const one = labelled.map((row, i) => (i === 3 ? { ...row, answer: '' } : row));
  const { scores } = await workspaceOf(
    t,
    engine,
    { ...Object.fromEntries(bad.map(([name, rows]) => [name, rows])), some: one },
    [...bad.map(([name, , more]) => entry(name, more)), entry('some'), 'block_influence'],
  ).run();
  assert.deepEqual(
    scores!.tables.map(({ score }) => score),
    ['eavss', 'block_influence'],
  );
  const [table] = scores!.tables;
  assert.match(table.texts!, /11 answers .*; empty answers of row 3 are left out$/);
  assert.match(table.notes[0], /within the 5 questions that have both, and among the answers to the others/);
  bad.forEach(([name, , , message], i) => {
    const said = scores!.refused![i].message;
    assert.match(said, message, name);
    assert.equal(said.split('\n').length, 1);
  });
});
