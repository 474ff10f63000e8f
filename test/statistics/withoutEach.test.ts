/** What is left out of a list equals the statistic of the shorter list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { auc } from '../../server/src/statistics/auc.ts';
import { pearson, spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { aucWithoutEach, pearsonWithoutEach, spearmanWithoutEach } from '../../server/src/statistics/withoutEach.ts';

const random = new Random(3);
const drop = <T>(list: readonly T[], k: number) => list.filter((_, i) => i !== k);
const near = (a: number | null, b: number | null) =>
  assert.ok(a === null ? b === null : b !== null && Math.abs(a - b) < 1e-12, `${a}, expected ${b}`);

test('correlations and AUC without each item, with and without ties', () => {
  for (const levels of [1000, 4]) {
    const draw = () => Array.from({ length: 15 }, () => random.integer(levels));
    const [a, b] = [draw(), draw()];
    const [byRank, byValue] = [spearmanWithoutEach(a, b), pearsonWithoutEach(a, b)];
    const positive = a.map((_, i) => i % 4 === 0);
    const areas = aucWithoutEach(b, positive);
    const [ones, others] = [areas.positive.values(), areas.negative.values()];
    for (const k of a.keys()) {
      near(byRank[k], spearman(drop(a, k), drop(b, k)));
      near(byValue[k], pearson(drop(a, k), drop(b, k)));
      near((positive[k] ? ones : others).next().value!, auc(drop(b, k), drop(positive, k)));
    }
  }
});

test('nothing is left: not defined', () => {
  assert.deepEqual(aucWithoutEach([1, 2, 3], [true, false, false]), {
    positive: [null],
    negative: [1, 1].map(() => 0),
  });
  assert.deepEqual(spearmanWithoutEach([1, 1, 2], [1, 2, 3]), [1, 1, null]);
});
