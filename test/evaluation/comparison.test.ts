import type { ComparedPruning } from '../../protocol/pruning.ts';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { compareMetrics, findingsOf, gateFailures } from '../../server/src/evaluation/comparison.ts';

const documents = (values: number[], key: string) => values.map((value) => ({ [key]: value }));

test('an accuracy falls by the difference, a perplexity rises by the quotient; windows are compared by their loss', () => {
  const dense = { quiz: documents([1, 1, 1, 0], 'acc'), 'perplexity:texts': documents([1, 3], 'loss') };
  const own = { quiz: documents([1, 0, 0, 0], 'acc'), 'perplexity:texts': documents([2, 4], 'loss') };
  const [acc, perplexity] = compareMetrics(own, dense, dense, 0);
  assert.deepEqual([acc.value, acc.drop, acc.documents], [0.25, 0.5, 4]);
  assert.equal(acc.againstUniform!.difference, -0.5);
  assert.equal(acc.againstUniform!.p, 0.5); // two documents differ: 2 of 4 patterns of signs
  assert.ok(Math.abs(perplexity.value - Math.exp(3)) < 1e-12);
  assert.ok(Math.abs(perplexity.drop - (Math.E - 1)) < 1e-12);
  assert.equal(perplexity.againstUniform!.difference, 1);
  assert.ok(perplexity.interval![0] >= Math.exp(2) - 1e-9 && perplexity.interval![1] <= Math.exp(4) + 1e-9);
  assert.equal(compareMetrics(dense, dense, null, 0)[0].againstUniform, null);
});

const pruning = (map: string, value: number, p: number | null, drop = 0): ComparedPruning => ({
  method: 'wanda',
  map,
  structure: 'unstructured',
  sparsity: 0.5,
  achieved: 0.5,
  layers: [],
  seconds: { prune: 0, evaluate: 0 },
  metrics: [
    {
      task: 'quiz',
      metric: 'acc',
      higherIsBetter: true,
      value,
      interval: null,
      documents: 40,
      againstUniform: p === null ? null : { difference: 0, interval: null, p },
      drop,
    },
  ],
});

test('findings name the best map and whether it can be told from uniform', () => {
  const finding = (prunings: ComparedPruning[]) => findingsOf(prunings)[0];
  assert.match(
    finding([pruning('uniform', 0.6, null), pruning('owl', 0.7, 0.4)]),
    /best is owl with 0\.7000, not distinguishable from uniform \(p 0\.40, 40 documents\)/,
  );
  assert.match(
    finding([pruning('uniform', 0.6, null), pruning('layerif', 0.8, 0.01)]),
    /best is layerif with 0\.8000, better than uniform \(p 0\.010\)/,
  );
  assert.match(
    finding([pruning('uniform', 0.6, null), pruning('reversed', 0.5, 0.2)]),
    /best is uniform with 0\.6000, no map is better/,
  );
});

test('the gate names every metric that falls too far', () => {
  assert.deepEqual(gateFailures(pruning('layerif', 0.5, null, 0.02), 0.02), []);
  assert.deepEqual(gateFailures(pruning('layerif', 0.5, null, 0.1), 0.02), [
    'quiz, acc: wanda at 50 % with map layerif falls by 0.1000, allowed is 0.02',
  ]);
});

test('a measure of which the model has nothing names no best; maps that remove more or less are told before', () => {
  const dense = (value: number): ComparedPruning => ({
    ...pruning('dense', value, null),
    method: 'dense',
    sparsity: 0,
  });
  const unequal = { ...pruning('layerif', 0.1, 0.01), achieved: 0.49 };
  const uniform = { ...pruning('uniform', 0.05, null), achieved: 0.5 };
  const none = findingsOf([dense(0), uniform, unequal]);
  assert.match(
    none[0],
    /the model as it is has 0 on its .* documents, so there is nothing to lose and no map is called/,
  );
  assert.match(none[1], /do not remove the same share, layerif 49\.0 % and uniform 50\.0 % of the weights/);
  assert.equal(none.length, 2);
  const some = findingsOf([dense(0.4), uniform, unequal]);
  assert.match(some[0], /do not remove the same share/);
  assert.match(some[1], /best is layerif/);
  const equal = findingsOf([dense(0.4), { ...uniform, achieved: 0.495 }, { ...unequal, achieved: 0.494 }]);
  assert.equal(equal.length, 1);
});
