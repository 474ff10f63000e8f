import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PythonRandom } from '../../server/src/random/pythonRandom.ts';

test("samples are those of Python's random.Random(seed).sample, one after the other", () => {
  const path = join(import.meta.dirname, '../reference/data/python_random.json');
  const cases = JSON.parse(readFileSync(path, 'utf8')) as [number, [number, number, number[]][]][];
  for (const [seed, draws] of cases) {
    const random = new PythonRandom(seed);
    for (const [count, size, drawn] of draws) assert.deepEqual(random.sample(count, size), drawn, `${seed} ${count}`);
  }
});

test('more than there are is refused', () => {
  assert.throws(() => new PythonRandom(0).sample(3, 4), RangeError);
});
