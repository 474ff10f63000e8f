/** Marks of the last run on a data file, refused by its hash, and the file without marked rows, byte for byte. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { RowMark } from '../../protocol/rowRequests.ts';
import { markedWords, runsOver } from '../../extension/src/rowMarkWords.ts';
import { hashFiles } from '../../server/src/checkpoints/hashFiles.ts';
import { rowMarks } from '../../server/src/run/influence/rowMarks.ts';
import { linesWithout } from '../../server/src/run/inputs/linesWithout.ts';
import { sampleResult } from '../webview/sampleResult.ts';
import { writeScoredRows } from '../webview/scoredRows.ts';

function folderOf(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-marks-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

test('harmful samples by mean rank and majority, rows that a score leaves out, masked tokens; by the hash of the file', async (t) => {
  const folder = folderOf(t);
  const { data, scoresFile, scores } = writeScoredRows(folder);
  const [sha256] = await hashFiles([data]);
  const mask = {
    ...scores.tables[1],
    score: 'token_mask',
    subject: 'token' as const,
    values: Array.from({ length: 20 }, (_, row) => (row === 4 ? 0.25 : row === 5 ? 0 : row === 6 ? 0.5 : 1)),
    parts: { 'masked tokens': Array.from({ length: 20 }, (_, row) => (row === 4 ? 3 : row === 5 ? 2 : 0)) },
    marks: [{ at: [5], words: 'every token of the answer is masked', drop: true }],
  };
  fs.writeFileSync(scoresFile, JSON.stringify({ ...scores, tables: [...scores.tables, mask] }));
  const made = sampleResult({ layers: 3, tasks: ['t'], train: 20, validation: 2 });
  const [task] = made.tasks;
  // Samples 7 and 2 have the least influence; 2 harms in one layer of three alone.
  task.influence = [0, 1, 2].map((layer) =>
    Array.from({ length: 20 }, (_, i) => (i === 7 ? -5 : i === 2 ? (layer === 0 ? -4 : 0.5) : 1 + i)),
  );
  task.train.rows = task.train.rows.map((row, i) => ({ ...row, file: 'rows.jsonl', row: i, line: i + 1 }));
  const result = {
    ...made,
    experimentFile: path.join(folder, 'rows.layerif.yaml'),
    provenance: { ...made.provenance, dataSha256: { 'rows.jsonl': sha256 } },
  };
  const resultFile = path.join(folder, 'rows.layerif-result.json');
  fs.writeFileSync(resultFile, JSON.stringify(result));
  const runs = [{ result: resultFile, scores: scoresFile }];
  const found = await rowMarks(data, runs);
  assert.equal(found!.sha256, sha256);
  assert.deepEqual(
    found!.marks.map(({ line, kind, words }) => [line, kind, words]),
    [
      [5, 'masked', 'token_mask: most tokens of the answer are masked (3 of 4)'],
      [6, 'masked', 'token_mask: every token of the answer is masked'],
      [8, 'harmful', 'harms validation of t in 3 of 3 layers; mean rank 1.0 of 20 (1 = least influence)'],
      [20, 'misaligned', 'ifd_ppl: longer than model.max_length (1.90)'],
    ],
  );
  assert.equal(await rowMarks(path.join(folder, 'other.jsonl'), runs), null, 'no run read that file');
  fs.appendFileSync(data, '{}\n');
  const stale = await rowMarks(data, runs);
  assert.deepEqual([stale!.sha256, stale!.marks], [null, []]);
  await assert.rejects(
    linesWithout({ file: data, rows: [1], sha256: sha256 }),
    /was changed since its rows were marked/,
  );
});

test('the file without rows is the file but for their lines; nothing is replaced', async (t) => {
  const folder = folderOf(t);
  const csv = path.join(folder, 'a.csv');
  fs.writeFileSync(csv, 'text,label\r\n"one, two",1\r\n"over\r\ntwo lines",2\r\nlast,3');
  const [sha256] = await hashFiles([csv]);
  const dry = await linesWithout({ file: csv, rows: [1], sha256: sha256 });
  assert.deepEqual([dry.rows, dry.of, path.basename(dry.file)], [2, 3, 'a-without-1.csv']);
  assert.equal(dry.preview, 'text,label\r\n"one, two",1\r\nlast,3');
  assert.ok(!fs.existsSync(dry.file), 'a preview writes nothing');
  await linesWithout({ file: csv, rows: [1], sha256: sha256, output: dry.file });
  assert.equal(fs.readFileSync(dry.file, 'utf8'), dry.preview);
  for (const output of [csv, dry.file])
    await assert.rejects(
      linesWithout({ file: csv, rows: [0], sha256: sha256, output }),
      /exists already: give the name/,
    );
  await assert.rejects(
    linesWithout({ file: csv, rows: [0, 1, 2], sha256: sha256 }),
    /none of the 3 rows would be left/,
  );
  const jsonl = path.join(folder, 'b.jsonl');
  fs.writeFileSync(jsonl, '{"a":1.0}\n\n{"a" : "\u202e<b>"}\n{"a":3}\n');
  const [own] = await hashFiles([jsonl]);
  assert.equal(
    (await linesWithout({ file: jsonl, rows: [2], sha256: own })).preview,
    '{"a":1.0}\n\n{"a" : "\u202e<b>"}\n',
  );
});

test('which runs speak of a file, and what the status says', () => {
  const at = (fsPath: string) => ({ uri: { fsPath } });
  const summary = (name: string) => ({
    experimentFile: path.resolve('/w/x.layerif.yaml'),
    configured: { provenance: { dataSha256: { [name]: 'a' } } },
  });
  const runs = [
    { kind: 'result', ...at('/w/2.json'), summary: summary('data/b.jsonl'), beside: [] },
    { kind: 'scores', ...at('/w/s.json'), summary: null, beside: [] },
    {
      kind: 'result',
      ...at('/w/1.json'),
      summary: summary('data/a.jsonl'),
      beside: [{ kind: 'scores', ...at('/w/1s.json') }],
    },
    { kind: 'validation', ...at('/w/v.json'), summary: null, beside: [] },
  ];
  assert.deepEqual(runsOver(path.resolve('/w/data/a.jsonl'), runs), [
    { result: null, scores: '/w/s.json' },
    { result: '/w/1.json', scores: '/w/1s.json' },
  ]);
  const mark = (row: number, kind: RowMark['kind']): RowMark => ({ line: row + 1, row, kind, words: '' });
  const marks = {
    run: '',
    experimentFile: '/w/x.layerif.yaml',
    sha256: 'a',
    marks: [mark(0, 'harmful'), mark(0, 'masked'), mark(2, 'masked')],
  };
  assert.deepEqual(markedWords(false, marks, true), {
    text: '2 rows marked',
    detail: '1 harmful, 2 masked',
    warning: false,
  });
  const stale = markedWords(false, { ...marks, sha256: null, marks: [] }, true);
  assert.equal(stale.warning, true);
  assert.match(stale.detail, /changed since it was scored: score x\.layerif\.yaml again, or bring the file back/);
  assert.match(markedWords(true, marks, true).detail, /not saved/);
  assert.match(markedWords(false, undefined, true).detail, /No run read this file/);
});
