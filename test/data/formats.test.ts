import { test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnsOf, countRows, dataEndings, formatOf, readRows, type DataFile } from '../../server/src/data/formats.ts';
import { WholeFloat } from '../../server/src/data/jinja/numbers.ts';
import { collect, folder, refusal } from './files.ts';
import { toUtf8 } from '../../server/src/files/utf8.ts';

const reference = join(import.meta.dirname, '../reference/data');

function file(path: string): DataFile {
  return { path, format: formatOf(path)! };
}

async function short(path: string, start?: number, end?: number): Promise<unknown[]> {
  return (await collect(readRows(file(path), start, end))).map(({ row, line, values }) => [row, line, values]);
}

test('endings tell the format, in any case', () => {
  const found = dataEndings.map((ending) => [ending, formatOf(`a/B${ending.toUpperCase()}`)]);
  assert.deepEqual(found, [
    ['.jsonl', 'json'],
    ['.ndjson', 'json'],
    ['.json', 'json'],
    ['.csv', 'csv'],
    ['.tsv', 'tsv'],
    ['.parquet', 'parquet'],
    ['.arrow', 'arrow'],
    ['.txt', 'text'],
  ]);
  assert.equal(formatOf('a.xlsx'), null);
});

test('JSON lines: empty lines are skipped and counted, byte order mark, CRLF, U+2028, no last line break', async (t) => {
  const root = folder(t, { 'a.jsonl': '\uFEFF{"a":1}\r\n\n  \t\r\n{"a":"x\u2028y"}\n{"a":3}' });
  const path = join(root, 'a.jsonl');
  const rows = [
    [0, 1, { a: 1 }],
    [1, 4, { a: 'x\u2028y' }],
    [2, 5, { a: 3 }],
  ];
  assert.deepEqual(await short(path), rows);
  assert.deepEqual(await short(path, 1, 2), rows.slice(1, 2));
  assert.equal(await countRows(file(path)), 3);
});

test('JSON lines: lines longer than a read chunk', async (t) => {
  const long = 'ä'.repeat(400_000);
  const root = folder(t, { 'a.jsonl': `{"a":"${long}"}\n{"a":"${long}b"}\n` });
  const rows = await collect(readRows(file(join(root, 'a.jsonl'))));
  assert.deepEqual(
    rows.map((row) => (row.values['a'] as string).length),
    [400_000, 400_001],
  );
});

test('JSON lines: a broken line is an error with its line, and only when it is reached', async (t) => {
  const root = folder(t, { 'a.jsonl': '{"a":1}\n\n{"a":2,}\n', 'b.jsonl': '[1]\n', 'c.jsonl': 'null\n' });
  assert.deepEqual(await short(join(root, 'a.jsonl'), 0, 1), [[0, 1, { a: 1 }]]);
  assert.match(
    await refusal(() => short(join(root, 'a.jsonl')), root),
    /^a\.jsonl:3: row 1 is not JSON: column 8: "}" stands where a name in double quotes is expected; write one complete JSON object a line$/,
  );
  assert.equal(
    await refusal(() => short(join(root, 'b.jsonl')), root),
    'b.jsonl:1: row 0 is an array, not a JSON object with named columns; write {"name": value, ...} for every row',
  );
  assert.equal(
    await refusal(() => short(join(root, 'c.jsonl')), root),
    'c.jsonl:1: row 0 is null, not a JSON object with named columns; write {"name": value, ...} for every row',
  );
});

test('text that is not UTF-8 is named with its line', async (t) => {
  const root = folder(t, {
    'a.jsonl': Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.from([0xe9]), Buffer.from('"}\n')]),
    'b.txt': Buffer.from('\uFEFFhi\n', 'utf16le'),
    'c.csv': Buffer.concat([Buffer.from('a\n1\n'), Buffer.from([0xff, 0x0a])]),
  });
  assert.equal(
    await refusal(() => short(join(root, 'a.jsonl')), root),
    `a.jsonl:2: the text is not UTF-8, perhaps Latin-1 or Windows-1252; ${toUtf8('WINDOWS-1252')}`,
  );
  assert.equal(
    await refusal(() => short(join(root, 'b.txt')), root),
    `b.txt:1: the text is UTF-16, UTF-8 is needed; ${toUtf8('UTF-16')}`,
  );
  assert.match(await refusal(() => short(join(root, 'c.csv')), root), /^c\.csv:3: the text is not UTF-8, /);
});

