/** What a graph or its data can lack, each with one sentence that says what it is and what to do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { bindInputs } from '../../server/src/graphs/inputs.ts';
import { layersOf } from '../../server/src/graphs/layers.ts';
import { logitsOf } from '../../server/src/graphs/loss.ts';
import { modulesOf } from '../../server/src/graphs/modules.ts';
import { conditionsOf } from '../../server/src/graphs/branches.ts';
import { openGraph } from '../../server/src/graphs/open.ts';
import { readGraph } from '../../server/src/graphs/read.ts';
import type { DecodedModel, DecodedNode, DecodedValue } from '../../server/src/onnx/decode.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import { folder as references } from './reference.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-graphs-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

const node = (op: string, inputs: string[], outputs: string[]): DecodedNode => ({
  name: `the ${op}`,
  op,
  inputs,
  outputs,
  attributes: {},
  metadata: {},
});
const value = (name: string, shape: DecodedValue['shape'], type: DecodedValue['type'] = 'float32') => ({
  name,
  type,
  shape,
});

function model(fields: Partial<DecodedModel>): DecodedModel {
  return {
    irVersion: 9,
    producer: '',
    opsets: { '': 17 },
    functions: [],
    name: 'g',
    inputs: [],
    outputs: [],
    values: [],
    initializers: [],
    sparse: [],
    nodes: [],
    ...fields,
  };
}

/** A graph with its weight in `weights.bin`, or wherever it is said to be. */
function external(location: string, length = 24): string {
  const g = new Graph('external');
  const x = g.input('x', 'float32', ['B', 2]);
  const w = g.external('w', 'float32', [2, 3], { location, offset: 0, length: 24 });
  g.output(g.matMul(x, w), 'logits');
  const file = path.join(folder, 'external.onnx');
  fs.writeFileSync(file, encodeModel(g));
  fs.writeFileSync(path.join(folder, 'weights.bin'), new Uint8Array(length));
  return file;
}

test('external data: read beside the graph; missing, outside, a link out, and cut off are refused by name', () => {
  assert.equal(readGraph(external('weights.bin')).constant('w').length, 6);
  assert.throws(
    () => readGraph(external('gone.bin')),
    /external data "gone\.bin" of constant "w" is missing; put the file beside/,
  );
  assert.throws(() => readGraph(external('../weights.bin')), /"\.\.\/weights\.bin" .* lies outside of the folder/);
  assert.throws(() => readGraph(external('/etc/hostname')), /"\/etc\/hostname" .* lies outside of the folder/);
  const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-outside-'));
  fs.writeFileSync(path.join(outside, 'w.bin'), new Uint8Array(24));
  fs.symlinkSync(path.join(outside, 'w.bin'), path.join(folder, 'link.bin'));
  assert.throws(() => readGraph(external('link.bin')), /is a symbolic link that leads out of the folder/);
  fs.rmSync(outside, { recursive: true });
  assert.throws(() => readGraph(external('weights.bin', 20)), /takes 24 bytes; .* the file holds 20: it is cut off/);
});

test('a file of more than 2 GiB is refused before it is read', () => {
  const file = path.join(folder, 'huge.onnx');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 2 ** 31);
  assert.throws(() => readGraph(file), /holds 2147483648 bytes, .* external data/);
});

test('a file that is no ONNX model names itself', () => {
  const file = path.join(folder, 'text.onnx');
  fs.writeFileSync(file, 'not a graph at all');
  assert.throws(() => readGraph(file), /text\.onnx: not an ONNX model/);
});

test('outputs: several without a name are asked about; no logits is no loss', () => {
  const two = model({ outputs: [value('a', ['B', 'T', 9]), value('b', ['B', 3])] });
  assert.throws(() => logitsOf(two), /outputs a, b, .* say which one holds the logits with model\.output/);
  assert.deepEqual(logitsOf(two, 'b'), { name: 'b', task: 'classification' });
  assert.throws(() => logitsOf(two, 'c'), /no output "c"; its outputs are a, b/);
  const cached = model({ outputs: [value('out', ['B', 'T', 9]), value('present.0.key', ['B', 2, 'T', 4])] });
  assert.deepEqual(logitsOf(cached), { name: 'out', task: 'causal' });
  assert.throws(
    () => logitsOf(model({ outputs: [value('mask', ['B', 3, 8, 8])] })),
    /has 4 axes .* a loss is known for logits/,
  );
  assert.throws(
    () => logitsOf(model({ outputs: [value('ids', ['B', 'T'], 'int64')] })),
    /"ids" is int64: a loss needs logits/,
  );
});

