import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crossLayerRules } from '../../server/src/estimators/crossLayer.ts';

const { mean, rank, vote } = crossLayerRules;

test('worked example: two layers, one of a thousand times the scale', () => {
  // Columns of B: layer 0 [1, 2, 3], layer 1 [3000, 2000, 1000]; n = 3, m = 1.
  const influences = { n: 3, m: 1, layers: [Float64Array.of(1, 2, 3), Float64Array.of(3000, 2000, 1000)] };
  assert.deepEqual([...mean.aggregate(influences, {})], [1500.5, 1001, 501.5]);
  assert.deepEqual([...rank.aggregate(influences, {})], [2, 2, 2]);
  // The lowest of each layer gets 2 votes, the next 1.
  assert.deepEqual([...vote.aggregate(influences, { k: 2 })], [-2, -2, -2]);
  assert.deepEqual([...vote.aggregate(influences, { k: 1 })], [-1, 0, -1]);
});

test('equal values have the same number of lower ones; only chosen validation samples count', () => {
  const B = Float64Array.of(1, 9, 1, 8, 5, 7); // rows [1, 9], [1, 8], [5, 7]
  const both = { n: 3, m: 2, layers: [B] };
  assert.deepEqual([...rank.aggregate({ ...both, validation: [0] }, {})], [0, 0, 2]);
  assert.deepEqual([...rank.aggregate({ ...both, validation: [1] }, {})], [2, 1, 0]);
  assert.deepEqual([...rank.aggregate(both, {})], [2, 1, 2]);
});

test('ranks and votes do not change when a layer is scaled', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 12, maxLength: 12 }),
      fc.constantFrom(1e-6, 3, 1e6),
      (values, scale) => {
        const layer = Float64Array.from(values);
        const plain = { n: 4, m: 3, layers: [layer, layer.map((x) => -x)] };
        const scaled = { ...plain, layers: [layer.map((x) => scale * x), plain.layers[1]] };
        for (const rule of [rank, vote]) {
          assert.deepEqual(rule.aggregate(plain, { k: 2 }), rule.aggregate(scaled, { k: 2 }));
        }
      },
    ),
  );
});
