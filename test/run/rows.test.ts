/**
 * `layerif rows`: orders by hand, texts and the dataset without rows from a real run, forms and bad words as the
 * command line has them.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { ResultTask } from '../../protocol/result.ts';
import type { RowList } from '../../protocol/rows.ts';
import { commandLine } from '../cli/commandLine.ts';
import { jsonLine } from '../../server/src/data/jsonLine.ts';
import { WholeFloat } from '../../server/src/data/jinja/numbers.ts';
import { orderedRows } from '../../server/src/run/influence/rows.ts';
import { csvText, markdownText } from '../../server/src/text/table.ts';
import { score, tinyWorkspace } from './workspace.ts';

/** Five rows, two layers, the second a hundred times as large. */
const influence = [
  [1, -1, 2, 3, -2],
  [500, 200, -300, -100, 100],
];

function task(values: number[][]): ResultTask {
  const n = values[0].length;
  const rows = Array.from({ length: n }, (_, row) => ({
    file: 'a.csv',
    row,
    line: row + 2,
    tokens: 7,
    truncated: false,
  }));
  const samples = { samples: n, tokens: 7 * n, truncated: 0, rows, loss: [3, 5, 1, 4, 2], gradientSquaredNorm: [] };
  const layers = values.map((_, l) => ({
    index: 4 + l,
    name: `l.${l}`,
    score: 0,
    positive: 0,
    top25: 0,
    sum: 0,
    modules: {},
  }));
  return { task: 't', train: samples, validation: samples, damping: [], influence: values, layers };
}

const lists = (values: number[][], options: Parameters<typeof orderedRows>[3], loss: 'all' | 'target' = 'target') =>
  orderedRows({ experiment: { score: { loss } } as never }, 'r.json', task(values), { top: 5, ...options });
const order = (list: RowList) => list.rows.map(({ sample }) => sample);

test('rows: mean rank, mean, votes, one layer and loss, by hand', () => {
  // Ranks from 0: layer 0 gives 2 1 3 4 0, layer 1 gives 4 3 0 1 2; means from 1: 4, 3, 2.5, 3.5, 2.
  const ranked = lists(influence, {});
  assert.deepEqual(order(ranked), [4, 2, 1, 3, 0]);
  assert.deepEqual(
    ranked.rows.map(({ value }) => value),
    [2, 2.5, 3, 3.5, 4],
  );
  assert.deepEqual([ranked.over, ranked.layers, ranked.of], ['rank', [4, 5], 5]);
  assert.deepEqual(
    ranked.rows.map(({ influence }) => influence),
    [98, -298, 199, -97, 501],
  );
  assert.deepEqual(
    ranked.rows.map(({ helps, harms }) => [helps, harms]),
    [
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 1],
      [2, 0],
    ],
  );
  assert.deepEqual(order(lists(influence, { by: 'helpful' })), [0, 3, 1, 2, 4]);
  // The mean is ruled by the large layer.
  assert.deepEqual(order(lists(influence, { over: 'mean' })), [2, 3, 4, 1, 0]);
  // The two lowest (30 % of 5, rounded up) of each layer get 2 and 1 votes: layer 0 rows 4 and 1, layer 1 rows 2 and 3.
  const voted = lists(influence, { over: 'vote' });
  assert.deepEqual(order(voted), [2, 4, 1, 3, 0]);
  assert.deepEqual(
    voted.rows.map(({ value }) => value),
    [-2, -2, -1, -1, 0],
  );
  const alone = lists(influence, { layer: 4 });
  assert.deepEqual([order(alone), alone.over, alone.layers], [[4, 1, 0, 2, 3], null, [4]]);
  assert.deepEqual(order(lists(influence, { by: 'loss', top: 2 })), [1, 3]);
  assert.throws(() => lists(influence, { layer: 3 }), /--layer 3 was not scored for task "t": use one of 4, 5$/);
});

test('rows: what the list says of itself', () => {
  assert.deepEqual(lists(influence, {}, 'target').notes, [
    'None of these rows harms validation in most layers: they are the least helpful ones.',
  ]);
  const [some, advice] = lists([influence[0]], {}, 'all').notes;
  assert.equal(some, 'Of these, 2 harm validation in most layers; the others are the least helpful of the rest.');
  assert.match(advice, /score with loss: target/);
  assert.deepEqual(lists([influence[0]], { top: 2 }).notes, []);
  assert.deepEqual(lists(influence, { by: 'helpful' }, 'all').notes, []);
});

test('JSON lines keep floats, large numbers and what Python writes for missing ones', () => {
  const row = { a: new WholeFloat(3), b: 2n ** 60n, c: [0.5, null, 'ü"'], d: { e: true, f: NaN }, g: 7 };
  assert.equal(
    jsonLine(row),
    '{"a": 3.0, "b": 1152921504606846976, "c": [0.5, null, "ü\\""], "d": {"e": true, "f": NaN}, "g": 7}',
  );
});

