/** Options of every session: what is below float32's normal range counts as zero, on every thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floats, numbers, Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Graph } from '../../server/src/onnx/graph.ts';

test('subnormal numbers count as zero, normal ones stay, whichever thread computes them', async () => {
  const g = new Graph('tiny');
  g.output(g.mul(g.input('x', 'float32', ['n']), 0.5), 'y');
  const session = await new Runtime('cpu', 2).session(g);
  const count = 1 << 20; // enough that both threads get a part
  const x = Float32Array.from({ length: count }, (_, i) => [2 ** -126, 2 ** -125, 2 ** -140, -3][i % 4]);
  const y = numbers((await session.run({ x: floats(x, [count]) })).y);
  const right = [0, 2 ** -126, 0, -1.5];
  assert.equal(
    y.findIndex((value, i) => value !== right[i % 4]),
    -1,
  );
  await session.release();
});
