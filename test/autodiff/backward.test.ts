import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backward } from '../../server/src/autodiff/backward.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import type { Value } from '../../server/src/onnx/graph.ts';
import { open } from '../onnx/session.ts';
import type { Feeds } from '../onnx/session.ts';

/** Cotangents of `wrt` for the sum over `loss`, under the names of the values. */
async function gradients(g: Graph, loss: Value, wrt: readonly Value[], feeds: Feeds): Promise<(readonly number[])[]> {
  const results = backward(g, [{ of: loss, cotangent: g.scalar(1, loss.type) }], wrt);
  results.forEach((value, i) => g.output(value!, `d${i}`));
  const outputs = await (await open(g))(feeds);
  return results.map((value, i) => {
    const { data, shape } = outputs[`d${i}`];
    assert.equal(shape.length, wrt[i].shape.length);
    assert.equal(value!.type, wrt[i].type);
    return data;
  });
}

const feed = (shape: number[], data: number[]): Feeds[string] => ({ type: 'float32', shape, data });

test('a value used several times gets the sum of its cotangents', async () => {
  const g = new Graph('sum');
  const x = g.input('x', 'float32', [2]);
  // x² + 3x + x·x², slope 2x + 3 + 3x²
  const square = g.mul(x, x);
  const y = g.add(g.add(square, g.mul(x, 3)), g.mul(x, square));
  assert.deepEqual(await gradients(g, y, [x], { x: feed([2], [1, 2]) }), [[8, 19]]);
});

test('cotangents are summed over broadcast axes to the shape of the source', async () => {
  const g = new Graph('broadcast');
  const x = g.input('x', 'float32', ['B', 2]);
  const row = g.input('row', 'float32', [2]);
  const column = g.input('column', 'float32', ['B', 1]);
  const scalar = g.input('scalar', 'float32', []);
  const y = g.mul(g.add(g.add(x, row), column), scalar);
  const feeds = {
    x: feed([3, 2], [1, 2, 3, 4, 5, 6]),
    row: feed([2], [10, 20]),
    column: feed([3, 1], [0, 0, 0]),
    scalar: feed([], [2]),
  };
  const [dx, drow, dcolumn, dscalar] = await gradients(g, y, [x, row, column, scalar], feeds);
  assert.deepEqual([dx, drow, dcolumn, dscalar], [Array(6).fill(2), [6, 6], [4, 4, 4], [111]]);
});

test('cotangents of values inside the graph, together with those of what they depend on', async () => {
  const g = new Graph('inside');
  const x = g.input('x', 'float32', [2]);
  const w = g.initializer('w', 'float32', [2], Float32Array.of(3, 4));
  const inside = g.mul(x, w);
  const y = g.mul(inside, inside);
  const all = await gradients(g, y, [inside, x, w], { x: feed([2], [1, 2]) });
  assert.deepEqual(all, [
    [6, 16],
    [18, 64],
    [6, 32],
  ]);
});

test('seeds may lie on several values, one before the other, and may be their own answer', async () => {
  const g = new Graph('seeds');
  const x = g.input('x', 'float32', [2]);
  const inside = g.mul(x, 2);
  const y = g.mul(inside, 5);
  const seed = g.input('seed', 'float32', [2]);
  const [dx, dy] = backward(
    g,
    [
      { of: y, cotangent: seed },
      { of: inside, cotangent: g.scalar(1) },
    ],
    [x, y],
  );
  assert.equal(dy, seed);
  g.output(dx!, 'dx');
  const { dx: result } = await (await open(g))({ x: feed([2], [0, 0]), seed: feed([2], [1, 3]) });
  assert.deepEqual(result.data, [12, 32]);
});

test('a small seed is spread where its shape matters and not before', async () => {
  const g = new Graph('spread');
  const x = g.input('x', 'float32', ['B', 3]);
  const w = g.input('w', 'float32', [3, 2]);
  const mean = g.reduceMean(g.pow(g.matMul(x, w), 2), [1], false);
  const [dx] = backward(g, [{ of: mean, cotangent: g.scalar(1) }], [x]);
  const spreads = g.nodes.filter(({ op, name }) => op === 'Expand' && name.startsWith('grad'));
  assert.equal(spreads.length, 1, 'one Expand, of the seed to [B]');
  g.output(dx!, 'dx');
  const run = await open(g);
  const result = await run({ x: feed([1, 3], [1, 0, 2]), w: feed([3, 2], [1, 2, 0, 1, 3, 1]) });
  assert.deepEqual(result.dx.data, [15, 4, 25]);
});

test('null where no seed depends on the value, and no node is added for it', () => {
  const g = new Graph('apart');
  const x = g.input('x', 'float32', [2]);
  const other = g.input('other', 'float32', [2]);
  const y = g.exp(other);
  const index = g.cast(g.cast(x, 'int64'), 'float32');
  const loss = g.mul(y, index);
  const before = g.nodes.length;
  assert.deepEqual(backward(g, [{ of: loss, cotangent: g.onesLike(loss) }], [x]), [null]);
  assert.equal(g.nodes.length, before + 1, 'only the seed');
});

