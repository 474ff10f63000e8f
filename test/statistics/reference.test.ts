/** Statistics against scipy and numpy (test/reference/statistics/make.py), ties included. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { auc } from '../../server/src/statistics/auc.ts';
import { quantile } from '../../server/src/statistics/intervals.ts';
import { kendall } from '../../server/src/statistics/kendall.ts';
import { permutationTest } from '../../server/src/statistics/permutation.ts';
import { pearson, ranks, spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { topKOverlap } from '../../server/src/statistics/topK.ts';

interface Reference {
  pairs: {
    a: number[];
    b: number[];
    ranks: number[];
    pearson: number;
    spearman: number;
    kendall: number;
    spearmanP?: number;
    kendallP?: number;
  }[];
  auc: { values: number[]; positive: boolean[]; auc: number }[];
  quantiles: { values: number[]; shares: number[]; quantiles: number[] }[];
  overlap: { n: number; k: number; shared: number; p: number }[];
}

const file = new URL('../reference/statistics/reference.json', import.meta.url);
const reference = JSON.parse(readFileSync(file, 'utf8')) as Reference;
const near = (value: number | null, expected: number) =>
  assert.ok(value !== null && Math.abs(value - expected) < 1e-12, `${value}, expected ${expected}`);

test('Pearson, Spearman and Kendall agree with scipy', () => {
  for (const pair of reference.pairs) {
    near(pearson(pair.a, pair.b), pair.pearson);
    near(spearman(pair.a, pair.b), pair.spearman);
    near(kendall(pair.a, pair.b), pair.kendall);
    assert.deepEqual([...ranks(pair.a)], pair.ranks);
  }
});

test('the permutation test over all orders agrees with a count over all orders', () => {
  const small = reference.pairs.filter((pair) => pair.spearmanP !== undefined);
  assert.ok(small.length >= 3);
  for (const { a, b, spearmanP, kendallP } of small) {
    const options = { random: new Random(0), permutations: 5040 };
    const found = permutationTest(a, b, spearman, options)!;
    assert.ok(found.exact);
    near(found.p, spearmanP!);
    near(permutationTest(a, b, kendall, options)!.p, kendallP!);
  }
});

test('AUC agrees with the Mann-Whitney statistic', () => {
  for (const { values, positive, auc: expected } of reference.auc) near(auc(values, positive), expected);
});

test('quantiles agree with numpy', () => {
  for (const { values, shares, quantiles } of reference.quantiles) {
    const sorted = [...values].sort((a, b) => a - b);
    shares.forEach((share, i) => near(quantile(sorted, share), quantiles[i]));
  }
});

test("the tail of the overlap by chance agrees with scipy's hypergeometric distribution", () => {
  for (const { n, k, shared, p } of reference.overlap) {
    const a = Array.from({ length: n }, (_, i) => -i); // its k largest: 0 .. k - 1
    const b = a.map((_, i) => (i < shared || (i >= k && i < 2 * k - shared) ? 1 : 0));
    const found = topKOverlap(a, b, k);
    assert.equal(found.shared, shared);
    assert.equal(found.chance, k / n);
    near(found.p, p);
  }
});
