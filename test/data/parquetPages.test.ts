/**
 * Parquet by pyarrow in every codec, page version and encoding, with pages that hold nothing but nulls
 * (parquet_pages.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRows } from '../../server/src/data/formats.ts';
import { collect, folder } from './files.ts';

interface Reference {
  rows: Record<string, unknown>[];
  cases: { name: string; file: string }[];
}

const reference = join(import.meta.dirname, '../reference/data/parquet_pages.json');
const { rows, cases } = JSON.parse(readFileSync(reference, 'utf8')) as Reference;

for (const { name, file } of cases) {
  test(`Parquet, ${name}: the rows that pyarrow wrote`, async (t) => {
    const root = folder(t, { 'a.parquet': Buffer.from(file, 'base64') });
    const found = await collect(readRows({ path: join(root, 'a.parquet'), format: 'parquet' }));
    assert.deepEqual(
      found.map(({ values }) => values),
      rows,
    );
  });
}
