/** `layerif analyse` and `layerif table` without a process: what they say and write, and what they refuse. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Analysis } from '../../protocol/analysis.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { parseFile } from '../../protocol/files/read.ts';
import type { Result } from '../../protocol/result.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import { commandLine } from './commandLine.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-analyse-')));
after(() => fs.rmSync(folder, { recursive: true }));
const leaderboard = path.resolve(import.meta.dirname, '../reference/analysis/table.csv');
fs.copyFileSync(leaderboard, path.join(folder, 'board.csv'));

const run = (...words: string[]) => commandLine(folder, words);
async function analysed(...words: string[]): Promise<Analysis> {
  const { code, out, err } = await run('analyse', ...words, '--json');
  assert.deepEqual([code, err], [0, '']);
  return JSON.parse(out) as Analysis;
}
const write = (name: string, text: string) => fs.writeFileSync(path.join(folder, name), text);

test('a leaderboard: groups, a model, clusters and both projections, written as its schema says', async () => {
  const words = [
    'board.csv',
    '--response',
    'ARC,MMLU',
    '--factor',
    'Type',
    '--smooth',
    'Params',
    '--random',
    'Architecture',
    '--log',
    'Params',
  ];
  const found = await analysed(...words, '--features', 'ARC,MMLU,Noise', '--project', 'tsne,umap', '--output', 'out');
  const file = path.join(folder, 'out', 'board.layerif-analysis.json');
  const text = fs.readFileSync(file, 'utf8');
  const read = parseFile('analysis', text);
  assert.equal(read.fault, null);
  assert.equal(read.value.table.file, '../board.csv');
  assert.deepEqual({ ...read.value, table: 0, provenance: 0 }, { ...found, table: 0, provenance: 0 });
  assert.deepEqual(
    found.comparisons.map(({ response, factor, rows }) => [response, factor, rows]),
    [
      ['ARC', 'Type', 120],
      ['MMLU', 'Type', 120],
    ],
  );
  assert.deepEqual(
    found.models.map(({ formula }) => formula),
    ['ARC ~ s(log(Params)) + s(Architecture, bs = "re")', 'MMLU ~ s(log(Params)) + s(Architecture, bs = "re")'],
  );
  assert.ok(found.models[0].adjustedR2 > 0.9);
  // The test of curves does not hold for a random effect.
  assert.deepEqual(
    found.models[0].terms.map(({ name, kind, p }) => [name, kind, p === null]),
    [
      ['s(Params)', 'curve', false],
      ['random(Architecture)', 'random', true],
    ],
  );
  // The curve is on the table's scale: sizes, not their logarithms.
  const { x } = found.models[0].curves[0];
  assert.ok(x[0] > 0.3 && x.at(-1)! > 70);
  assert.deepEqual(
    found.projections.map(({ method, size, rows }) => [method, size, rows.length]),
    [
      ['tsne', 30, 120],
      ['umap', 15, 120],
    ],
  );
  assert.ok(found.notes.some((note) => note.includes('--cluster-by')));
});

test('what is drawn at random is the same from run to run, and another with another seed', async () => {
  const words = [
    'board.csv',
    '--response',
    'ARC',
    '--factor',
    'Type',
    '--project',
    'umap',
    '--cluster-by',
    'Architecture',
    '--output',
    'seeds',
  ];
  const [first, again, other] = [
    await analysed(...words),
    await analysed(...words),
    await analysed(...words, '--seed', '7'),
  ];
  const bare = ({ provenance: _, request: __, ...rest }: Analysis) => rest;
  assert.deepEqual(bare(again), bare(first));
  assert.notDeepEqual(other.projections[0].x, first.projections[0].x);
  assert.ok(first.comparisons[0].pairs.every(({ bootstrap }) => bootstrap && bootstrap[0] < bootstrap[1]));
  assert.ok(first.notes.some((note) => note.includes('8 such groups are few')));
});

test('nothing asked: the first column with numbers by the first with few names, and it says so', async () => {
  const found = await analysed('board.csv');
  assert.deepEqual([found.request.responses, found.request.factors], [['Params'], ['Type']]);
  assert.match(
    (await run('analyse', 'board.csv')).out,
    /Chosen by itself: response "Params"[^]*Chosen by itself: factor "Type"/,
  );
});

test('bins, missing values, doubles', async () => {
  write('gaps.csv', 'size,score,other\n1,10,1\n2,NA,2\n3,12,3\n5,14,5\n7,,7\n9,19,9\n9,19,9\n,20,10\n11,25,12\n');
  const found = await analysed(
    'gaps.csv',
    '--response',
    'score',
    '--factor',
    'size',
    '--bins',
    'size=3,8',
    '--features',
    'size,score',
    '--clusters',
    '2',
  );
  const [{ groups, rows, notes }] = found.comparisons;
  assert.deepEqual(
    groups.map(({ name, count }) => [name, count]),
    [
      ['< 3', 1],
      ['[3, 8)', 2],
      ['≥ 8', 3],
    ],
  );
  assert.equal(rows, 6);
  assert.match(notes[0], /^3 of 9 rows lack a value/);
  assert.deepEqual([found.clusters!.missing, found.clusters!.repeated, found.clusters!.rows.length], [3, 1, 5]);
});

const refused: [name: string, text: string | null, words: string[], message: RegExp][] = [
  [
    'one group',
    'g,y\na,1\na,2\na,3\n',
    ['--response', 'y', '--factor', 'g'],
    /column "g" \(factor\) has one group, "a"/,
  ],
  [
    'one group with values',
    'g,y\na,1\na,2\nb,\n',
    ['--response', 'y', '--factor', 'g'],
    /only the group "a" has values/,
  ],
  [
    'a constant',
    'g,y\na,1\nb,1\nb,1\n',
    ['--response', 'y', '--factor', 'g'],
    /column "y" \(response\) is 1 in every row/,
  ],
  [
    'no variance in groups',
    'g,y\na,1\na,1\nb,2\nb,2\n',
    ['--response', 'y', '--factor', 'g'],
    /within every group all values are the same/,
  ],
  ['groups of one', 'g,y\na,1\nb,2\nc,4\n', ['--response', 'y', '--factor', 'g'], /every group has one row/],
  [
    'a word among numbers',
    'g,y\na,1\na,2\nb,high\nb,3\n',
    ['--response', 'y', '--factor', 'g'],
    /one\.csv:4: row 3, column "y" \(response\): "high" is not a number/,
  ],
  [
    'a percent sign',
    'g,y\na,1\nb,2%\nb,3\n',
    ['--response', 'y'],
    /row 2, column "y" \(response\): "2%" is not a number/,
  ],
  ['a logarithm of 0', null, ['--response', 'ARC', '--smooth', 'Noise', '--log', 'Zero'], /no column "Zero"/],
  [
    'collinear',
    'x,z,y\n1,2,1\n2,4,3\n3,6,2\n4,8,5\n5,10,4\n6,12,7\n',
    ['--response', 'y', '--smooth', 'x,z'],
    /"z" can be computed from the columns before \(collinear\)/,
  ],
  [
    'few values for a curve',
    'x,y\n1,2\n2,4\n3,6\n1,8\n2,10\n',
    ['--response', 'y', '--smooth', 'x'],
    /"x" has 3 different values, a curve needs at least 4/,
  ],
  [
    'few rows for t-SNE',
    'x,y\n1,2\n2,4\n3,6\n4,1\n5,0\n',
    ['--response', 'y', '--project', 'tsne', '--perplexity', '5'],
    /--perplexity 5 is not allowed for 5 different rows/,
  ],
  [
    'few rows for UMAP',
    'x,y\n1,2\n2,4\n3,6\n4,1\n5,0\n',
    ['--response', 'y', '--project', 'umap', '--neighbours', '5'],
    /--neighbours 5 is not allowed/,
  ],
  ['few rows at all', 'x,y\n1,2\n2,4\n', [], /has 2 rows below its header/],
  [
    'few different rows',
    'x,y\n1,2\n1,2\n3,6\n3,6\n',
    ['--response', 'y', '--features', 'x,y'],
    /2 different rows have all of x, y/,
  ],
  [
    'too many clusters',
    'x,y\n1,2\n2,4\n3,6\n4,1\n',
    ['--response', 'y', '--features', 'x,y', '--clusters', '4'],
    /use a whole number from 2 to 3/,
  ],
  ['no numbers', 'x,y\na,b\nc,d\ne,f\n', [], /no column holds numbers that differ/],
  ['nothing to explain by', 'x,y\n1,2\n2,5\n3,4\n', ['--response', 'y'], /nothing to explain "y" by/],
  ['an empty column', 'x,y\n1,\n2,\n3,\n', ['--response', 'y'], /column "y" \(response\) has no value in any row/],
  ['a ragged row', 'x,y\n1,2\n2\n3,4\n', [], /one\.csv:3: row 1 has 1 values where the header names 2 columns/],
  ['an unknown column', null, ['--response', 'arc'], /no column "arc" \(did you mean "ARC"\?\); it has model, Type/],
  [
    'bins that fall',
    null,
    ['--response', 'ARC', '--factor', 'Params', '--bins', 'Params=3,1'],
    /bins of "Params": 3, 1 are no edges/,
  ],
  ['bins without edges', null, ['--response', 'ARC', '--bins', 'Params'], /--bins "Params" is not allowed/],
  ['too many groups', null, ['--response', 'ARC', '--factor', 'model'], /has 120 groups, more than 60/],
  ['another projection', null, ['--project', 'pca'], /--project "pca" is unknown/],
  ['curves by a factor without a curve', null, ['--response', 'ARC', '--by', 'Type'], /name its column with --smooth/],
];

for (const [name, text, words, message] of refused)
  test(`refused in one line: ${name}`, async () => {
    if (text !== null) write('one.csv', text);
    const { code, out, err } = await run('analyse', text === null ? 'board.csv' : 'one.csv', ...words);
    assert.deepEqual([code, out], [2, ''], err);
    assert.match(err, message);
    assert.equal(err.trimEnd().split('\n').length, 1);
  });

test('files that are no tables', async () => {
  write('board.txt', 'x');
  for (const [name, message] of [
    ['board.txt', /neither \.csv nor \.tsv/],
    ['bord.csv', /it does not exist \(did you mean "board\.csv"\?\)/],
    ['.csv', /does not exist/],
  ] as const) {
    const { code, err } = await run('analyse', name);
    assert.equal(code, 2);
    assert.match(err, message);
  }
});

const golden = path.resolve(import.meta.dirname, '../golden/files');

test('runs as a table: tasks with settings, losses and metrics; layers with all scores; and the analysis of it', async () => {
  const runs = path.join(folder, 'runs');
  fs.mkdirSync(runs);
  for (const kind of ['result', 'scores', 'evaluation'])
    fs.copyFileSync(path.join(golden, `tiny.layerif-${kind}.json`), path.join(runs, `tiny.layerif-${kind}.json`));
  const read = (kind: string) =>
    JSON.parse(fs.readFileSync(path.join(runs, `tiny.layerif-${kind}.json`), 'utf8')) as Record<string, never>;
  const result = read('result') as unknown as Result;
  const evaluation = read('evaluation') as unknown as Evaluation;
  const scores = read('scores') as unknown as ScoresFile;

  const tasks = JSON.parse((await run('table', 'runs', '--json')).out) as {
    columns: string[];
    rows: Record<string, unknown>[];
  };
  assert.equal(tasks.rows.length, result.tasks.length + Object.keys(evaluation.results).length);
  const first = tasks.rows.find(({ file }) => file === 'runs/tiny.layerif-result.json')!;
  const { loss } = result.tasks[0].validation;
  assert.equal(first.validation_loss, loss.reduce((sum, value) => sum + value, 0) / loss.length);
  assert.deepEqual([first.model, first.estimator], [result.model.name, 'datainf']);
  const evaluated = tasks.rows.find(({ file }) => file === 'runs/tiny.layerif-evaluation.json')!;
  assert.equal(evaluated.acc, evaluation.results[evaluated.task as string]['acc,none']);

  const { code, out } = await run('table', 'runs', '--unit', 'layer', '--output', 'layers.csv');
  assert.deepEqual([code, /\d+ rows and \d+ columns in layers\.csv/.test(out)], [0, true]);
  const lines = fs.readFileSync(path.join(folder, 'layers.csv'), 'utf8').trimEnd().split('\n');
  assert.equal(lines.length, 1 + result.tasks.length * result.model.layers);
  const columns = lines[0].split(',');
  const owl = scores.tables.find(({ score }) => score === 'owl')!;
  const cells = lines[1].split(',');
  assert.equal(Number(cells[columns.indexOf('score')]), result.tasks[0].layers[0].score);
  assert.equal(Number(cells[columns.indexOf('owl')]), owl.values[0]);
  const found = await analysed('layers.csv', '--response', 'score', '--factor', 'layer');
  assert.equal(found.comparisons[0].groups.length, result.model.layers);
});

for (const [name, words, message] of [
  ['nothing there', ['table', 'nowhere'], /nowhere does not exist: give files \*\.layerif-result\.json/],
  ['a folder without runs', ['table', 'empty'], /holds no \*\.layerif-result\.json/],
  ['another file', ['table', 'board.csv'], /board\.csv cannot be part of a table/],
  ['another unit', ['table', 'runs', '--unit', 'sample'], /--unit "sample" is unknown: use task or layer/],
  [
    'no layers',
    ['table', 'runs/tiny.layerif-evaluation.json', '--unit', 'layer'],
    /nothing there has a row for each layer/,
  ],
  ['another ending', ['table', 'runs', '--output', 'x.txt'], /does not end in \.csv/],
] as const)
  test(`no table: ${name}`, async () => {
    fs.mkdirSync(path.join(folder, 'empty'), { recursive: true });
    const { code, out, err } = await run(...words);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, message);
  });
