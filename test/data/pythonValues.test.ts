/** Columns of decimals, times, durations and zones print as with `datasets` and Jinja (python_values.py). */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFormat } from '../../protocol/experiment.ts';
import { readRows } from '../../server/src/data/formats.ts';
import { PythonDecimal } from '../../server/src/data/jinja/pythonDecimal.ts';
import { compileTemplate } from '../../server/src/data/jinja/template.ts';
import { zoneOf } from '../../server/src/data/jinja/zones.ts';
import { collect, folder } from './files.ts';

const reference = JSON.parse(
  readFileSync(join(import.meta.dirname, '../reference/data/python_values.json'), 'utf8'),
) as {
  columns: Record<string, { parquet: string; arrow: string; texts: [alone: string, inList: string][] }>;
  templates: Record<string, string | null>;
};

for (const [name, { texts, ...files }] of Object.entries(reference.columns))
  test(`${name}: what templates print, from Parquet and Arrow`, async (t) => {
    for (const [format, content] of Object.entries(files) as [DataFormat, string][]) {
      const root = folder(t, { [`a.${format}`]: Buffer.from(content, 'base64') });
      const rows = await collect(readRows({ path: join(root, `a.${format}`), format }));
      const printed = rows.map(({ values }) =>
        ['{{ v }}', '{{ [v] }}'].map((source) => compileTemplate(source).render(values)),
      );
      // Feather keeps units that Parquet has not; pandas' class is that of nanoseconds alone.
      assert.deepEqual(printed, texts, format);
    }
  });

test('decimals compute, compare and are converted as in Python', () => {
  const row = { a: new PythonDecimal(150n, 2), b: new PythonDecimal(-125n, 3), z: new PythonDecimal(0n, 2) };
  for (const [expression, text] of Object.entries(reference.templates)) {
    const render = () => compileTemplate(`{{ ${expression} }}`).render(row);
    if (text === null) assert.throws(render, Error, expression);
    else assert.equal(render(), text, expression);
  }
});

test('what is not computed with decimals says what to write instead', () => {
  const row = { a: new PythonDecimal(150n, 2), long: new PythonDecimal(10n ** 20n + 1n, 3) };
  const render = (source: string) => () => compileTemplate(source).render(row);
  assert.throws(
    render('{{ a / 2 }}'),
    /"\/" of Decimal\('1\.50'\) and Decimal\('2'\) is not computed here: write \|float behind them/,
  );
  assert.throws(render('{{ long * long }}'), /is not computed here: write \|float/);
  assert.equal(compileTemplate('{{ a|float / 2 }}').render(row), '0.75');
});

test('a name that is no time zone is refused', () => {
  assert.throws(() => zoneOf('Mars/Olympus'), /"Mars\/Olympus" is no time zone/);
});
