import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSlices, resolveSlice } from '../../server/src/data/slices.ts';
import { refusal } from './files.ts';

interface Case {
  spec: string;
  rows: number;
  start: number;
  stop: number;
}

test('slices take the rows that Hugging Face datasets takes', async () => {
  const path = join(import.meta.dirname, '../reference/data/slices.json');
  const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];
  assert.ok(cases.length > 100);
  for (const { spec, rows, start, stop } of cases) {
    const [slice] = parseSlices(spec);
    const range = await resolveSlice(slice, () => Promise.resolve(rows));
    const found = [Math.min(range.start, rows), Math.min(range.end, rows)];
    // Empty ranges may be empty at different places.
    if (stop <= start) assert.ok(found[1] <= found[0], `${spec} of ${rows}`);
    else assert.deepEqual(found, [start, stop], `${spec} of ${rows}`);
  }
});

test('a slice with plain ends does not ask for the number of rows', async () => {
  const [slice] = parseSlices('train[10:20]');
  assert.deepEqual(await resolveSlice(slice, () => assert.fail('counted')), { start: 10, end: 20 });
});

test('sums', () => {
  assert.deepEqual(parseSlices('train[:10] + test'), [
    { split: 'train', from: null, to: 10, unit: 'rows' },
    { split: 'test', from: null, to: null, unit: 'rows' },
  ]);
});

test('what is no slice', async () => {
  for (const text of ['train[300]', 'train[:x]', 'train[:10', '', 'train[1:2:3]']) {
    assert.equal(
      await refusal(() => parseSlices(text)),
      `"${text}" is not a split; write train, train[:300], train[10:20], train[-50:], train[10%:20%] or a sum of such with +`,
    );
  }
  assert.equal(
    await refusal(() => parseSlices('train[5:10%]')),
    '"train[5:10%]" mixes rows and percent in one slice; write both ends in rows or both in percent',
  );
  assert.equal(
    await refusal(() => parseSlices('train[:101%]')),
    '"train[:101%]" asks for more than 100 %; percentages go from -100 to 100',
  );
});
