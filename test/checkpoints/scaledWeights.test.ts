/** Weights in 8 and 4 bits with scales against torch and transformers (test/reference/scaled), bit for bit. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { floatTypes } from '../../server/src/checkpoints/dtypes.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { inspectModel } from '../../server/src/run/inputs/inspect.ts';
import { architecture, namedUnread, scopeOf } from '../../server/src/run/inputs/scope.ts';
import { writePrunedModel, writtenBytes } from '../../server/src/run/prune/prunedModel.ts';
import { folder } from '../data/files.ts';
import { gradients, samplesOf } from '../engine/reference.ts';
import { complaint } from './files.ts';
import { rawTensors, writeRaw } from './rewrite.ts';
import type { Raw } from './rewrite.ts';

const reference = path.join(import.meta.dirname, '../reference/scaled');
const bits = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

test('every byte of the small floats is the number of torch', () => {
  const { names, tensor } = readSafetensors(path.join(reference, 'bytes.safetensors'));
  assert.deepEqual(names().sort(), ['F4', 'F8_E4M3', 'F8_E4M3FNUZ', 'F8_E5M2', 'F8_E5M2FNUZ', 'F8_E8M0']);
  for (const name of names()) {
    const right = tensor(name) as Float32Array;
    const into = new Float32Array(right.length);
    floatTypes[name].decode(Uint8Array.from({ length: 256 }, (_, i) => i).buffer, into);
    assert.deepEqual(bits(into.map((value) => (Number.isNaN(value) ? 12345 : value))), bits(right), name);
  }
});

for (const name of ['fine_grained', 'weight_scale', 'mxfp4']) {
  test(`${name}: tensors with their scales, which are no tensors of the model`, () => {
    const opened = openCheckpoint(path.join(reference, name));
    const right = readSafetensors(path.join(reference, name, 'expected.safetensors'));
    assert.deepEqual([...opened.tensors.keys()].sort(), right.names().sort());
    for (const tensor of right.names()) {
      const values = opened.read(tensor);
      assert.deepEqual(bits(values), bits(right.tensor(tensor) as Float32Array), tensor);
      const into = new Float32Array(values.length).fill(7);
      assert.equal(opened.read(tensor, into), into);
      assert.deepEqual(into, values);
    }
  });
}

test('the losses of an FP8 model are those of transformers after its own dequantisation', async () => {
  const model = path.join(reference, 'model');
  const right = JSON.parse(fs.readFileSync(path.join(model, 'losses.json'), 'utf8')) as number[];
  const alone = { groups: [[0], [1], [2]], segmentLength: 1, weights: 'streamed' } as const;
  const { loss } = await gradients(model, samplesOf('scaled/model'), { ...alone, groups: [[0], [1], [2]] });
  assert.equal(loss.length, 3);
  loss.forEach((value, i) => assert.ok(Math.abs(value - right[i]) < 2e-6 * right[i], `${value} for ${right[i]}`));
  const { dtypes, coverage, notRead, parameters } = inspectModel(model);
  assert.deepEqual([dtypes, coverage, notRead], [{ F8_E4M3: 21, F32: 8 }, 1, []]);
  assert.equal(parameters, inspectModel(path.join(reference, '../llama/tied')).parameters);
});

test('a pruned FP8 model is written in float32, and described so', (t) => {
  const checkpoint = openCheckpoint(path.join(reference, 'model'));
  const model = architecture(checkpoint);
  const output = path.join(folder(t, {}), 'pruned');
  writePrunedModel(output, { checkpoint, model, replaced: [], dropped: [1], report: {} });
  const written = openCheckpoint(output);
  assert.ok(!('quantization_config' in written.config) && written.config.num_hidden_layers === 2);
  for (const [name, { dtype }] of written.tensors) {
    assert.equal(dtype, 'F32');
    assert.deepEqual(written.read(name), checkpoint.read(name.replace('layers.1.', 'layers.2.')), name);
  }
  const numbers = [...checkpoint.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  assert.equal(writtenBytes(checkpoint), 4 * numbers);
});

test('scales that do not say what they are for: the tensor cannot be read, unless nothing reads it', (t) => {
  const root = folder(t, {});
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    fs.copyFileSync(path.join(reference, 'model', name), path.join(root, name));
  const stored = rawTensors(path.join(reference, 'model'));
  const weight = 'model.layers.0.mlp.up_proj.weight';
  const said = (changed: (raw: Raw) => Raw[]) => {
    writeRaw(root, stored.flatMap(changed));
    return complaint(() => {
      const opened = openCheckpoint(root);
      scopeOf(opened, architecture(opened), { layers: 'all', modules: ['*'] });
      opened.read(weight);
    }, root);
  };
  const scale = `${weight}_scale_inv`;
  const flat = (raw: Raw): Raw[] => (raw.name === scale ? [{ ...raw, shape: [6] }] : [raw]);
  assert.match(
    said(flat),
    /tensor model\.layers\.0\.mlp\.up_proj\.weight has type F8_E4M3 with model\.layers\.0\.mlp\.up_proj\.weight_scale_inv \[6\];/,
  );
  const point = (raw: Raw): Raw[] => (raw.name === scale ? [raw, { ...raw, name: `${weight}_zero_point` }] : [raw]);
  assert.match(said(point), /has type F8_E4M3 with model\.layers\.0\.mlp\.up_proj\.weight_zero_point;/);

  const tower = stored.map((raw) => flat(raw)[0]).filter(({ name }) => name.startsWith(weight));
  writeRaw(root, [...stored, ...tower.map((raw) => ({ ...raw, name: raw.name.replace('model.', 'vision.') }))]);
  const opened = openCheckpoint(root);
  assert.deepEqual(
    namedUnread(opened, architecture(opened))
      .map(({ name }) => name)
      .sort(),
    ['vision.layers.0.mlp.up_proj.weight', 'vision.layers.0.mlp.up_proj.weight_scale_inv'],
  );
});