test('JSON documents: an array, one array property, lines under .json, elements with their lines', async (t) => {
  const root = folder(t, {
    'array.json': '[\n  {"a": "[{"},\n\n  {"a": [{"b": 1}]}, {"a": 3}\n]\n',
    'data.json': '{"version": "1",\n "tags": ["x"],\n "data": [{"a": 1},\n  {"a": 2}]}\n',
    'oneline.json': '{"data": [{"a": 1}, {"a": 2}]}',
    'lines.json': '{"a": 1}\n{"a": [2]}\n',
    'single.json': '{"a": 1}',
    'empty.json': '[]',
  });
  assert.deepEqual(await short(join(root, 'array.json')), [
    [0, 2, { a: '[{' }],
    [1, 4, { a: [{ b: 1 }] }],
    [2, 4, { a: 3 }],
  ]);
  assert.deepEqual(await short(join(root, 'data.json')), [
    [0, 3, { a: 1 }],
    [1, 4, { a: 2 }],
  ]);
  assert.deepEqual(await short(join(root, 'oneline.json'), 1), [[1, 1, { a: 2 }]]);
  assert.deepEqual(await short(join(root, 'lines.json')), [
    [0, 1, { a: 1 }],
    [1, 2, { a: [2] }],
  ]);
  assert.deepEqual(await short(join(root, 'single.json')), [[0, 1, { a: 1 }]]);
  assert.equal(await countRows(file(join(root, 'array.json'))), 3);
  assert.equal(await countRows(file(join(root, 'empty.json'))), 0);
});

test('JSON documents that hold no rows', async (t) => {
  const root = folder(t, {
    'broken.json': '[\n  {"a": 1},\n  {"a" 2}\n]',
    'two.json': '{\n"x": [{"a": 1}],\n"y": [{"a": 1}]}',
    'number.json': '[1, 2]',
    'scalar.json': '7',
  });
  const say = (name: string): Promise<string> => refusal(() => short(join(root, name)), root);
  assert.match(
    await say('broken.json'),
    /^broken\.json:3: the file is not JSON: column 6: "2" stands where a colon is expected; /,
  );
  assert.equal(
    await say('two.json'),
    'two.json:1: the file holds one object with 2 arrays (x, y) of rows; name one of them with field: x, or write an array of objects, or one object a line',
  );
  assert.match(await say('number.json'), /row 0 is a number, not a JSON object with named columns; write /);
  assert.equal(
    await say('scalar.json'),
    'scalar.json:1: the file holds a number; write an array of objects, or one object a line',
  );
});

test('CSV: quoted line breaks, lines, empty lines, byte order mark, CRLF, last line without break', async (t) => {
  const root = folder(t, {
    'a.csv': '\uFEFFtext,label\r\n"one,\r\n""two""\r\nthree",x\r\n\r\nfour,y\r\nfive,',
    'b.tsv': 'a\tb\n1,5\t"q\nr"\n',
  });
  assert.deepEqual(await short(join(root, 'a.csv')), [
    [0, 2, { text: 'one,\r\n"two"\r\nthree', label: 'x' }],
    [1, 6, { text: 'four', label: 'y' }],
    [2, 7, { text: 'five', label: null }],
  ]);
  assert.deepEqual(await short(join(root, 'a.csv'), 1, 2), [[1, 6, { text: 'four', label: 'y' }]]);
  assert.deepEqual(await columnsOf(file(join(root, 'a.csv'))), ['text', 'label']);
  assert.equal(await countRows(file(join(root, 'a.csv'))), 3);
  assert.deepEqual(await short(join(root, 'b.tsv')), [[0, 2, { a: '1,5', b: 'q\nr' }]]);
});

