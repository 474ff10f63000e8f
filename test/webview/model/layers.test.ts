import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultLayer,
  findLayer,
  labelStep,
  layerValues,
  moduleValues,
  scoredLayers,
  valueDomain,
} from '../../../webview/src/model/layers.ts';
import { sampleResult } from '../sampleResult.ts';

const result = sampleResult({ layers: 6, tasks: ['a', 'b'], train: 8, validation: 3 });

test('a place is kept for every layer that the run scores, finished or not', () => {
  assert.deepEqual(
    scoredLayers(sampleResult({ layers: 6, tasks: ['a'], train: 4, validation: 2, finished: 2 })),
    [0, 1, 2, 3, 4, 5],
  );
  const some = structuredClone(result);
  some.experiment.score.layers = [1, 4];
  for (const task of some.tasks) {
    task.layers = task.layers.filter((layer) => [1, 4].includes(layer.index));
    task.influence = task.influence.slice(0, 2);
  }
  assert.deepEqual(scoredLayers(some), [1, 4]);
  assert.deepEqual(
    layerValues(some, 'positive').map(({ task, slot, layer }) => [task, slot, layer]),
    [
      [0, 0, 1],
      [0, 1, 4],
      [1, 0, 1],
      [1, 1, 4],
    ],
  );
});

test('shares are relative to the largest of the own task, ranks go by value with ties by index', () => {
  const values = layerValues(result, 'positive');
  assert.equal(values.length, 12);
  for (const task of [0, 1]) {
    const own = values.filter((value) => value.task === task);
    assert.equal(Math.max(...own.map((value) => value.share)), 1);
    const byRank = [...own].sort((a, b) => a.rank - b.rank);
    assert.deepEqual(
      byRank.map((value) => value.rank),
      [1, 2, 3, 4, 5, 6],
    );
    for (let i = 1; i < 6; i++) assert.ok(byRank[i - 1].value >= byRank[i].value);
  }
  const tied = structuredClone(result);
  for (const layer of tied.tasks[0].layers) layer.positive = 5;
  assert.deepEqual(
    layerValues(tied, 'positive')
      .slice(0, 6)
      .map((value) => value.rank),
    [1, 2, 3, 4, 5, 6],
  );
});

test('the aggregation picks the column of the file, signs follow', () => {
  const signed = structuredClone(result);
  [-4, 0, 2, 8, -1, 4].forEach((sum, i) => (signed.tasks[0].layers[i].sum = sum));
  const values = layerValues(signed, 'sum').slice(0, 6);
  assert.deepEqual(
    values.map((value) => value.sign),
    ['negative', 'zero', 'positive', 'positive', 'negative', 'positive'],
  );
  assert.deepEqual(
    values.map((value) => value.share),
    [-0.5, 0, 0.25, 1, -0.125, 0.5],
  );
  assert.deepEqual(valueDomain(values, false), [-4, 8]);
  assert.deepEqual(valueDomain(values, true), [-1, 1]);
});

test('scores that are all zero or not numbers give no NaN', () => {
  const zero = structuredClone(result);
  for (const layer of zero.tasks[0].layers) layer.positive = 0;
  zero.tasks[1].layers[0].positive = null as unknown as number;
  const values = layerValues(zero, 'positive');
  assert.ok(values.every((value) => Number.isFinite(value.value) && Number.isFinite(value.share)));
  assert.deepEqual(valueDomain(values.slice(0, 6), false), [0, 1]);
  assert.deepEqual(valueDomain([], true), [0, 1]);
});

test('the page starts at the strongest layer of the first task with numbers', () => {
  const best = layerValues(result, 'top25').find((value) => value.task === 0 && value.rank === 1);
  assert.equal(defaultLayer(result, 'top25'), best?.layer);
  const later = structuredClone(result);
  later.tasks[0].layers = [];
  later.tasks[0].influence = [];
  assert.equal(
    defaultLayer(later, 'positive'),
    layerValues(result, 'positive').find((value) => value.task === 1 && value.rank === 1)?.layer,
  );
  assert.equal(defaultLayer({ ...result, tasks: [] }, 'positive'), null);
});

test('modules keep the order of the model and say which had no gradient', () => {
  const layer = structuredClone(result.tasks[0].layers[2]);
  layer.zeroGradient = ['mlp.up_proj'];
  layer.modules = { 'mlp.up_proj': { score: 0 }, extra: { score: -4 }, 'self_attn.q_proj': { score: 2 } };
  assert.deepEqual(moduleValues(result, layer), [
    { name: 'self_attn.q_proj', value: 2, share: 0.5, zeroGradient: false },
    { name: 'mlp.up_proj', value: 0, share: 0, zeroGradient: true },
    { name: 'extra', value: -4, share: -1, zeroGradient: false },
  ]);
});

test('a layer is found by its index, its row is its place', () => {
  const live = sampleResult({ layers: 6, tasks: ['a'], train: 4, validation: 2, finished: 2 });
  assert.equal(findLayer(live.tasks[0], 5)?.row, 1);
  assert.equal(findLayer(live.tasks[0], 0), null);
});

test('axis numbers keep their room', () => {
  assert.deepEqual(
    [40, 20, 9, 3, 0.1].map((spacing) => labelStep(spacing, 26)),
    [1, 2, 5, 10, 100],
  );
});
