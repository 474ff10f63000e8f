/** Figures in sentences of the pages are those of the files that they name. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
/** A page without its line breaks. */
const page = (name: string) => read(name).replace(/\s+/g, ' ');

interface Simulated {
  cases: number;
  /** Share of the cases. */
  falseBeatsDot: number;
  /** Share of the intervals that hold the truth. */
  coverage: number;
}

const numerals = ['none', 'one', 'two', 'three'];

test('docs/validation.md: false claims and coverage are those of the simulation', () => {
  const { rows } = JSON.parse(read('test/simulation/validation.json')) as { rows: Simulated[] };
  const [{ cases }] = rows;
  assert.ok(rows.every((row) => row.cases === cases));
  const claims = rows.map(({ falseBeatsDot }) => Math.round(falseBeatsDot * cases));
  const percent = rows.map(({ coverage }) => Math.round(100 * coverage));
  const text = page('docs/validation.md');
  const claimed = `in ${numerals[Math.min(...claims)]} to ${Math.max(...claims)} of ${cases} cases`;
  assert.ok(text.includes(claimed), claimed);
  const held = `held the truth in ${Math.min(...percent)} to ${Math.max(...percent)} % (\`test/simulation/validation.json\`)`;
  assert.ok(text.includes(held), held);
});
