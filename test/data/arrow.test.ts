/**
 * Arrow files by pyarrow and folders that `datasets` saved, with the rows that both give (arrow.py); damaged ones say
 * so.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { columnsOf, countRows, readRows } from '../../server/src/data/formats.ts';
import { PythonDecimal } from '../../server/src/data/jinja/pythonDecimal.ts';
import { PythonValue } from '../../server/src/data/jinja/pythonValue.ts';
import { float } from '../../server/src/data/jinja/numbers.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { collect, folder, refusal } from './files.ts';

type Rows = Record<string, unknown>[];
interface Reference {
  cases: { name: string; file: string; rows: Rows }[];
  lz4: string;
  months: string;
  parquet: { file: string; rows: Rows };
  folders: { name: string; files: Record<string, string>; splits: Record<string, Rows> }[];
}

/** {"float": ...} and {"int": ...} of the reference as the readers give such numbers. */
function revived(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, string>);
  if (entries.length !== 1) return value;
  const [kind, text] = entries[0];
  if (kind === 'float') return float(Number(text));
  if (kind === 'int') return BigInt(text);
  return value;
}

/** Values of Python's classes as the reference has them: what they print. */
function printed(value: unknown): unknown {
  if (value instanceof PythonDecimal) return { decimal: String(value) };
  if (value instanceof PythonValue) return { moment: String(value) };
  if (Array.isArray(value)) return value.map(printed);
  if (typeof value !== 'object' || value === null || value instanceof Number) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, printed(inner)]));
}

const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../reference/data/arrow.json'), 'utf8'),
  revived,
) as Reference;
const decoded = (files: Record<string, string>): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text, 'base64')]));
const stream = Buffer.from(reference.cases[0].file, 'base64');
const saved = decoded(reference.folders[0].files);

for (const { name, file, rows } of reference.cases) {
  test(`Arrow, ${name}: rows, their number and columns`, async (t) => {
    const root = folder(t, { 'a.arrow': Buffer.from(file, 'base64') });
    const data = { path: join(root, 'a.arrow'), format: 'arrow' } as const;
    const found = await collect(readRows(data));
    assert.deepEqual(
      found.map(({ values }) => printed(values)),
      rows,
    );
    assert.deepEqual(
      found.map(({ row, line }) => [row, line]),
      rows.map((_, i) => [i, null]),
    );
    assert.equal(await countRows(data), rows.length);
    if (rows.length > 0) assert.deepEqual(await columnsOf(data), Object.keys(rows[0]));
  });
}

test('the rows of a slice, over the bounds of batches', async (t) => {
  const root = folder(t, { 'a.arrow': stream });
  const { rows } = reference.cases[0];
  for (const [start, end] of [
    [0, 1],
    [1, 3],
    [2, 9],
    [2, 2],
    [7, 9],
  ]) {
    const found = await collect(readRows({ path: join(root, 'a.arrow'), format: 'arrow' }, start, end));
    assert.deepEqual(
      found.map(({ values }) => printed(values)),
      rows.slice(start, end),
    );
  }
});

test('Parquet gives the same values for the same columns', async (t) => {
  const root = folder(t, { 'a.parquet': Buffer.from(reference.parquet.file, 'base64') });
  const found = await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }));
  assert.deepEqual(
    found.map(({ values }) => printed(values)),
    reference.parquet.rows,
  );
});

for (const { name, files, splits } of reference.folders) {
  test(`save_to_disk, ${name}: splits and rows that datasets gives`, async (t) => {
    const root = folder(t, decoded(files));
    const dataset = await openDataset('d', { path: '.' }, root);
    assert.deepEqual(dataset.splits, Object.keys(splits));
    for (const [split, rows] of Object.entries(splits)) {
      const found = await readSlice(dataset, split);
      assert.deepEqual(
        found.map(({ values }) => printed(values)),
        rows,
      );
      assert.equal(await dataset.count(split), rows.length);
    }
  });
}

