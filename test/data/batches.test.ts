import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batches, SHORTEST } from '../../server/src/data/batches.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 200 });
const bound = fc.integer({ min: 1, max: 8192 });

test('every index once, within the bound, padding below a quarter, deterministic', () => {
  fc.assert(
    fc.property(lengths, bound, (lengths, tokensPerBatch) => {
      const result = batches(lengths, tokensPerBatch);
      assert.deepEqual(
        result.flat().sort((a, b) => a - b),
        lengths.map((_, i) => i),
      );
      for (const batch of result) {
        const own = batch.map((index) => lengths[index]);
        const longest = Math.max(...own);
        assert.ok(batch.length === 1 || batch.length * longest <= tokensPerBatch);
        const padding = own.reduce((sum, length) => sum + longest - length, 0);
        assert.ok(padding <= (1 - SHORTEST) * batch.length * longest);
      }
      assert.deepEqual(batches(lengths, tokensPerBatch), result);
    }),
    { seed: 1 },
  );
});

test('longest first, neighbours by length together', () => {
  assert.deepEqual(batches([10, 100, 12, 90, 11], 200), [
    [1, 3],
    [2, 4, 0],
  ]);
  assert.deepEqual(batches([10, 10, 10], 20), [[0, 1], [2]]);
  assert.deepEqual(batches([300], 200), [[0]]);
  assert.deepEqual(batches([], 200), []);
});