test('no dead nodes: every added node leads to an answer', () => {
  const g = new Graph('dead');
  const x = g.input('x', 'float32', ['B', 3]);
  const w = g.initializer('w', 'float32', [3, 4], new Float32Array(12));
  const loss = g.reduceSum(g.logSoftmax(g.matMul(x, w)), [1]);
  const seed = g.input('seed', 'float32', ['B', 1]);
  const before = g.nodes.length;
  const [dx] = backward(g, [{ of: loss, cotangent: seed }], [x]);
  const used = new Set([dx]);
  for (const node of [...g.nodes].reverse()) {
    if (g.nodes.indexOf(node) < before) break;
    assert.ok(
      node.outputs.some((output) => used.has(output)),
      `${node.name} is not used`,
    );
    for (const input of node.inputs) if (input) used.add(input);
  }
  assert.ok(
    !g.nodes.slice(before).some(({ inputs }) => inputs.includes(x)),
    'nothing for the weight that nobody asked for',
  );
});

test('rows of a table gathered by two threads are all added up', async () => {
  const [count, width] = [6000, 64];
  const g = new Graph('gather');
  const table = g.input('table', 'float32', [4, width]);
  const ids = g.input('ids', 'int64', ['N']);
  const [d] = backward(g, [{ of: g.gather(table, ids), cotangent: g.scalar(1) }], [table]);
  g.output(d!, 'd');
  const run = await open(g, { intraOpNumThreads: 2 });
  const feeds: Feeds = {
    table: feed([4, width], Array<number>(4 * width).fill(0)),
    ids: { type: 'int64', shape: [count], data: Array.from({ length: count }, (_, i) => i % 3) },
  };
  const { d: result } = await run(feeds);
  const expected = Array.from({ length: 4 * width }, (_, i) => (i < 3 * width ? count / 3 : 0));
  assert.deepEqual(result.data, expected);
});

test('an operator without a rule is named with its node and layer', () => {
  const g = new Graph('missing');
  const x = g.input('x', 'float32', [2]);
  const y = g.scope('layers.3', () => g.scope('mlp', () => g.node('IsNaN', [x])[0]));
  const mod = g.scope('layers.3', () => g.scope('mlp', () => g.node('Mod', [x, x], { fmod: 1 })[0]));
  // Through the boolean no cotangent flows, so it needs no rule.
  assert.deepEqual(backward(g, [{ of: g.where(y, 1, 0), cotangent: g.scalar(1) }], [x]), [null]);
  assert.throws(() => backward(g, [{ of: mod, cotangent: g.scalar(1) }], [x]), {
    message: 'no rule for operator "Mod" (node "layers.3/mlp/Mod", layer "layers.3/mlp"); add one to autodiff/rules.ts',
  });
});

test('what a rule cannot do is told with the node', () => {
  const g = new Graph('training');
  const x = g.input('x', 'float32', [2]);
  const training = g.initializer('training', 'bool', [], Uint8Array.of(1));
  const [y] = g.scope('layers.0', () => g.node('Dropout', [x, g.scalar(0.5), training]));
  assert.throws(
    () => backward(g, [{ of: y, cotangent: g.scalar(1) }], [x]),
    /cannot differentiate Dropout \(node "layers.0\/Dropout", layer "layers.0"\): only inference mode has a rule/,
  );

  const [, mean] = g.node('LayerNormalization', [g.unsqueeze(x, [0]), g.onesLike(x)], {}, 3);
  assert.throws(
    () => backward(g, [{ of: mean, cotangent: g.scalar(1) }], [x]),
    /its rule answers for the first output only, and a seed depends on another one/,
  );
});

test('cotangents exist for float values only, of their own type and shape', () => {
  const g = new Graph('types');
  const ids = g.input('ids', 'int64', [2]);
  const x = g.input('x', 'float32', [2, 3]);
  assert.throws(() => backward(g, [], [ids]), /no cotangent for "ids": it is int64, not a float type/);
  const y = g.exp(x);
  assert.throws(() => backward(g, [{ of: y, cotangent: g.scalar(1, 'float64') }], [x]), /does not fit/);
  const wrong = g.input('wrong', 'float32', [4, 3]);
  assert.throws(() => backward(g, [{ of: y, cotangent: wrong }], [x]), /came out as \[4, 3\]/);
});

test('a gradient graph can be differentiated again', async () => {
  const g = new Graph('twice');
  const x = g.input('x', 'float32', [2]);
  const [first] = backward(g, [{ of: g.mul(g.mul(x, x), x), cotangent: g.onesLike(x) }], [x]);
  assert.deepEqual(await gradients(g, first!, [x], { x: feed([2], [1, 2]) }), [[6, 12]]);
});
