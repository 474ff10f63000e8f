/**
 * Small faults that would not be seen by the size of a number: levels by default, ends of tests, p that must not be 0.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { auc } from '../../server/src/statistics/auc.ts';
import { bootstrapInterval, resample, resampleCounts } from '../../server/src/statistics/bootstrap.ts';
import { percentileInterval, quantile } from '../../server/src/statistics/intervals.ts';
import { kendall } from '../../server/src/statistics/kendall.ts';
import { pairedDifference } from '../../server/src/statistics/paired.ts';
import { permutationTest } from '../../server/src/statistics/permutation.ts';
import { pearson, ranks, spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { noiseDetection } from '../../server/src/statistics/noiseDetection.ts';
import { studentQuantile } from '../../server/src/statistics/student.ts';
import { enlarged } from '../../server/src/statistics/subsampling.ts';
import { topKOverlap } from '../../server/src/statistics/topK.ts';

const near = (a: number, b: number, within = 1e-12) => assert.ok(Math.abs(a - b) <= within, `${a}, expected ${b}`);

test('the interval of a paired difference has the level 0.95 by default, over resampled documents', () => {
  const random = new Random(1);
  const a = Float64Array.from({ length: 50 }, () => random.normal());
  const b = new Float64Array(50);
  const { difference, interval } = pairedDifference(a, b, new Random(2));
  const mean = a.reduce((x, y) => x + y) / 50;
  near(difference, mean);
  const error = Math.sqrt(a.reduce((sum, x) => sum + (x - mean) ** 2, 0)) / 50;
  const width = (interval![1] - interval![0]) / error;
  assert.ok(Math.abs(width - 2 * 1.96) < 0.25, `${width} standard errors; 3.92 at 95 %, 1.35 at 50 %`);
  assert.equal(pairedDifference([1], [0], random).interval, null);
  assert.notEqual(pairedDifference([1, 2], [0, 0], random).interval, null);
  assert.throws(() => pairedDifference([], [], random), /0 and 0 documents/);
  assert.throws(() => pairedDifference([1, 2], [1], random), /2 and 1 documents/);
});

test('the sign-flip test: all signs up to twelve differences, drawn ones beyond, never 0', () => {
  const random = new Random(4);
  const ones = (count: number) => [new Array<number>(count).fill(1), new Array<number>(count).fill(0)] as const;
  near(pairedDifference(...ones(12), random).p, 2 / 2 ** 12);
  near(pairedDifference(...ones(3), random).p, 0.25);
  near(pairedDifference([3, 1, 0, 5], [0, 0, 0, 5], random).p, 0.5); // two differ: 4 patterns
  assert.equal(pairedDifference([1, 1], [1, 1], random).p, 1);
  near(pairedDifference(...ones(40), random).p, 1 / 2001);
  // Both directions, and sums that are equal but for rounding.
  near(pairedDifference([0.1, 0.2, 0.3], [0, 0, 0.6], random).p, 1);
  const third = pairedDifference([5, 0, 1], [0, 1, 0], random).p; // sums 5, 7, 3, ...: 5 of 8 signs reach 5
  near(third, 0.75);
});

test('a permutation p counts the order seen, is two-sided by default and never 0', () => {
  const options = () => ({ random: new Random(3) });
  const list = Array.from({ length: 12 }, (_, i) => i);
  const best = permutationTest(list, list, spearman, { ...options(), permutations: 50 })!;
  assert.deepEqual([best.p, best.exact, best.permutations], [1 / 51, false, 50]);
  assert.equal(permutationTest(list, list, spearman, options())!.permutations, 9999);
  const four = [1, 2, 3, 4];
  near(permutationTest(four, four, spearman, options())!.p, 2 / 24); // both ends
  near(permutationTest(four, four, spearman, { ...options(), alternative: 'greater' })!.p, 1 / 24);
  const turned = [4, 3, 2, 1];
  near(permutationTest(four, turned, spearman, { ...options(), alternative: 'greater' })!.p, 1);
  near(permutationTest(four, turned, spearman, options())!.p, 2 / 24);
  // 24 orders are gone through where 24 are allowed, not where 23 are.
  assert.equal(permutationTest(four, four, spearman, { ...options(), permutations: 24 })!.exact, true);
  assert.equal(permutationTest(four, four, spearman, { ...options(), permutations: 23 })!.exact, false);
  // An order whose statistic is not defined is not extreme.
  let calls = 0;
  const sometimes = () => (calls++ === 0 ? 0.5 : null);
  near(permutationTest(four, four, sometimes, { ...options(), permutations: 9 })!.p, 1 / 10);
});

test('the bootstrap: 90 % of 200 replicates by default, as many units as there are', () => {
  const values = Array.from({ length: 60 }, (_, i) => i);
  let calls = 0;
  const [low, high] = bootstrapInterval(
    60,
    (units) => {
      calls++;
      assert.equal(units.length, 60);
      return units.reduce((sum, i) => sum + values[i], 0) / 60;
    },
    { random: new Random(1) },
  )!;
  assert.equal(calls, 200);
  const width = (high - low) / (Math.sqrt((60 ** 2 - 1) / 12) / Math.sqrt(60));
  assert.ok(Math.abs(width - 3.29) < 0.4, `${width} standard errors`);
  assert.ok(new Set(resample(50, new Random(2))).size < 40, 'with replacement');
  assert.ok(resample(50, new Random(2)).every((i) => i >= 0 && i < 50));
  assert.ok(Math.max(...resampleCounts(50, new Random(2))) > 1);
});

test('quantiles and percentile intervals', () => {
  near(quantile([1, 2, 4], 0.75), 3);
  near(quantile([1, 2, 4], 1), 4);
  const hundred = Array.from({ length: 101 }, (_, i) => 100 - i);
  assert.deepEqual(
    percentileInterval(hundred, 0.9)!.map((v) => Math.round(v * 1e9) / 1e9),
    [5, 95],
  );
  assert.deepEqual(percentileInterval([null, 3], 0.9), [3, 3]);
});

test('ranks of long lists are those of short ones', () => {
  const random = new Random(6);
  for (const count of [64, 65, 200]) {
    const values = Array.from({ length: count }, () => random.integer(40));
    const expected = values.map((v) => {
      const below = values.filter((other) => other < v).length;
      return below + (values.filter((other) => other === v).length + 1) / 2;
    });
    assert.deepEqual([...ranks(values)], expected);
  }
  assert.deepEqual([...ranks([2])], [1]);
  assert.deepEqual([...ranks([])], []);
});

test('one positive, one negative and mismatched lists', () => {
  assert.equal(auc([1, 2], [false, true]), 1);
  assert.equal(auc([1, 2], [false, false]), null);
  assert.throws(() => auc([1, 2], [true]), /2 values and 1 labels/);
  assert.throws(() => spearman([1, 2], [1]), /2 and 1 values/);
  assert.throws(() => kendall([1, 2], [1]), /2 and 1 values/);
  assert.equal(kendall([1, 1], [1, 2]), null);
  assert.equal(kendall([1, 2], [1, 1]), null);
  assert.equal(pearson([1, 2], [5, 5]), null);
  assert.throws(() => topKOverlap([1, 2], [1], 1), /2 and 1 values/);
  assert.throws(() => topKOverlap([1, 2], [1, 2], 0), /0 largest of 2/);
  assert.throws(() => topKOverlap([1, 2], [1, 2], 3), /3 largest of 2/);
  assert.deepEqual(topKOverlap([1, 2], [1, 2], 2), { k: 2, shared: 2, overlap: 1, chance: 1, p: 1 });
});

test('p of random orders is at most 1, and drawn as often as asked', () => {
  const list = Array.from({ length: 12 }, (_, i) => i);
  const always = permutationTest(list, list, () => 1, { random: new Random(3), permutations: 50 })!;
  assert.deepEqual([always.p, always.exact], [1, false]);
});

test('shared items of the largest: p is hypergeometric, and never above 1', () => {
  const up = Array.from({ length: 10 }, (_, i) => i);
  // Of the four largest three are shared: (C(4,3) C(6,1) + 1) / C(10,4)
  const three = topKOverlap(
    up,
    [0, 1, 2, 3, 4, 9, 5, 6, 7, 8].map((_, i) => (i === 6 ? 0 : i === 0 ? 6 : i)),
    4,
  );
  assert.deepEqual([three.shared, three.overlap, three.chance], [3, 0.75, 0.4]);
  near(three.p, 25 / 210);
  for (let n = 2; n <= 40; n++)
    for (let k = 1; k < n; k++) {
      const list = Array.from({ length: n }, (_, i) => i);
      assert.ok(topKOverlap(list, list.toReversed(), k).p <= 1, `${n} ${k}`);
    }
});

test('a fifth of the samples is left out, and deviations are enlarged about their mean', () => {
  // 10 samples, 2 left out: sqrt(8 / 2) = 2
  assert.deepEqual([...enlarged([3, 1], 10, 1)], [2, -2]);
  assert.deepEqual([...enlarged([3, 1], 10, 0.5)], [1, -1]);
});

test('noise is looked for in the lowest 30 % by default', () => {
  const influence = Array.from({ length: 10 }, (_, i) => i);
  const noisy = influence.map((i) => i < 2);
  const { lowest, found, rate, recall } = noiseDetection(influence, noisy);
  assert.deepEqual([lowest, found, recall], [3, 2, 1]);
  near(rate, 2 / 3);
});

/** Level, degrees, quantile by the incomplete beta function in 40 digits (mpmath). */
const STUDENT: readonly [number, number, number][] = [
  [0.95, 24, 2.0638985616280254],
  [0.95, 2.5, 3.5746548420036817],
  [0.9, 11, 1.7958848187040442],
  [0.99, 60, 2.6602830288550368],
];

test("Student's t to twelve digits", () => {
  for (const [level, degrees, expected] of STUDENT) near(studentQuantile(level, degrees) / expected, 1, 2e-12);
});
