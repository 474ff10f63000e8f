/** The range of what layers get on drawn samples: central 90 % of the draws, around the allocation, counts outwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllocationRequest } from '../../protocol/allocation.ts';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { withSpread } from '../../server/src/run/decide/spread.ts';

const layers = [0, 1].map((index) => ({ index, name: `l${index}`, modules: [{ name: 'q', rows: 4, columns: 4 }] }));
/** With these, scores that add up to ten are the counts themselves. */
const request: AllocationRequest = { kind: 'experts', rule: 'layerif', total: 10, minimum: 0, beta: 1 };

function spreadOf(own: number, drawn: readonly number[], asked = request) {
  const bare = allocate(asked, { layers, values: [own, 10 - own] });
  const draws = drawn.map((score) => [score, 10 - score]);
  return withSpread(bare, asked, layers, draws);
}

test('the central 90 % of 21 draws are the second to the last but one', () => {
  const { layers: found, spread } = spreadOf(5, [9, 1, 8, 2, ...new Array<number>(17).fill(5)]);
  assert.deepEqual(
    found.map((layer) => layer.spread),
    [
      [2, 8],
      [2, 8],
    ],
  );
  assert.deepEqual(
    found.map(({ value }) => value),
    [5, 5],
  );
  assert.deepEqual(spread, { level: 0.9, replicates: 21 });
});

test('between two draws a count is rounded outwards, and the allocation itself is held', () => {
  // Of 20 draws the ends lie 0.95 behind the first, at 1.95, and at 8.05.
  const drawn = [9, 1, 8, 2, ...new Array<number>(16).fill(5)];
  assert.deepEqual(spreadOf(5, drawn).layers[0].spread, [1, 9]);
  assert.deepEqual(spreadOf(10, drawn).layers[0].spread, [1, 10]);
  assert.deepEqual(spreadOf(0, drawn).layers[0].spread, [0, 9]);
});

test('shares of sparsity are not rounded', () => {
  const { layers: found } = spreadOf(5, [9, 1, 8, 2, ...new Array<number>(16).fill(5)], { kind: 'sparsity' });
  const [low, high] = found[0].spread!;
  assert.ok(low > 0 && low < 0.5 && high > 0.5 && high < 1, `${low} to ${high}`);
});

test('draws that the rule does not fit are left out; without half of them there is no range', () => {
  const bad = new Array<number>(10).fill(NaN);
  const { layers: found } = spreadOf(5, [...bad, ...new Array<number>(10).fill(4)]);
  assert.deepEqual(found[0].spread, [4, 5]);
  const { layers: bare, spread } = spreadOf(5, [...bad, ...new Array<number>(9).fill(4)]);
  assert.equal(spread, undefined);
  assert.equal(bare[0].spread, undefined);
  assert.equal(bare[0].value, 5);
});
