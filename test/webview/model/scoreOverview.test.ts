/** Scores beside each other: ranks, their order, small charts on one scale. Values worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoreTable } from '../../../protocol/scores.ts';
import {
  layerOrder,
  layerValues,
  rankChart,
  ranksOf,
  scoreLines,
  sharedDomain,
  smallSeries,
} from '../../../webview/src/model/scoreOverview.ts';
import { heatTable, layerTable } from '../scoreTables.ts';

/** High speaks for keeping; layers are 1, 4, 2, 3 by it. */
const kept: ScoreTable = {
  ...layerTable,
  score: 'kept',
  title: 'Kept',
  question: 'explain',
  higherMeans: 'keep',
  values: [8, -3, 5, 2],
  intervals: undefined,
  reference: { value: 1, words: 'chance' },
  texts: 'task a, 2 texts',
};
const otherTask: ScoreTable = { ...kept, texts: 'task b, 2 texts', values: [0, 20, 1, 2], needs: ['{"of":"b"}'] };
const summed: ScoreTable = { ...heatTable, layers: { values: [1, 1, null, 0], words: 'mean over tokens' } };

test('rank 1 speaks most for keeping; equal values share the mean rank; undefined has none', () => {
  assert.deepEqual(ranksOf([8, -3, 5, 2], false), [1, 4, 2, 3]);
  assert.deepEqual(ranksOf([2, null, -1, 12345.678], true), [2, null, 1, 3]);
  assert.deepEqual(ranksOf([1, 1, null, 0], false), [1.5, 1.5, null, 3]);
  assert.deepEqual(ranksOf([null, null], false), [null, null]);
});

test('tables with one value a layer, by question, those of one score beside each other', () => {
  const lines = scoreLines([kept, layerTable, summed, otherTask], 4);
  assert.deepEqual(
    lines.map(({ name }) => name),
    ['Kept, task a', 'Kept, task b', 'Pairs', 'Test score'],
  );
  assert.match(lines[3].direction, /^which blocks can go: a high value speaks for removing the layer/);
  const wide = { ...kept, options: { ...kept.options, epsilon: 0.2 } };
  assert.deepEqual(
    scoreLines([kept, wide], 4).map(({ name }) => name),
    ['Kept, epsilon 0.1', 'Kept, epsilon 0.2'],
  );
  assert.deepEqual(layerValues(heatTable, 4), null, 'tokens are no layers');
  assert.deepEqual(layerValues(layerTable, 5), null, 'of another model');
  assert.deepEqual(scoreLines([{ ...kept, values: [null, null, null, null] }], 4), []);
});

test('layers in the order of one score, in all pictures alike', () => {
  const lines = scoreLines([kept, layerTable, summed, otherTask], 4);
  const [first, second, third, last] = lines;
  assert.deepEqual(layerOrder(lines, 4, ''), [0, 1, 2, 3]);
  assert.deepEqual(layerOrder(lines, 4, 'gone'), [0, 1, 2, 3]);
  assert.deepEqual(layerOrder(lines, 4, first.key), [0, 2, 3, 1]);
  assert.deepEqual(layerOrder(lines, 4, third.key), [0, 1, 3, 2]);
  const order = layerOrder(lines, 4, last.key);
  assert.deepEqual(order, [2, 0, 3, 1], 'low speaks for keeping, undefined stands last');
  const chart = rankChart(lines, order);
  assert.deepEqual([chart.columns, chart.rows.length, chart.limit], [['2', '0', '3', '1'], 4, 4]);
  // Rank 1 is 4, the deepest; of the last line the layers 2, 0, 3 have ranks 1, 2, 3.
  assert.deepEqual(chart.values.slice(12), [4, 3, 2, null]);
  const [bars, chance] = smallSeries(last, order);
  assert.deepEqual(bars.values, [-1, 2, 12345.678, null]);
  assert.deepEqual(bars.intervals, [[-2, 0], [1.5, 2.5], [12000, 13000], null]);
  assert.deepEqual(chance.values, [1, 1, null, 1]);
  assert.equal(smallSeries(first, order).length, 1, 'one reference for all is a line of the chart');
  assert.deepEqual(sharedDomain(first, lines), [-3, 20]);
  assert.deepEqual(sharedDomain(second, lines), [-3, 20]);
});
