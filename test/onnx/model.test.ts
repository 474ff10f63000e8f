/** The written files also passed the checker of the Python package `onnx` 1.23 (full_check), run by hand. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { decodeModel, graphOf } from '../../server/src/onnx/decode.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import { graphText } from '../../server/src/onnx/text.ts';
import { assertGolden } from '../golden/golden.ts';
import { attentionBlock } from './attention.ts';
import { open } from './session.ts';

test('a graph comes back from its bytes as it was', () => {
  const g = attentionBlock();
  const again = graphOf(decodeModel(encodeModel(g)));
  assert.equal(graphText(again), graphText(g));
  assert.deepEqual(encodeModel(again), encodeModel(g));
});

test('every kind of attribute and data type survives', () => {
  const g = new Graph('kinds');
  const x = g.input('x', 'float32', ['N']);
  const tensor = { type: 'int64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 63n - 1n) } as const;
  const attributes = {
    alpha: 1,
    ratio: { kind: 'float', value: 0.25 },
    axis: -3,
    last: Number.MAX_SAFE_INTEGER,
    text: 'größer',
    perm: [2, 0, 1],
    scales: [1, 2],
    words: ['a', 'b'],
    value: tensor,
  } as const;
  const [y] = g.node('Identity', [x], attributes);
  g.append('com.microsoft.Something', [y, null, x], {}, [{ type: 'float32', shape: ['N'] }]);
  const data = {
    float32: Float32Array.of(1.5, -0),
    float64: Float64Array.of(0.1, NaN),
    float16: Uint16Array.of(0x3c00, 1),
    bfloat16: Uint16Array.of(0x3f80, 2),
    int64: BigInt64Array.of(-5n, 2n ** 62n),
    int32: Int32Array.of(-5, 7),
    uint16: Uint16Array.of(65535, 0),
    uint8: Uint8Array.of(255, 0),
    int8: Int8Array.of(-128, 1),
    bool: Uint8Array.of(1, 0),
  } as const;
  for (const [type, content] of Object.entries(data)) g.initializer(type, type as keyof typeof data, [2], content);

  const model = decodeModel(encodeModel(g));
  assert.deepEqual(model.nodes[0].attributes, g.nodes[0].attributes);
  assert.deepEqual(model.nodes[0].attributes.alpha, { kind: 'float', value: 1 });
  assert.deepEqual(model.nodes[1].inputs, ['Identity', '', 'x']);
  assert.equal(model.nodes[1].op, 'com.microsoft.Something');
  assert.deepEqual(model.opsets, { '': 21, 'com.microsoft': 1 });
  for (const [type, content] of Object.entries(data)) {
    const initializer = model.initializers.find(({ name }) => name === type)!;
    assert.equal(initializer.type, type);
    assert.deepEqual(initializer.data, content);
  }
});

test('an operator newer than the opset raises the opset', () => {
  const g = new Graph('newer');
  const x = g.input('x', 'float32', [2, 3]);
  g.output(g.node('RMSNormalization', [x, g.onesLike(g.input('s', 'float32', [3]))])[0], 'y');
  assert.deepEqual(decodeModel(encodeModel(g)).opsets, { '': 23 });
});

test('ONNX Runtime runs an encoded graph', async () => {
  const g = new Graph('silu');
  const x = g.input('x', 'float32', ['N', 2]);
  const w = g.initializer('w', 'float32', [2, 1], Float32Array.of(3, -1));
  g.output(g.silu(g.matMul(x, w)), 'y');
  g.output(x, 'same');
  const { y, same } = await (await open(g))({ x: { type: 'float32', shape: [2, 2], data: [1, 2, 0, 4] } });
  assert.deepEqual(same.data, [1, 2, 0, 4]);
  assert.deepEqual(y.shape, [2, 1]);
  assert.deepEqual(
    y.data.map((value) => value.toFixed(6)),
    [1 / (1 + Math.exp(-1)), -4 / (1 + Math.exp(4))].map((value) => value.toFixed(6)),
  );
});

test('weights are read where they lie in a file, at any offset and in any of its types', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'layerif-onnx-'));
  try {
    // As in a safetensors file: a header of odd length, then a float32 and a bfloat16 tensor without padding.
    const header = Buffer.from('{"w":0,"b":0 }x');
    const weights = Float32Array.from({ length: 12 }, (_, i) => i / 4);
    const bias = new Uint16Array(new Uint32Array(Float32Array.of(1, -2, 3.5, 0.5).buffer).map((bits) => bits >>> 16));
    writeFileSync(
      path.join(folder, 'model.safetensors'),
      Buffer.concat([header, Buffer.from(weights.buffer), Buffer.from(bias.buffer)]),
    );
    const g = new Graph('external');
    const x = g.input('x', 'float32', ['N', 3]);
    const place = (offset: number, length: number): { location: string; offset: number; length: number } => ({
      location: 'model.safetensors',
      offset,
      length,
    });
    const w = g.external('w', 'float32', [3, 4], place(15, 48));
    const b = g.external('b', 'bfloat16', [4], place(63, 8));
    g.output(g.add(g.matMul(x, w), g.cast(b, 'float32')), 'y');

    assert.deepEqual(decodeModel(encodeModel(g)).initializers[0].external, place(15, 48));
    const run = await open(g, {
      extra: { session: { model_external_initializers_file_folder_path: folder } },
    });
    const { y } = await run({ x: { type: 'float32', shape: [1, 3], data: [1, 10, 100] } });
    // Row i of w is (4i, 4i + 1, 4i + 2, 4i + 3) / 4.
    assert.deepEqual(y.data, [210 + 1, 237.75 - 2, 265.5 + 3.5, 293.25 + 0.5]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('bfloat16 weights may be fed as their bits', async () => {
  const g = new Graph('bits');
  const bits = g.input('bits', 'uint16', ['N']);
  g.output(g.cast(g.node('BitCast', [bits], { to: 16 })[0], 'float32'), 'y');
  const run = await open(g);
  const { y } = await run({ bits: { type: 'uint16', shape: [3], data: [0x3f80, 0xc000, 0x7f7f] } });
  assert.deepEqual(y.data, [1, -2, 255 * 2 ** 120]);
});

test('what is not an ONNX model is refused', () => {
  assert.throws(() => decodeModel(Uint8Array.of(255, 255, 255, 255)), /not an ONNX model \(4 bytes\)/);
  assert.throws(() => decodeModel(new Uint8Array()), /not an ONNX model \(0 bytes\): it has no graph/);
});

test('the text of a graph', () => {
  assertGolden('onnx/attention.txt', graphText(attentionBlock()));
});
