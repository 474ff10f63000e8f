/** Rows are written with the cells that stand in their file, whatever type their column has. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DataFormat } from '../../protocol/experiment.ts';
import { columnsOf, readRows } from '../../server/src/data/formats.ts';
import { cellsOf, writers } from '../../server/src/data/writers.ts';
import type { WrittenFormat } from '../../server/src/data/writers.ts';
import { collect, folder } from './files.ts';

const csv = 'code,price,sign,good,gap,text\n007,1.50,+3,TRUE,NA,"a, b"\n010,2,-04,False,5,c\n';
const json = '{"at": "2024-01-01", "x": 1, "big": 12345678901234567890}\n{"at": "2024-01-02", "x": 1.5, "big": 1}\n';

const cases: { format: DataFormat; text: string; to: WrittenFormat; written: string }[] = [
  { format: 'csv', text: csv, to: 'csv', written: csv },
  { format: 'csv', text: csv, to: 'tsv', written: csv.replaceAll(',', '\t').replace('"a\t b"', 'a, b') },
  {
    format: 'csv',
    text: csv,
    to: 'jsonl',
    written:
      '{"code": 7, "price": 1.5, "sign": 3, "good": true, "gap": null, "text": "a, b"}\n{"code": 10, "price": 2.0, "sign": -4, "good": false, "gap": 5.0, "text": "c"}\n',
  },
  { format: 'json', text: json, to: 'jsonl', written: json },
];

for (const { format, text, to, written } of cases)
  test(`cells of ${format} written as ${to}`, async (t) => {
    const path = join(folder(t, { 'rows.data': text }), 'rows.data');
    const file = { path, format };
    const columns = await columnsOf(file);
    const rows = await collect(readRows(file));
    const made =
      writers[to].start(columns) + rows.map((row) => writers[to].row(cellsOf(row, format, to), columns)).join('');
    assert.equal(made, written);
    // The values that are read of the new file are the same.
    const again = { path: `${path}.${to}`, format: to === 'jsonl' ? ('json' as const) : to };
    writeFileSync(again.path, made);
    assert.deepEqual(
      (await collect(readRows(again))).map(({ values }) => JSON.stringify(values, bigints)),
      rows.map(({ values }) => JSON.stringify(values, bigints)),
    );
  });

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
