/**
 * Columns of JSON and CSV files have the types that Hugging Face datasets gives them
 * (test/reference/data/column_types.py).
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Moment } from '../../server/src/data/jinja/moments.ts';
import { zoneOf } from '../../server/src/data/jinja/zones.ts';
import { floatText, isFloat } from '../../server/src/data/jinja/numbers.ts';
import { compileTemplate } from '../../server/src/data/jinja/template.ts';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { folder } from './files.ts';

interface Case {
  name: string;
  files: Record<string, string>;
  /** By split; null: datasets refuses the files. */
  rows: Record<string, Record<string, unknown>[]> | null;
}

const reference = join(import.meta.dirname, '../reference/data/column_types.json');
const cases = JSON.parse(readFileSync(reference, 'utf8')) as Case[];

/** -0.0 and 9223372036854775808 in an array pass through another JSON reader there, which loses a sign and digits. */
const otherwise = new Set(['array, minus-zero-float', 'array, beyond-int64']);

for (const { name, files, rows } of cases) {
  if (rows === null || otherwise.has(name)) continue;
  test(`${name}: the types of datasets`, async (t) => {
    const root = folder(t, files);
    const [first, ...more] = Object.keys(files);
    const dataset =
      more.length === 0
        ? await openDataset('d', { path: first }, root)
        : await openDataset('d', { data_files: { train: first, test: more[0] } }, root);
    for (const [split, expected] of Object.entries(rows)) {
      const found = (await readSlice(dataset, split)).map(({ values }) => plain(values));
      // Columns in any order; keys of objects below in theirs.
      assert.deepEqual(found, expected);
      found.forEach((row, i) =>
        assert.equal(JSON.stringify((row as { a?: unknown }).a), JSON.stringify(expected[i]['a'])),
      );
    }
  });
}

test('a datetime prints as in Python, alone and within a list; it has its parts, an order, and no method', () => {
  const day = new Moment(Date.UTC(2024, 1, 9, 8, 5, 0));
  const later = new Moment(Date.UTC(2024, 1, 9, 8, 5, 6, 7), 'datetime', 8000, zoneOf('+00:00'));
  const date = new Moment(0, 'date');
  const after = new Moment(Date.UTC(2024, 1, 9, 8, 5, 6));
  const berlin = later.inZone(zoneOf('Europe/Berlin'));
  const render = (source: string): unknown => compileTemplate(source).render({ day, after, later, berlin, date });
  assert.equal(
    render('{{ day }} {{ [day] }} {{ later }} {{ [later] }}'),
    '2024-02-09 08:05:00 [datetime.datetime(2024, 2, 9, 8, 5)] 2024-02-09 08:05:06.007008+00:00 [datetime.datetime(2024, 2, 9, 8, 5, 6, 7008, tzinfo=datetime.timezone.utc)]',
  );
  assert.equal(
    render('{{ day.year }}-{{ day.hour }}{{ " x" if day < after else "" }}{{ " y" if day == day else "" }}'),
    '2024-8 x y',
  );
  assert.equal(
    render('{{ later == berlin }} {{ later < berlin }} {{ berlin.hour }} {{ day == later }}'),
    'True False 9 False',
  );
  assert.throws(() => render('{{ day < later }}'), /'<' not supported between instances of 'datetime' and 'datetime'/);
  assert.equal(
    render('{{ day|string|length }} {{ "%s" % day }} {{ day ~ "" }}'),
    '19 2024-02-09 08:05:00 2024-02-09 08:05:00',
  );
  assert.throws(() => render('{{ day.strftime("%Y") }}'), /there is no day\.strftime/);
  assert.equal(render('{{ date }} {{ [date] }}'), '1970-01-01 [datetime.date(1970, 1, 1)]');
});

/** As the reference writes them. */
function plain(value: unknown): unknown {
  if (value instanceof Moment) return { moment: [String(value), value.representation()] };
  if (value === 0) return 0;
  if (typeof value === 'bigint') return { int: String(value) };
  if (isFloat(value)) return { float: floatText(Number(value)) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}
