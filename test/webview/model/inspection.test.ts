import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InspectedModel } from '../../../protocol/inspection.ts';
import { layerRows, moduleRows, notReadRows, ranges, unscoredRows } from '../../../webview/src/model/inspection.ts';

const module = (name: string, rows: number, columns: number) => ({
  name,
  shape: [rows, columns] as [number, number],
  parameters: rows * columns,
});

const model = {
  layerNames: ['m.layers.0', 'm.layers.1', 'm.layers.10'],
  kinds: [
    { layers: [0, 2], modules: [module('q', 2, 3)] },
    { layers: [1], modules: [module('q', 2, 3), module('v', 4, 3)] },
  ],
  scoredParameters: 30,
  unscored: [
    { name: 'm.layers.0.norm.weight', shape: [5] },
    { name: 'm.layers.1.norm.weight', shape: [5] },
    { name: 'm.layers.10.norm.weight', shape: [6] },
    { name: 'm.embed', shape: [4, 5] },
  ],
  notRead: [
    { name: 'm.layers.0.table', shape: [3, 3] },
    { name: 'm.layers.1.table', shape: [3, 3] },
  ],
} as unknown as InspectedModel;

test('layers stand in their order, with their share of what is scored', () => {
  assert.deepEqual(layerRows(model), [
    { index: 0, name: 'm.layers.0', modules: 1, parameters: 6, share: 0.2 },
    { index: 1, name: 'm.layers.1', modules: 2, parameters: 18, share: 0.6 },
    { index: 2, name: 'm.layers.10', modules: 1, parameters: 6, share: 0.2 },
  ]);
});

test('the same tensor of several layers is one row; another shape or a layer of its own keeps its name', () => {
  assert.deepEqual(unscoredRows(model), [
    { name: 'm.embed', members: 1, shape: '4 \u00d7 5', parameters: 20 },
    { name: 'm.layers.*.norm.weight', members: 2, shape: '5', parameters: 10 },
    { name: 'm.layers.10.norm.weight', members: 1, shape: '6', parameters: 6 },
  ]);
});

test('tensors that the model does not read are grouped alike', () => {
  assert.deepEqual(notReadRows(model), [{ name: 'm.layers.*.table', members: 2, shape: '3 \u00d7 3', parameters: 18 }]);
});

test('experts share a row; a few modules keep their names', () => {
  const up = Array.from({ length: 8 }, (_, i) => module(`experts.${i}.up`, 2, 3));
  const few = [module('layer.0.conv', 3, 2), module('layer.1.conv', 3, 2)];
  assert.deepEqual(moduleRows([...up, ...few]), [
    { name: 'experts.*.up', members: 8, shape: [2, 3], parameters: 48 },
    { name: 'layer.0.conv', members: 1, shape: [3, 2], parameters: 6 },
    { name: 'layer.1.conv', members: 1, shape: [3, 2], parameters: 6 },
  ]);
});

test('ranges', () => {
  assert.equal(ranges([0, 1, 2, 5, 7, 8]), '0 to 2, 5, 7, 8');
  assert.equal(ranges([3]), '3');
});
