/**
 * Parquet by pyarrow: timestamps of 96 bits, decimals in each form, pages of megabytes and many small ones
 * (parquet_kinds.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRows } from '../../server/src/data/formats.ts';
import { PythonDecimal } from '../../server/src/data/jinja/pythonDecimal.ts';
import { Moment } from '../../server/src/data/jinja/moments.ts';
import { collect, folder } from './files.ts';

interface Reference {
  cases: { name: string; file: string; rows: Record<string, unknown>[] }[];
  big: Record<string, string>;
  small: string;
}

const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../reference/data/parquet_kinds.json'), 'utf8'),
) as Reference;

for (const { name, file, rows } of reference.cases) {
  test(`Parquet, ${name}`, async (t) => {
    const root = folder(t, { 'a.parquet': Buffer.from(file, 'base64') });
    const found = (await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }))).map(
      ({ values }) => values,
    );
    assert.equal(found.length, rows.length);
    for (const [i, row] of rows.entries()) {
      assert.deepEqual(Object.keys(found[i]), Object.keys(row));
      for (const [column, expected] of Object.entries(row)) {
        const value = found[i][column];
        const shown =
          value instanceof PythonDecimal
            ? { decimal: String(value) }
            : value instanceof Moment
              ? { moment: String(value) }
              : value;
        assert.deepEqual(shown, expected);
      }
    }
  });
}

for (const [codec, file] of Object.entries(reference.big)) {
  test(`Parquet, values of 2 MiB on one page in ${codec}`, async (t) => {
    const root = folder(t, { 'a.parquet': Buffer.from(file, 'base64') });
    const found = await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }));
    assert.deepEqual(
      found.map(({ values }) => values.text),
      [...'abcd'].map((c) => c.repeat(2 ** 21)),
    );
  });
}

test('Parquet, 3,000 rows on small pages, whole and by slices', async (t) => {
  const root = folder(t, { 'a.parquet': Buffer.from(reference.small, 'base64') });
  const all = Array.from({ length: 3000 }, (_, n) => ({ n, text: `row ${n % 7}` }));
  for (const [start, end] of [
    [0, 3000],
    [63, 65],
    [1999, 2500],
    [2999, 4000],
  ]) {
    const found = await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }, start, end));
    assert.deepEqual(
      found.map(({ values }) => values),
      all.slice(start, end),
    );
  }
});

const older = JSON.parse(readFileSync(join(import.meta.dirname, '../reference/data/parquet_lz4.json'), 'utf8')) as {
  files: Record<string, string>;
  rows: Record<string, unknown>[];
};

for (const [name, file] of Object.entries(older.files)) {
  test(`Parquet, the older codec LZ4 as ${name}`, async (t) => {
    const root = folder(t, { 'a.parquet': Buffer.from(file, 'base64') });
    const found = await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }));
    assert.deepEqual(
      found.map(({ values }) => values),
      older.rows,
    );
  });
}
