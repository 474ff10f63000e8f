import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph } from '../../server/src/onnx/graph.ts';
import { open } from './session.ts';

test('names carry the open scopes and stay unique', () => {
  const g = new Graph('names');
  const x = g.input('x', 'float32', ['B', 2]);
  const w = g.input('w', 'float32', [2, 3]);
  const [a, b] = g.scope('layers.3', () =>
    g.scope('self_attn/q_proj', () => [g.matMul(x, w), g.matMul(x, w)] as const),
  );
  assert.equal(a.name, 'layers.3/self_attn/q_proj/MatMul');
  assert.equal(b.name, 'layers.3/self_attn/q_proj/MatMul_1');
  assert.deepEqual(
    g.nodes.map(({ scope }) => scope),
    ['layers.3/self_attn/q_proj', 'layers.3/self_attn/q_proj'],
  );
  assert.equal(g.exp(a).name, 'Exp');
  assert.throws(() => g.input('x', 'float32', []), /already has a value named "x"/);
});

test('a scope is closed when its body throws', () => {
  const g = new Graph('scopes');
  const x = g.input('x', 'float32', [2]);
  assert.throws(() => g.scope('layers.0', () => g.matMul(x, g.scalar(1))));
  assert.equal(g.exp(x).name, 'Exp');
});

test('equal constants are one', () => {
  const g = new Graph('constants');
  assert.equal(g.ints([1, -1]), g.ints([1, -1]));
  assert.equal(g.scalar(0.5), g.scalar(0.5));
  assert.notEqual(g.scalar(0.5), g.scalar(0.5, 'float64'));
  assert.notEqual(g.scalar(0), g.scalar(-0));
  assert.deepEqual(g.constant(g.ints([Infinity, -Infinity])), BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)));
  assert.throws(() => g.ints([0.5]), RangeError);
});

test('an error names node, layer, operator and both shapes', () => {
  const g = new Graph('errors');
  const x = g.input('x', 'float32', ['B', 'T', 6]);
  const w = g.input('w', 'float32', [4, 6]);
  g.scope('layers.3/mlp', () => {
    assert.throws(() => g.matMul(x, w), {
      message:
        'cannot build MatMul (node "layers.3/mlp/MatMul") on (float32[B, T, 6], float32[4, 6]): ' +
        '[B, T, 6] times [4, 6]: 6 columns against 4 rows',
    });
    assert.throws(() => g.add(x, g.input('s', 'float32', ['S', 6])), /\[B, T, 6\] and \[S, 6\] do not broadcast/);
    assert.throws(() => g.add(x, g.input('d', 'float64', [6])), /types float32 \("x"\) and float64 \("d"\) differ/);
    assert.throws(() => g.reduceSum(x, [3]), /axis 3 is outside a tensor of 3 axes/);
    assert.throws(() => g.node('Frobnicate', [x]), /"layers.3\/mlp\/Frobnicate".*no row in onnx\/shapes.ts/);
    assert.throws(() => g.node('Add', [x, null]), /input 1 is missing/);
    assert.throws(() => g.split(w, [4, 3], 1), /sizes 4 \+ 3 do not add up to 6/);
    assert.throws(() => g.concat([w, g.input('v', 'float32', [4, 5])], 0), /cannot be joined/);
  });
});

test('initializers must fill their shape', () => {
  const g = new Graph('sizes');
  assert.throws(() => g.initializer('a', 'float32', [2, 2], new Float32Array(3)), /takes 4 elements.*got 3/);
  assert.throws(() => g.initializer('b', 'int64', [1], new Float32Array(1)), /BigInt64Array; got 1 in a Float32Array/);
  assert.throws(
    () => g.external('c', 'bfloat16', [3], { location: 'model.safetensors', offset: 9, length: 12 }),
    /takes 6 bytes; model.safetensors gives 12/,
  );
});

test('reshape: symbols are copied, left to -1, or read from a shape', async () => {
  const g = new Graph('reshape');
  const x = g.input('x', 'float32', ['B', 'T', 12]);
  const heads = g.reshape(x, ['B', 'T', 3, 4]);
  assert.equal(g.nodes.at(-1)!.inputs[1]!.name, '[0, 0, 3, 4]');
  const swapped = g.transpose(heads, [0, 2, 1, 3]);
  const flat = g.reshape(swapped, ['B', 'T*3', 4]);
  const rows = g.reshape(x, ['B*T', 12]);
  const back = g.reshape(rows, ['B', 'T', 12]);
  const folded = g.reshape(swapped, [3, 'B', g.scalar(4, 'int64'), 'T']);
  assert.deepEqual(
    [heads, flat, rows, back, folded].map(({ shape }) => shape),
    [
      ['B', 'T', 3, 4],
      ['B', 'T*3', 4],
      ['B*T', 12],
      ['B', 'T', 12],
      [3, 'B', 4, 'T'],
    ],
  );
  assert.throws(() => g.reshape(x, ['B', 'T', 5, 2]), /has 12\*B\*T elements.*10\*B\*T/);
  assert.throws(() => g.reshape(x, ['B', 'S', 'T', 12]), /no tensor of the graph has a dimension "S"/);

  [heads, flat, rows, back, folded].forEach((value, i) => g.output(value, `y${i}`));
  const data = Array.from({ length: 72 }, (_, i) => i);
  const result = await (await open(g))({ x: { type: 'float32', shape: [2, 3, 12], data } });
  assert.deepEqual(
    Object.values(result).map(({ shape }) => shape),
    [
      [2, 3, 3, 4],
      [2, 9, 4],
      [6, 12],
      [2, 3, 12],
      [3, 2, 4, 3],
    ],
  );
  assert.deepEqual(result.y3.data, data);
});

test('products, quotients and sums of symbols are followed', () => {
  const g = new Graph('symbols');
  const x = g.input('x', 'float32', ['B', 'T', 4]);
  assert.deepEqual(g.reshape(x, [-1, 4]).shape, ['B*T', 4]);
  assert.deepEqual(g.reshape(x, [-1]).shape, ['4*B*T']);
  assert.deepEqual(g.reshape(g.reshape(x, [-1]), ['B', -1, 4]).shape, ['B', 'T', 4]);
  assert.deepEqual(g.concat([x, x, g.input('past', 'float32', ['B', 3, 4])], 1).shape, ['B', 'T+T+3', 4]);
  assert.deepEqual(g.slice(x, [1], [Infinity], [1]).shape, ['B', 'T-1', 4]);
  assert.deepEqual(g.slice(x, [0], [-2], [1]).shape, ['B', 'T-2', 4]);
  assert.deepEqual(g.tile(x, [1, 2, 2]).shape, ['B', '2*T', 8]);
  assert.deepEqual(g.expand(g.scalar(0), ['B', 'T']).shape, ['B', 'T']);
  const half = g.slice(x, [0], [2], [1]);
  assert.match(String(half.shape[1]), /^\?/, 'how much 0:2 takes of T depends on T');
});

test('prune drops what nothing needs, constants included', () => {
  const g = new Graph('prune');
  const x = g.input('x', 'float32', [2]);
  const kept = g.scalar(2);
  const mark = g.mark();
  const y = g.mul(x, kept);
  const z = g.mul(g.exp(y), 3);
  g.add(y, 5);
  g.prune(mark, [z]);
  assert.deepEqual(
    g.nodes.map(({ op }) => op),
    ['Mul', 'Exp', 'Mul'],
  );
  assert.deepEqual(
    g.initializers.map(({ value }) => value.name),
    ['2', '3'],
  );
  assert.notEqual(g.scalar(5).name, undefined, 'a dropped constant can be made again');
});
