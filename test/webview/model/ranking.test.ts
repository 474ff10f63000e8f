import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderSamples, rankSamples, totals } from '../../../webview/src/model/ranking.ts';
import { random, sampleResult } from '../sampleResult.ts';

test('helpful and harmful samples, strongest first; zeros and missing numbers are neither', () => {
  const row = [3, -1, 0, 5, -7, 5, null as unknown as number];
  assert.deepEqual(rankSamples(row, 2), {
    helpful: [
      { index: 3, influence: 5 },
      { index: 5, influence: 5 },
    ],
    harmful: [
      { index: 4, influence: -7 },
      { index: 1, influence: -1 },
    ],
  });
  assert.deepEqual(rankSamples([0, 0], 5), { helpful: [], harmful: [] });
});

test('the ranking agrees with a full sort', () => {
  const next = random(4);
  const row = Array.from({ length: 500 }, () => next() - 0.5);
  const sorted = row.map((influence, index) => ({ index, influence })).sort((a, b) => b.influence - a.influence);
  const { helpful, harmful } = rankSamples(row, 20);
  assert.deepEqual(helpful, sorted.slice(0, 20));
  assert.deepEqual(harmful, sorted.slice(-20).reverse());
});

test('columns of the heat map: by total, by layer, by file', () => {
  const { tasks } = sampleResult({ layers: 3, tasks: ['a'], train: 4, validation: 1 });
  const task = {
    ...tasks[0],
    influence: [
      [1, 2, 3, -9],
      [1, -5, 0, 9],
      [0, 4, 0, 1],
    ],
  };
  assert.deepEqual(totals(task), [2, 1, 3, 1]);
  assert.deepEqual(orderSamples(task, 'total', null), [2, 0, 1, 3]);
  assert.deepEqual(orderSamples(task, 'layer', 1), [3, 0, 2, 1]);
  assert.deepEqual(orderSamples(task, 'layer', null), [2, 0, 1, 3], 'without a selected layer: by total');
  assert.deepEqual(orderSamples(task, 'file', 1), [0, 1, 2, 3]);
});
