import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Random } from '../../server/src/random/random.ts';

test('the same seed and stream give the same numbers, another seed or stream others', () => {
  const first = (seed: number, stream?: string) => {
    const random = new Random(seed, stream);
    return Array.from({ length: 4 }, () => random.uniform());
  };
  assert.deepEqual(first(7, 'a'), first(7, 'a'));
  assert.notDeepEqual(first(7, 'a'), first(8, 'a'));
  assert.notDeepEqual(first(7, 'a'), first(7, 'b'));
});

test('normal numbers have mean 0, variance 1, and no memory', () => {
  const random = new Random(1);
  const values = Array.from({ length: 100_000 }, () => random.normal());
  const mean = values.reduce((a, b) => a + b) / values.length;
  const second = values.reduce((a, b) => a + b * b, 0) / values.length;
  const fourth = values.reduce((a, b) => a + b ** 4, 0) / values.length;
  const lag = values.slice(1).reduce((sum, v, i) => sum + v * values[i], 0) / (values.length - 1);
  assert.ok(
    Math.abs(mean) < 0.015 && Math.abs(second - 1) < 0.02 && Math.abs(fourth - 3) < 0.15,
    `${mean} ${second} ${fourth}`,
  );
  assert.ok(Math.abs(lag) < 0.015, `${lag}`);
});

test('integers cover their range evenly', () => {
  const random = new Random(2);
  const counts = new Array<number>(6).fill(0);
  for (let i = 0; i < 60_000; i++) counts[random.integer(6)]++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 400, counts.join());
});

test('a permutation holds every number once; a subset is ascending and without repeats', () => {
  const random = new Random(3);
  assert.deepEqual(
    [...random.permutation(50)].sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
  const subset = random.subset(50, 20);
  assert.equal(new Set(subset).size, 20);
  assert.deepEqual(
    subset,
    [...subset].sort((a, b) => a - b),
  );
});
