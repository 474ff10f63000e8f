/**
 * Files in many dialects give the rows that Hugging Face datasets reads from them (test/reference/data/dialects.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countSlice, openDataset, readSlice } from '../../server/src/data/splits.ts';
import { folder, refusal } from './files.ts';

interface Case {
  name: string;
  /** The bytes as Latin-1. */
  content: string;
  /** Null: datasets refuses the file. */
  rows: Record<string, unknown>[] | null;
}

const reference = join(import.meta.dirname, '../reference/data/dialects.json');
const cases = JSON.parse(readFileSync(reference, 'utf8')) as Case[];

for (const { name, content, rows } of cases) {
  test(`${name}: ${rows === null ? 'refused with a line' : 'the rows of datasets'}`, async (t) => {
    const root = folder(t, { [name]: Buffer.from(content, 'latin1') });
    const read = async () => {
      const dataset = await openDataset('d', { path: name }, root);
      const found = await readSlice(dataset, 'train');
      assert.equal(await countSlice(dataset, 'train'), found.length);
      return found.map(({ values }) => plain(values));
    };
    if (rows === null) assert.match(await refusal(read, root), new RegExp(`^${name.replaceAll('.', '\\.')}:\\d+: `));
    else assert.deepEqual(await read(), rows);
  });
}

/** As the reference writes what JSON has no word for. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    return { float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  return value;
}
