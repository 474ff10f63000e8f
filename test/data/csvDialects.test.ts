/**
 * CSV and TSV dialects: the texts that pandas finds, the types that datasets gives (test/reference/data/dialects.py),
 * and refusals.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleOf } from '../../server/src/data/context.ts';
import { pythonText } from '../../server/src/data/jinja/text.ts';
import { WholeFloat } from '../../server/src/data/jinja/numbers.ts';
import { csv, tsv } from '../../server/src/data/readers/csv.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { aTask } from './tasks.ts';
import { collect, folder, refusal } from './files.ts';
import { toUtf8 } from '../../server/src/files/utf8.ts';

interface Case {
  name: string;
  /** The bytes as Latin-1. */
  content: string;
  /** Null: pandas refuses the file. */
  rows: Record<string, unknown>[] | null;
}

const reference = (name: string): Case[] =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../reference/data', name), 'utf8')) as Case[];

/** As the file has them, before columns have types. */
async function textsOf(root: string, name: string): Promise<Record<string, unknown>[]> {
  const reader = name.endsWith('.tsv') ? tsv : csv;
  return (await collect(reader.rows(join(root, name), 0, Infinity, {}))).map(({ values }) => values);
}

async function rowsOf(root: string, name: string): Promise<Record<string, unknown>[]> {
  const dataset = await openDataset('d', { path: name }, root);
  if ((await dataset.count('train')) === 0) return [];
  return (await readSlice(dataset, 'train')).map(({ values }) => values);
}

for (const { name, content, rows } of reference('csv_dialects.json')) {
  test(`${name}: ${rows === null ? 'refused with a line' : 'the texts of pandas'}`, async (t) => {
    const root = folder(t, { [name]: Buffer.from(content, 'latin1') });
    if (rows === null)
      assert.match(
        await refusal(() => textsOf(root, name), root),
        new RegExp(`^${name.replaceAll('.', '\\.')}:\\d+: `),
      );
    else assert.deepEqual(await textsOf(root, name), rows);
  });
}

for (const { name, content, rows } of reference('csv_types.json')) {
  test(`${name}: the types of datasets`, async (t) => {
    const typed = (value: unknown): unknown => {
      const isFloat = value instanceof WholeFloat || (typeof value === 'number' && !Number.isInteger(value));
      return isFloat ? { float: pythonText(value) } : value;
    };
    const found = await rowsOf(folder(t, { [name]: content }), name);
    assert.deepEqual(
      found.map((values) =>
        Object.fromEntries(Object.entries(values).map(([column, value]) => [column, typed(value)])),
      ),
      rows,
    );
  });
}

test('True and False, 0.0 and 1.0 are indices of choices; where they are choices themselves, their text decides', async (t) => {
  const root = folder(t, {
    'bool.csv': 'text,label\na,True\nb,False\n',
    'float.csv': 'text,label\na,0.0\nb,1.0\n',
  });
  const answers = async (name: string, choices: string[], target = 'label') => {
    const dataset = await openDataset('d', { path: name }, root);
    const task = aTask({ doc_to_text: 'text', doc_to_target: target, doc_to_choice: choices });
    return (await readSlice(dataset, 'train')).map((row) => exampleOf(task, row).answer);
  };
  assert.deepEqual(await answers('bool.csv', ['no', 'yes']), ['yes', 'no']);
  assert.deepEqual(await answers('bool.csv', ['True', 'False']), ['True', 'False']);
  assert.deepEqual(await answers('bool.csv', ['true', 'false']), ['true', 'false']);
  assert.deepEqual(await answers('bool.csv', ['no', 'yes'], "{{ 'yes' if label else 'no' }}"), ['yes', 'no']);
  assert.deepEqual(await answers('float.csv', ['no', 'yes']), ['no', 'yes']);
  assert.deepEqual(await answers('float.csv', ['no', 'yes'], '{{ label }}'), ['no', 'yes']);
});

test('another separator is named, with what to do; a single column may hold it', async (t) => {
  const root = folder(t, {
    'semicolon.csv': 'text;label\na;1\nb;0\n',
    'tab.csv': 'text\tlabel\na\t1\n',
    'comma.tsv': 'text,label\na,1\nb,0\n',
    'single.csv': 'text; or not\na\nb;c;d\n',
  });
  const say = (name: string): Promise<string> => refusal(() => rowsOf(root, name), root);
  assert.equal(
    await say('semicolon.csv'),
    'semicolon.csv:1: the values are separated by semicolons ("text;label"), not by commas; save the file with commas',
  );
  assert.match(
    await say('tab.csv'),
    /separated by tabs .* not by commas; save the file with commas or give ds_type: tsv$/,
  );
  assert.match(
    await say('comma.tsv'),
    /separated by commas .* not by tabs; save the file with tabs or give ds_type: csv$/,
  );
  assert.deepEqual(await rowsOf(root, 'single.csv'), [{ 'text; or not': 'a' }, { 'text; or not': 'b;c;d' }]);
});

test('NUL bytes, other encodings and files of another kind are refused with the line', async (t) => {
  const rows = Array.from({ length: 40_000 }, (_, i) => `text ${i},${i}`).join('\n');
  const bytes = Buffer.from(`text,label\n${rows}\nb\u00e9,0\n`, 'latin1');
  const root = folder(t, {
    'latin1.csv': bytes,
    'nul.csv': 'text,label\na,1\nb\0,0\n',
    'utf16.csv': Buffer.from('text,label\na,1\n', 'utf16le'),
    'utf16-mark.csv': Buffer.from('\uFEFFtext,label\na,1\n', 'utf16le'),
    'nul.jsonl': '{"a":1}\n{"a":"\0"}\n',
    'nul.txt': 'a\n\0\n',
  });
  const say = (name: string): Promise<string> => refusal(() => rowsOf(root, name), root);
  assert.equal(
    await say('latin1.csv'),
    `latin1.csv:40002: the text is not UTF-8, perhaps Latin-1 or Windows-1252; ${toUtf8('WINDOWS-1252')}`,
  );
  const nul =
    'the line holds a NUL byte: the file is no text, or damaged, or UTF-16 without its mark; save it as UTF-8 text';
  assert.equal(await say('nul.csv'), `nul.csv:3: ${nul}`);
  assert.equal(await say('utf16.csv'), `utf16.csv:1: the text is UTF-16LE, UTF-8 is needed; ${toUtf8('UTF-16LE')}`);
  assert.equal(
    await say('utf16-mark.csv'),
    `utf16-mark.csv:1: the text is UTF-16, UTF-8 is needed; ${toUtf8('UTF-16')}`,
  );
  assert.equal(await say('nul.jsonl'), `nul.jsonl:2: ${nul}`);
  assert.equal(await say('nul.txt'), `nul.txt:2: ${nul}`);
});