test('inputs: what the data lack, a fixed batch, and an axis that nothing binds', () => {
  const sample = { tokens: Int32Array.of(4, 5, 6) };
  const ids = value('input_ids', ['batch', 'sequence'], 'int64');
  assert.throws(
    () => bindInputs(model({ inputs: [ids, value('pixel_values', ['batch', 3, 8, 8])] }), sample, 3),
    /input "pixel_values" is not filled: the data bring tokens only; name a column for it under the task's inputs/,
  );
  assert.throws(
    () => bindInputs(model({ inputs: [value('input_ids', [2, 'T'], 'int64')] }), sample, 3),
    /fixes its batch at 2/,
  );
  const past = value('past_key_values.0.key', ['batch', 'heads', 'past_length', 'size']);
  assert.throws(
    () => bindInputs(model({ inputs: [ids, past] }), sample, 3),
    /axis 1 \("heads"\) .* is bound by nothing/,
  );
  const fed = bindInputs(
    model({ inputs: [ids, value('past_key_values.0.key', ['batch', 2, 'past_length', 4])] }),
    sample,
    3,
  );
  assert.deepEqual(fed.get('past_key_values.0.key')!.shape, [1, 2, 0, 4]);
  const eight = model({ inputs: [value('input_ids', ['B', 8], 'int64')] });
  assert.throws(() => bindInputs(eight, sample, 3), /takes 8 along axis 1, the data bring 3/);
});

test('operators that cannot be scored are refused with node and layer', () => {
  const write = (op: string): string => {
    const g = new Graph('refused');
    const x = g.input('x', 'float32', ['B', 2]);
    g.scope('/model/layers.0/lstm', () =>
      g.append(op, [x], {}, [{ type: 'float32', shape: ['B', 2], name: 'logits' }]),
    );
    g.output(g.nodes[0].outputs[0], 'logits');
    const file = path.join(folder, `${op}.onnx`);
    fs.writeFileSync(file, encodeModel(g));
    return file;
  };
  assert.throws(
    () => openGraph(write('LSTM')),
    /operator "LSTM" \(node "\/model\/layers\.0\/lstm\/LSTM", layer "model\.layers\.0\.lstm"\) is recurrent/,
  );
  assert.throws(() => openGraph(write('Loop')), /"Loop" .* control flow that depends on the data/);
  assert.throws(
    () => openGraph(write('MatMulInteger')),
    /"MatMulInteger" .* quantised form, through which there is no gradient/,
  );
  assert.throws(() => openGraph(write('RandomNormalLike')), /draws random numbers/);
});

test('a value that nothing makes is named with the operator that reads it', () => {
  const g = new Graph('lost');
  const x = g.input('x', 'float32', ['B', 2]);
  const y = g.relu(x);
  g.output(g.add(y, y), 'logits');
  const file = path.join(folder, 'lost.onnx');
  const sound = Buffer.from(encodeModel(g)).toString('latin1');
  // The name stands where it is made and twice where it is read: the first is changed, to one of the same length.
  const lost = sound.replace(y.name, 'z'.repeat(y.name.length));
  assert.notEqual(lost, sound);
  fs.writeFileSync(file, Buffer.from(lost, 'latin1'));
  assert.throws(
    () => openGraph(file),
    new RegExp(
      `lost\\.onnx: operator "Add" \\(.*\\) reads "${y.name}", which nothing in the graph makes: the file is damaged`,
    ),
  );
});

test('If: a condition that is the same for all samples is taken, one that depends on the data is refused', () => {
  const open = model({ inputs: [value('x', [1], 'bool')], nodes: [node('If', ['x'], ['y'])] });
  assert.throws(() => conditionsOf(open), /operator "If" \(node "the If"\) is control flow that depends on the data/);
  const shaped = model({
    inputs: [value('x', ['B'])],
    nodes: [node('Shape', ['x'], ['s']), node('Cast', ['s'], ['c']), node('If', ['c'], ['y'])],
  });
  assert.deepEqual(conditionsOf(shaped), ['c']);
});

test('layers: the pattern overrides what names tell; without names repetition does; neither is an error that says what to write', () => {
  const file = path.join(references, 'llama-torchscript.onnx');
  const opened = openGraph(file, { pattern: 'layers.{}.mlp' });
  assert.deepEqual(
    opened.found.layers.map(({ name }) => name),
    ['model.layers.0.mlp', 'model.layers.1.mlp'],
  );
  assert.throws(
    () => openGraph(file, { pattern: 'blocks' }),
    /layers_pattern "blocks" matches none of the 15 .* such as model\.layers\.0\.self_attn\.q_proj/,
  );
  const weight = (name: string, shape: number[]) => ({
    name,
    type: 'float32' as const,
    shape,
    data: new Float32Array(shape[0] * shape[1]),
    external: null,
  });
  const shapes = [
    [4, 6],
    [6, 4],
    [4, 6],
    [6, 4],
    [4, 3],
  ];
  const nameless = modulesOf(
    model({
      initializers: shapes.map((shape, i) => weight(`w${i}`, shape)),
      nodes: shapes.map((_, i) => ({ ...node('MatMul', [`x${i}`, `w${i}`], [`x${i + 1}`]), name: '' })),
    }),
  );
  const { layers, rest, how } = layersOf(nameless);
  assert.deepEqual(
    layers.map((l) => [l.name, l.modules.map((m) => `${m.name} ${m.module.rows}x${m.module.columns}`)]),
    [
      ['layers.0', ['matmul_0 6x4', 'matmul_1 4x6']],
      ['layers.1', ['matmul_0 6x4', 'matmul_1 4x6']],
    ],
  );
  assert.equal(rest.length, 1);
  assert.equal(how, '2 repetitions of 2 weights');
  assert.throws(() => layersOf(nameless.slice(3)), /no layers were found .* model\.layers_pattern/);
  assert.throws(() => layersOf([]), /no MatMul, Gemm or Conv with a constant weight/);
});
