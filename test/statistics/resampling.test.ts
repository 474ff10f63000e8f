import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../server/src/random/random.ts';
import { auc } from '../../server/src/statistics/auc.ts';
import { bootstrapInterval, resampleCounts } from '../../server/src/statistics/bootstrap.ts';
import { descendingRanks, percentileInterval, rankIntervals } from '../../server/src/statistics/intervals.ts';
import { kendall } from '../../server/src/statistics/kendall.ts';
import { permutationTest } from '../../server/src/statistics/permutation.ts';
import { spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { topK } from '../../server/src/statistics/topK.ts';

test('the bootstrap interval of a mean covers the true mean about as often as it says', () => {
  const random = new Random(3, 'coverage');
  const [rounds, count] = [300, 40];
  let covered = 0;
  let width = 0;
  for (let round = 0; round < rounds; round++) {
    const values = Array.from({ length: count }, () => random.normal());
    const mean = (units: Int32Array) => units.reduce((sum, i) => sum + values[i], 0) / count;
    const [low, high] = bootstrapInterval(count, mean, { random })!;
    if (low <= 0 && 0 <= high) covered++;
    width += (high - low) / rounds;
  }
  // 90 %, less a little for 40 samples; the standard deviation of the share is 1.7 %.
  assert.ok(covered / rounds > 0.83 && covered / rounds < 0.95, `${covered} of ${rounds}`);
  const normalWidth = (2 * 1.645) / Math.sqrt(count);
  assert.ok(Math.abs(width / normalWidth - 1) < 0.1, `${width}, by the normal distribution ${normalWidth}`);
});

test('the same seed draws the same replicates, another seed others', () => {
  const draw = (seed: number) => [...resampleCounts(50, new Random(seed))];
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.equal(
    draw(1).reduce((a, b) => a + b),
    50,
  );
});

test('random permutations give p-values near those of all orders', () => {
  const a = [1, 2, 3, 4, 5, 6, 7];
  const b = [2, 1, 4, 3, 7, 5, 6];
  const all = permutationTest(a, b, spearman, { random: new Random(0), permutations: 5040 })!;
  const some = permutationTest(a, b, spearman, { random: new Random(0), permutations: 4000 })!;
  assert.equal(all.exact, true);
  assert.equal(some.exact, false);
  assert.ok(Math.abs(all.p - some.p) < 0.012, `${all.p} ${some.p}`);
});

test('p-values without an association are spread evenly', () => {
  const random = new Random(5, 'null');
  const values = Array.from({ length: 200 }, () => {
    const list = () => Array.from({ length: 12 }, () => random.normal());
    return permutationTest(list(), list(), spearman, { random, permutations: 199 })!.p;
  });
  for (const share of [0.1, 0.5]) {
    const below = values.filter((p) => p <= share).length / values.length;
    assert.ok(Math.abs(below - share) < 0.1, `${below} of the p-values are at most ${share}`);
  }
});

test('what is not defined is null, never NaN', () => {
  const random = new Random(0);
  for (const correlation of [spearman, kendall]) {
    assert.equal(correlation([1], [2]), null);
    assert.equal(correlation([1, 1, 1], [1, 2, 3]), null);
    assert.equal(correlation([], []), null);
  }
  assert.equal(permutationTest([1, 1, 1], [1, 2, 3], spearman, { random }), null);
  assert.equal(auc([1, 2], [true, true]), null);
  assert.equal(percentileInterval([], 0.9), null);
  assert.equal(percentileInterval([null, null, 1], 0.9), null);
  assert.deepEqual(percentileInterval([null, 1, 1], 0.9), [1, 1]);
});

test('rank 1 is the largest; rank intervals hold the ranks of replicates that agree', () => {
  assert.deepEqual([...descendingRanks([3, 9, 9, 1])], [3, 1.5, 1.5, 4]);
  const agreed = rankIntervals(
    [
      [3, 9, 1],
      [30, 31, 2],
      [2, 3, 0],
    ],
    0.9,
  );
  assert.deepEqual(agreed, [
    [2, 2],
    [1, 1],
    [3, 3],
  ]);
});

test('correlations do not change under increasing functions and turn their sign under decreasing ones', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 })), {
        minLength: 2,
        maxLength: 20,
      }),
      (pairs) => {
        const [a, b] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        for (const correlation of [spearman, kendall]) {
          const value = correlation(a, b);
          const grown = correlation(
            a.map((x) => Math.exp(x)),
            b,
          );
          const turned = correlation(
            a.map((x) => -(x ** 3)),
            b,
          );
          if (value === null) assert.deepEqual([grown, turned], [null, null]);
          else {
            assert.ok(Math.abs(grown! - value) < 1e-9 && Math.abs(turned! + value) < 1e-9);
            assert.ok(Math.abs(value) <= 1 + 1e-12);
          }
        }
      },
    ),
  );
});

test('the k largest, the lower index first where values are equal', () => {
  assert.deepEqual(topK([1, 5, 5, 3], 2), [1, 2]);
  assert.deepEqual(topK([2, 2, 2], 2), [0, 1]);
});