test('tables as text: quotes, commas and line breaks in CSV, bars in Markdown', () => {
  assert.equal(csvText([['a', 'b,c', 'd"e', 'f\ng']]), 'a,"b,c","d""e","f\ng"\r\n');
  assert.equal(markdownText([['a'], ['b|c\nd']]), '| a |\n| --- |\n| b\\|c d |\n');
});

test('layerif rows: forms, texts, and the dataset without the listed rows', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const { result, resultFile } = await score(experiment);
  const run = (...words: string[]) => commandLine(folder, ['rows', resultFile, ...words]);
  assert.match((await run()).err, /has 2 tasks: choose one with --task: sentiment, capital/);
  const one = ['--task', 'sentiment'];
  const json = JSON.parse((await run(...one, '--json', '--top', '3', '--layer', '1')).out) as RowList;
  const [own] = result.tasks;
  const lowest = own.influence[1].map((value, i) => [value, i]).sort(([a], [b]) => a - b);
  assert.deepEqual(
    json.rows.map(({ value, sample }) => [value, sample]),
    lowest.slice(0, 3),
  );
  assert.ok(json.rows.every(({ text }) => text === null));

  const shown = await run(...one, '--top', '2');
  assert.match(
    shown.out,
    /^sentiment: most harmful of 8 training samples over 3 layers by mean rank\n\nmean rank +influence +harms in +loss +row\n/,
  );
  assert.match(shown.out, /data\/reviews\.jsonl:\d+ {2}Review: .*…\n/);
  assert.match(shown.out, /Note: The whole text was scored/);
  const csv = await run(...one, '--csv', '--text', '--top', '1');
  assert.match(
    csv.out,
    /^place,sample,file,row,line,value,influence,helps,harms,loss,tokens,text\r\n1,\d,data\/reviews\.jsonl,/,
  );
  assert.match(csv.out, /"Review: [\s\S]*Sentiment: (positive|negative)"\r\n$/);
  assert.match(
    (await run(...one, '--markdown', '--top', '1')).out,
    /^\| place \| sample .*\n\| --- .*\n\| 1 \| \d \| data/,
  );

  const written = await run(...one, '--top', '3', '--json', '--without', 'clean/less.jsonl');
  assert.equal(written.code, 0, written.err);
  assert.match(written.err, /Written 5 of 8 training samples to clean\/less\.jsonl, without these 3\.\n$/);
  const left = new Set((JSON.parse(written.out) as RowList).rows.map(({ row }) => row));
  const lines = (file: string) => fs.readFileSync(path.join(folder, file), 'utf8').trimEnd().split('\n');
  const parsed = (list: string[]) => list.map((line) => JSON.parse(line) as unknown);
  assert.deepEqual(
    parsed(lines('clean/less.jsonl')),
    parsed(
      lines('data/reviews.jsonl')
        .slice(0, 8)
        .filter((_, row) => !left.has(row)),
    ),
  );
  assert.match(
    (await run(...one, '--without', 'clean/less.jsonl')).err,
    /clean\/less\.jsonl exists already: give the name of a new file/,
  );

  fs.appendFileSync(path.join(folder, 'data/reviews.jsonl'), '{"review":"x","sentiment":"positive"}\n');
  assert.match((await run(...one, '--top', '2')).out, /The texts of 2 of 2 rows cannot be shown/);
  assert.match(
    (await run(...one, '--top', '3', '--without', 'new.jsonl')).err,
    /cannot be copied: that of training sample \d is not there, not as it was scored/,
  );
  const wrong: [words: string[], message: RegExp][] = [
    [
      ['--by', 'harmfull'],
      /^unknown word for --by "harmfull": did you mean "harmful"\? Known: harmful, helpful, loss\n$/,
    ],
    [['--over', 'sum'], /^unknown word for --over "sum"; known: rank, mean, vote\n$/],
    [['--over', 'vote', '--by', 'helpful'], /^--over vote counts votes against the least helpful rows/],
    [['--csv', '--json'], /^one form at a time, not --json and --csv\n$/],
    [['--top', '0'], /--top "0" is not allowed: use a whole number from 1/],
    [['--layer', '9'], /--layer 9 was not scored for task "sentiment": use one of 0, 1, 2/],
    [['--without', 'new.jsonl'], /--without would leave none of the 8 training samples: list fewer with --top/],
    [['--by', 'helpful', '--without', 'b.jsonl'], /--without leaves out harmful rows/],
  ];
  for (const [words, message] of wrong) {
    const { code, err } = await run(...one, ...words);
    assert.equal(code, 2, err);
    assert.match(err, message);
  }
  assert.ok(!fs.existsSync(path.join(folder, 'b.jsonl')) && !fs.existsSync(path.join(folder, 'new.jsonl')));
});
