/**
 * Pruning of whole models in the engine against PyTorch (test/reference/pruning/make.py), and that what is on disk is
 * resumed.
 */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { PruneRequest } from '../../protocol/pruning.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { prune } from '../../server/src/engine/prune/prune.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { casesFolder, samplesOf } from './reference.ts';

const cases: { family: string; folder: string; layer: (index: number) => string }[] = [
  { family: 'llama', folder: 'llama/biases', layer: (i) => `model.layers.${i}` },
  { family: 'gpt2', folder: 'gpt2/by_layer', layer: (i) => `h.${i}` },
];

function open(folder: string) {
  const modelPath = path.join(casesFolder, folder);
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  const calibration = samplesOf(folder);
  const plan = { modelPath, calibration, batches: [calibration.map((_, i) => i)], weights: 'resident' as const };
  return { model, plan };
}

function request(model: Model, plan: ReturnType<typeof open>['plan'], method: string, word: string): PruneRequest {
  const { architecture } = model;
  return {
    ...plan,
    method,
    structure: word === 'map' ? null : { n: 2, m: 4 },
    sparsity: Array.from({ length: architecture.layers }, (_, layer) =>
      Object.fromEntries(
        architecture.modules(layer).map(({ name }) => [name, word === 'map' ? 0.3 + 0.2 * layer : 0.5]),
      ),
    ),
    workDir: null,
    key: 'test',
  };
}

function difference(a: Float32Array, b: Float32Array): number {
  const masks = a.filter((value, i) => (value === 0) !== (b[i] === 0)).length;
  assert.equal(masks, 0, `${masks} of ${a.length} entries are masked otherwise`);
  const norm = Math.hypot(...b);
  return Math.hypot(...a.map((value, i) => value - b[i])) / norm;
}

for (const { family, folder, layer } of cases) {
  const reference = readSafetensors(path.join(casesFolder, 'pruning', `${family}.safetensors`));

  for (const method of ['magnitude', 'wanda', 'sparsegpt']) {
    for (const word of ['map', '2:4']) {
      test(`${family}, ${method}, ${word}: masks and weights of PyTorch in every matrix`, async () => {
        const { model, plan } = open(folder);
        const summary = await prune(model, request(model, plan, method, word), () => undefined);
        for (let index = 0; index < model.architecture.layers; index++) {
          for (const { name } of model.architecture.modules(index)) {
            const values = model.weights.values(`${model.architecture.layerName(index)}.${name}.weight`);
            const expected = reference.tensor(`${method}/${word}/${layer(index)}.${name}`) as Float32Array;
            const error = difference(values, expected);
            assert.ok(error < 1e-4, `${name} of layer ${index}: relative difference ${error}`);
            assert.deepEqual(summary.layers[index].modules[name], {
              weights: expected.length,
              zeros: expected.filter((value) => value === 0).length,
            });
          }
        }
        await model.release();
      });
    }
  }
}

test('a model is its own again after `restore`', async () => {
  const { model, plan } = open('llama/biases');
  const name = 'model.layers.1.mlp.down_proj.weight';
  const before = Float32Array.from(model.weights.values(name));
  await prune(model, request(model, plan, 'wanda', 'map'), () => undefined);
  assert.ok(model.weights.values(name).includes(0));
  model.weights.restore();
  assert.deepEqual(model.weights.values(name), before);
  await model.release();
});

function temporary(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-prune-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('layers on disk are taken over, those of another request are not; the model itself stays as it was', async (t) => {
  const workDir = temporary(t);
  const { model, plan } = open('llama/biases');
  const asked = { ...request(model, plan, 'sparsegpt', 'map'), workDir };
  const stop = new AbortController();
  model.runtime.signal = stop.signal;
  await assert.rejects(
    prune(model, asked, (event) => {
      if (event.type === 'pruning' && event.done === 1) stop.abort(new Error('enough'));
    }),
    /enough/,
  );
  model.runtime.signal = undefined;
  const resumed = await prune(model, asked, () => undefined);
  assert.equal(resumed.resumedLayers, 1);
  const file = (layer: number) => readSafetensors(path.join(workDir, `layer-${layer}.safetensors`));
  const reference = readSafetensors(path.join(casesFolder, 'pruning', 'llama.safetensors'));
  for (const [index, module] of [
    [0, 'self_attn.q_proj'],
    [1, 'mlp.down_proj'],
  ] as const) {
    const values = file(index).tensor(`model.layers.${index}.${module}.weight`) as Float32Array;
    const expected = reference.tensor(`sparsegpt/map/model.layers.${index}.${module}`) as Float32Array;
    assert.ok(difference(values, expected) < 1e-4);
  }
  assert.ok(!model.weights.values('model.layers.0.self_attn.q_proj.weight').includes(0));
  const other = await prune(model, { ...asked, key: 'other' }, () => undefined);
  assert.equal(other.resumedLayers, 0);
  await model.release();
});
