/** The loop over the blocks: the order of the segments, what each step is given, and where it ends. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { downward, segmentsOf, upward } from '../../server/src/engine/sweep/chain.ts';

test('segments: from the top in whole lengths, the lowest may be shorter', () => {
  assert.deepEqual(segmentsOf(5, 0, 2), [[0], [1, 2], [3, 4]]);
  assert.deepEqual(segmentsOf(5, 2, 3), [[2, 3, 4]]);
  assert.deepEqual(segmentsOf(3, 3, 1), []);
});

test('upward: each segment begins with what the one below gave', async () => {
  const seen: unknown[] = [];
  const step = (layers: number[], before: string) => Promise.resolve(`${before}>${layers.join('+')}`);
  for await (const { layers, before, after } of upward([[0], [1, 2]], 'x', step)) seen.push([layers, before, after]);
  assert.deepEqual(seen, [
    [[0], 'x', 'x>0'],
    [[1, 2], 'x>0', 'x>0>1+2'],
  ]);
});

test('upward: outputs that nobody wants end the loop, and the last segment is handed over still', async () => {
  const seen: unknown[] = [];
  const step = ([layer]: number[]) => Promise.resolve(layer === 1 ? null : layer);
  for await (const { after } of upward([[0], [1], [2]], -1, step)) seen.push(after);
  assert.deepEqual(seen, [0, null]);
});

test('a step is made only when the loop asks for it: nothing runs ahead of a saved state, nor after a break', async () => {
  const log: string[] = [];
  const step = ([layer]: number[], before: number) => {
    log.push(`step ${layer}`);
    return Promise.resolve(before + 1);
  };
  for await (const { layers } of upward([[0], [1], [2]], 0, step)) {
    log.push(`saved ${layers[0]}`);
    if (layers[0] === 1) break;
  }
  assert.deepEqual(log, ['step 0', 'saved 0', 'step 1', 'saved 1']);
});

test('downward: from the top, cotangents passed on, the lowest segment is number 0 and has none to pass', async () => {
  const seen: unknown[] = [];
  const step = (layers: number[], dy: string, index: number) =>
    Promise.resolve({ seen: `gradient ${layers.join('+')}`, dx: index > 0 ? `${dy}<${layers.join('+')}` : null });
  for await (const one of downward([[1], [2, 3], [4]], 'dy', step)) seen.push(one);
  assert.deepEqual(seen, [
    { layers: [4], index: 2, cotangents: 'dy', seen: 'gradient 4', dx: 'dy<4' },
    { layers: [2, 3], index: 1, cotangents: 'dy<4', seen: 'gradient 2+3', dx: 'dy<4<2+3' },
    { layers: [1], index: 0, cotangents: 'dy<4<2+3', seen: 'gradient 1', dx: null },
  ]);
});

test('an error of a step ends the sweep', async () => {
  const step = ([layer]: number[], before: number) =>
    layer === 1 ? Promise.reject(new Error('cancelled')) : Promise.resolve(before);
  const layers: number[] = [];
  await assert.rejects(
    (async () => {
      for await (const one of upward([[0], [1], [2]], 0, step)) layers.push(...one.layers);
    })(),
    /cancelled/,
  );
  assert.deepEqual(layers, [0]);
});