test('folders of save_to_disk that are damaged or incomplete', async (t) => {
  const open = async (files: Record<string, string | Buffer>): Promise<string> => {
    const root = folder(t, files);
    return refusal(() => openDataset('d', { path: '.' }, root), root);
  };
  const start = 'the folder of save_to_disk is not readable: ';
  const end = '; copy or save it again';
  assert.equal(
    await open({ ...saved, 'state.json': '{"_data_fi' }),
    `state.json: ${start}it is not JSON: it is cut off or damaged${end}`,
  );
  assert.equal(
    await open({ ...saved, 'state.json': '[]' }),
    `state.json: ${start}it has not the form {"_data_files": [{"filename": ...}, ...]}${end}`,
  );
  assert.equal(
    await open({ 'state.json': saved['state.json'] }),
    `state.json: ${start}it names the file "data-00000-of-00001.arrow", which is not beside it${end}`,
  );
  assert.equal(
    await open({ 'dataset_dict.json': '{"splits": ["train"]}' }),
    `dataset_dict.json: ${start}it names the split "train", and train/state.json is not beside it${end}`,
  );
});

test('an Arrow file cut off anywhere gives its first rows or a message that names it', async (t) => {
  const { rows } = reference.cases[0];
  let refused = 0;
  for (let length = 0; length < stream.length; length += 97) {
    const root = folder(t, { 'a.arrow': stream.subarray(0, length) });
    try {
      const found = await collect(readRows({ path: join(root, 'a.arrow'), format: 'arrow' }));
      assert.deepEqual(
        found.map(({ values }) => printed(values)),
        rows.slice(0, found.length),
      );
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      const said = await refusal(() => {
        throw error;
      }, root);
      assert.match(said, /^a\.arrow: the file is not readable as Arrow: /);
      refused += 1;
    }
  }
  assert.ok(refused > 20, `${refused} refused`);
});

test('what is no Arrow, and what is not read of it', async (t) => {
  const lz4 = Buffer.from(reference.lz4, 'base64');
  const months = Buffer.from(reference.months, 'base64');
  const root = folder(t, {
    'lz4.arrow': lz4,
    'months.arrow': months,
    'a.arrow': 'text,label\nno arrow,1\n',
    'b/c.arrow': stream,
  });
  const read = (path: string) => refusal(() => collect(readRows({ path: join(root, path), format: 'arrow' })), root);
  assert.match(await read('a.arrow'), /^a\.arrow: the file is not readable as Arrow: /);
  assert.equal(
    await read('lz4.arrow'),
    'lz4.arrow: the file is not readable as Arrow: its columns are compressed by LZ4, which is not read here; write it uncompressed or with compression="zstd"',
  );
  assert.equal(
    await read('months.arrow'),
    'months.arrow: the column "gap" holds values of Arrow\'s type Interval, which is not read; write it as a string, number, list or struct',
  );
  assert.equal(await read('b'), 'b: cannot read the data file: it is a folder, a file is needed');
  assert.equal(await read('none.arrow'), 'none.arrow: cannot read the data file: it does not exist');
});

test('a batch that says it has more rows than its columns hold is refused, not read as nulls', async (t) => {
  const columns = { n: Int32Array.of(1, 2, 3, 4, 5, 6, 7) };
  for (const kind of ['stream', 'file'] as const) {
    const sound = Buffer.from(tableToIPC(tableFromArrays(columns), kind));
    const count = (rows: bigint) => Buffer.from(BigInt64Array.of(rows).buffer);
    const parts = sound.toString('latin1').split(count(7n).toString('latin1'));
    assert.ok(parts.length > 1);
    const lying = Buffer.from(parts.join(count(2n ** 40n).toString('latin1')), 'latin1');
    const root = folder(t, { 'sound.arrow': sound, 'lying.arrow': lying });
    const read = (name: string) => collect(readRows({ path: join(root, name), format: 'arrow' }));
    assert.equal((await read('sound.arrow')).length, 7);
    assert.equal(
      await refusal(() => read('lying.arrow'), root),
      'lying.arrow: the file is not readable as Arrow: a batch says that it has 1099511627776 rows, its columns hold fewer; copy, download or write it again',
    );
  }
});
