/** What datasets reads otherwise, or not at all: documents with rows in a property, and where each row stands. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { countRows, readRows } from '../../server/src/data/formats.ts';
import { parseJson } from '../../server/src/data/readers/jsonText.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { collect, folder, refusal } from './files.ts';

async function rowsOf(root: string, name: string, field?: string): Promise<unknown[]> {
  const rows = await collect(readRows({ path: join(root, name), format: 'json', field }));
  return rows.map(({ row, line, values }) => [row, line, values]);
}

test('objects over several lines, one after the other, with the line where each begins', async (t) => {
  const root = folder(t, {
    'a.jsonl': '{\n "a": 1\n}\n\n{"a":\r\n2}{"a": 3}\r{"a": "{\\"\\u007b"}',
    'b.json': '\n[\n{"a":\n1},\r\n\r\n{"a": 2} , {"a":3}]',
  });
  assert.deepEqual(await rowsOf(root, 'a.jsonl'), [
    [0, 1, { a: 1 }],
    [1, 5, { a: 2 }],
    [2, 6, { a: 3 }],
    [3, 7, { a: '{"{' }],
  ]);
  assert.deepEqual(await rowsOf(root, 'b.json'), [
    [0, 3, { a: 1 }],
    [1, 6, { a: 2 }],
    [2, 6, { a: 3 }],
  ]);
});

test('values that cross the borders of read chunks', async (t) => {
  const long = 'ä"\\'.repeat(150_000);
  const text = JSON.stringify([{ a: long }, { a: 'b' }, { a: long }], null, 1);
  const root = folder(t, { 'a.json': text, 'b.json': text.slice(1, -1).replaceAll(/\},/g, '}') });
  for (const name of ['a.json', 'b.json']) {
    const rows = await collect(readRows({ path: join(root, name), format: 'json' }));
    assert.deepEqual(
      rows.map(({ values, line }) => [(values['a'] as string).length, line]),
      [
        [450_000, 2],
        [1, 5],
        [450_000, 8],
      ],
    );
    assert.equal(rows[2].values['a'], long);
  }
});

test('a slice of an array is read no further than its end', async (t) => {
  const root = folder(t, { 'a.json': '[{"a":1},\n{"a":2},\n{broken' });
  const rows = await collect(readRows({ path: join(root, 'a.json'), format: 'json' }, 0, 2));
  assert.deepEqual(
    rows.map(({ values }) => values),
    [{ a: 1 }, { a: 2 }],
  );
});

test('field names the property with the rows, as load_dataset does', async (t) => {
  const root = folder(t, {
    'squad.json':
      '{"version": "1, [2]",\n "tags": [{"x": 0}],\n "data": [\n  {"a": 1}, {"a": [7, 8]},\n\n  {"a": 2}],\n "end": 0}',
    'texts.json': '{"train": ["x",\n"y"], "test": ["z"]}',
    'lines.jsonl': '{"a":1}\n{"a":2}\n',
  });
  assert.deepEqual(await rowsOf(root, 'squad.json', 'data'), [
    [0, 4, { a: 1 }],
    [1, 4, { a: [7, 8] }],
    [2, 6, { a: 2 }],
  ]);
  assert.deepEqual(await rowsOf(root, 'texts.json', 'train'), [
    [0, 1, { text: 'x' }],
    [1, 2, { text: 'y' }],
  ]);
  assert.equal(await countRows({ path: join(root, 'squad.json'), format: 'json', field: 'data' }), 3);
  const dataset = await openDataset('d', { path: 'squad.json', field: 'data' }, root);
  assert.deepEqual(dataset.columns, ['a']);
  const say = (name: string, field: string): Promise<string> => refusal(() => rowsOf(root, name, field), root);
  assert.equal(
    await say('squad.json', 'train'),
    'squad.json:1: the file has no property "train" (field: train); properties: version, tags, data, end',
  );
  assert.equal(
    await say('squad.json', 'version'),
    'squad.json:1: the property "version" is a string, not an array of rows',
  );
  assert.match(
    await say('lines.jsonl', 'a'),
    /^lines\.jsonl:2: field names a property of one JSON object, but a second/,
  );
  assert.match(
    await refusal(() => openDataset('d', { path: 'a.csv', field: 'data' }, folder(t, { 'a.csv': 'a\n1\n' }))),
    /field: data names a property of a JSON document, and a\.csv is read as csv; remove it$/,
  );
});

test('one object is a document where its only array of objects holds no conversation', async (t) => {
  const root = folder(t, {
    'data.json': '{"data":[{"a":1},{"a":2}]}',
    'turns.json': '{"id": 7, "conversations":[{"from":"human","value":"x"}]}',
    'row.jsonl': '{"data":[{"a":1},{"a":2}]}',
    'data-pretty.jsonl': '{"data":\n[{"a":1},{"a":2}]}',
  });
  assert.deepEqual(await rowsOf(root, 'data.json'), [
    [0, 1, { a: 1 }],
    [1, 1, { a: 2 }],
  ]);
  assert.deepEqual(await rowsOf(root, 'turns.json'), [
    [0, 1, { id: 7, conversations: [{ from: 'human', value: 'x' }] }],
  ]);
  assert.deepEqual(await rowsOf(root, 'row.jsonl'), [[0, 1, { data: [{ a: 1 }, { a: 2 }] }]]);
  assert.deepEqual(await rowsOf(root, 'data-pretty.jsonl'), [
    [0, 2, { a: 1 }],
    [1, 2, { a: 2 }],
  ]);
});

test('JSON as Python reads it: NaN and Infinity, but not within strings, and nothing else', () => {
  assert.deepEqual(parseJson('{"a": [NaN, -Infinity, Infinity], "NaN": "NaN, \\"Infinity", "layerif:NaN": 1}'), {
    a: [NaN, -Infinity, Infinity],
    NaN: 'NaN, "Infinity',
    'layerif:NaN': 1,
  });
  assert.deepEqual(Object.keys(parseJson('{"__proto__": NaN}') as object), ['__proto__']);
  for (const text of ['-NaN', 'NaNs', 'nan', '[Infinity 1]', '+Infinity'])
    assert.throws(() => parseJson(text), SyntaxError);
});

test('nesting deeper than a call stack is read', async (t) => {
  const depth = 20_000;
  const root = folder(t, { 'a.jsonl': `{"t":"x","deep":${'['.repeat(depth)}${']'.repeat(depth)}}\n` });
  const dataset = await openDataset('d', { path: 'a.jsonl' }, root);
  assert.equal((await readSlice(dataset, 'train'))[0].values['t'], 'x');
});

test('a column that only other rows have is null, wherever they stand', async (t) => {
  const filler = Array.from({ length: 80 }, (_, i) => `{"i":${i}}`).join('\n');
  const root = folder(t, {
    'a.jsonl': `${filler}\n{"i":80,"input":"x"}\n`,
    'b/train-1.jsonl': '{"i":0}\n',
    'b/train-2.jsonl': '{"i":1,"input":"x"}\n',
  });
  const late = await openDataset('d', { path: 'a.jsonl', field_mapping: { more: 'input' } }, root);
  assert.deepEqual((await readSlice(late, 'train[:1]'))[0].values, { i: 0, input: null, more: null });
  const shards = await openDataset('d', { path: 'b' }, root);
  assert.deepEqual(
    (await readSlice(shards, 'train')).map(({ values }) => values),
    [
      { i: 0, input: null },
      { i: 1, input: 'x' },
    ],
  );
});