test('CSV: types of columns as datasets has them, by the first 10,000 rows', async (t) => {
  const root = folder(t, {
    'a.csv': 'int,real,id,mixed,gap\n1,0.5,007,1,3\n-2,2,008,x,\n',
    'long.csv': `a\n${'1\n'.repeat(10_000)}x\n2\n\n`,
  });
  const rows = await short(join(root, 'a.csv'));
  assert.deepEqual(rows, [
    [0, 2, { int: 1, real: 0.5, id: 7, mixed: '1', gap: new WholeFloat(3) }],
    [1, 3, { int: -2, real: new WholeFloat(2), id: 8, mixed: 'x', gap: null }],
  ]);
  assert.deepEqual(await short(join(root, 'long.csv'), 9_999), [
    [9_999, 10_001, { a: 1 }],
    [10_000, 10_002, { a: 'x' }],
    [10_001, 10_003, { a: 2 }],
  ]);
});

test('CSV: ragged rows and open quotes are errors with the line', async (t) => {
  const root = folder(t, {
    'few.csv': 'a,b\n1,"x\ny"\n3\n',
    'many.csv': 'a,b\n1,2,3\n',
    'open.csv': 'a,b\n1,"2\n',
  });
  const say = (name: string): Promise<string> => refusal(() => short(join(root, name)), root);
  assert.equal(
    await say('few.csv'),
    'few.csv:4: row 1 has 1 values where the header names 2 columns (a, b); quote a field that holds the separator',
  );
  assert.match(await say('many.csv'), /^many\.csv:2: row 0 has 3 values where the header names 2 columns/);
  assert.match(await say('open.csv'), /the line is not valid CSV: Quote Not Closed/);
});

test('an empty file has no rows and no columns', async (t) => {
  const root = folder(t, { 'a.csv': '', 'a.jsonl': '', 'a.txt': '' });
  for (const name of ['a.csv', 'a.jsonl', 'a.txt']) {
    assert.equal(await countRows(file(join(root, name))), 0);
    assert.deepEqual(await short(join(root, name)), []);
  }
  assert.deepEqual(await columnsOf(file(join(root, 'a.csv'))), []);
});

test('plain text: one row a line, column text', async (t) => {
  const root = folder(t, { 'a.txt': 'one\r\n\ntwo' });
  assert.deepEqual(await short(join(root, 'a.txt')), [
    [0, 1, { text: 'one' }],
    [1, 2, { text: '' }],
    [2, 3, { text: 'two' }],
  ]);
  assert.deepEqual(await short(join(root, 'a.txt'), 2), [[2, 3, { text: 'two' }]]);
  assert.equal(await countRows(file(join(root, 'a.txt'))), 3);
});

for (const codec of ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4']) {
  test(`Parquet, ${codec}: values as pyarrow wrote them, slices across row groups`, async () => {
    const path = join(reference, `${codec}.parquet`);
    const rows = await collect(readRows(file(path), 3, 9));
    assert.deepEqual(
      rows.map((row) => [row.row, row.line, row.values['text']]),
      [3, 4, 5, 6, 7, 8].map((i) => [i, null, `row ${i}`]),
    );
    assert.deepEqual(
      { ...rows[1].values, day: String(rows[1].values['day']) },
      {
        text: 'row 4',
        label: 1,
        big: 2n ** 60n + 4n,
        small: new WholeFloat(1),
        flag: true,
        choices: ['a4', 'b4'],
        nested: { label: ['A', 'B'], n: 4 },
        gap: 'x',
        day: '2024-01-05',
        dictionary: 'u',
      },
    );
    assert.equal(rows[0].values['gap'], null);
    assert.equal(await countRows(file(path)), 10);
    assert.deepEqual(await columnsOf(file(path)), Object.keys(rows[0].values));
  });
}

test('Parquet that is none', async (t) => {
  const root = folder(t, { 'a.parquet': 'not parquet at all, but long enough' });
  copyFileSync(join(reference, 'zstd.parquet'), join(root, 'b.parquet'));
  assert.match(
    await refusal(() => short(join(root, 'a.parquet')), root),
    /^a\.parquet: the file is not readable as Parquet: /,
  );
});

test('a file that vanished, and a count that follows the file', async (t) => {
  const root = folder(t, { 'a.jsonl': '{"a":1}\n' });
  const path = join(root, 'a.jsonl');
  assert.equal(
    await refusal(() => short(join(root, 'gone.jsonl')), root),
    'gone.jsonl: cannot read the data file: it does not exist',
  );
  assert.equal(await countRows(file(path)), 1);
  writeFileSync(path, '{"a":1}\n{"a":2}\n');
  assert.equal(await countRows(file(path)), 2);
});
