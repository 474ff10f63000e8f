/** The self-check of gradients: on a sound model it passes, on gradients that are wrong it fails, and says so. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { GradientCheckRequest, GradientMeasurements } from '../../protocol/check.ts';
import type { EncodedSample } from '../../protocol/samples.ts';
import { checkGradients as measure, roundToBfloat16 } from '../../server/src/engine/check/gradientCheck.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { checkGradients, rows } from '../../server/src/run/influence/checkGradients.ts';
import { casesFolder, samplesOf } from '../engine/reference.ts';
import { machine, tinyWorkspace } from './workspace.ts';

const failedOf = (measured: GradientMeasurements) =>
  rows(measured, (layer) => `layer ${layer}`).flatMap(({ id, passed }) => (passed === false ? [id] : []));

async function measured(name: string, spoil: (model: Model) => void = () => undefined): Promise<GradientMeasurements> {
  const folder = path.join(casesFolder, name);
  const model = Model.open(new Runtime('cpu', 1), folder);
  const modules = model.architecture.modules(0).map((m) => m.name);
  const samples: EncodedSample[] = samplesOf(name);
  const request: GradientCheckRequest = {
    modelPath: folder,
    samples,
    layers: [0, 1],
    modules,
    weights: 'resident',
    seed: 3,
  };
  spoil(model);
  try {
    return await measure(model, request, () => undefined);
  } finally {
    await model.release();
  }
}

test('the tiny experiment passes every check; progress goes to the end', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const seen: number[] = [];
  const report = await checkGradients(experiment, machine, undefined, ({ done, total }) => seen.push(done / total));
  assert.equal(report.passed, true);
  assert.deepEqual(report.layers, [0, 1, 2]);
  assert.equal(report.samples, 4);
  assert.deepEqual(
    report.checks.map(({ id, passed }) => [id, passed]),
    [
      ['padded', true],
      ['batched', true],
      ['regrouped', true],
      ['along_gradient', true],
      ['along_random', true],
      ['bfloat16', null],
    ],
  );
  const value = Object.fromEntries(report.checks.map((check) => [check.id, check.value!]));
  assert.ok(value.padded < 1e-6 && value.along_gradient < 1e-3 && value.along_random < 1e-2, JSON.stringify(value));
  // bfloat16 has 8 bits: weights move by up to 2^-9, gradients by about as much.
  assert.ok(value.bfloat16 > 1e-4 && value.bfloat16 < 0.1);
  assert.match(report.checks[5].sentence, /^Weights are stored as F32 /);
  assert.equal(seen.at(-1), 1);
});

for (const name of ['llama/biases', 'gpt2/published', 'mixtral/two_of_four']) {
  test(`layouts of weights: ${name} passes`, async () => assert.deepEqual(failedOf(await measured(name)), []));
}

test('a model whose positions depend on the length never pads, and says so', async () => {
  const found = await measured('llama/rope_dynamic');
  assert.equal(found.padded, null);
  assert.deepEqual(failedOf(found), []);
  assert.match(rows(found, String)[0].sentence, /never share a batch/);
});

test('weights stored as bfloat16 lose nothing', async () => {
  const found = await measured('llama/rope_llama3_v5');
  assert.equal(found.bfloat16, null);
  assert.match(rows(found, String)[5].sentence, /stored as BF16 and computed with in float32: nothing is lost/);
});

test('gradients of other weights than the loss sees fail both derivatives', async () => {
  const found = await measured('llama/biases', ({ weights }) => {
    const original = weights.original.bind(weights);
    weights.original = (name) => original(name).map((value) => 1.5 * value);
  });
  assert.ok(failedOf(found).includes('along_gradient'));
});

test('padding that leaks into a sample fails the padded check', async () => {
  const found = await measured('llama/biases', ({ architecture }) => {
    const tables = architecture.tables.bind(architecture);
    // A mask that lets every position see every other: what is behind a sample matters.
    architecture.tables = (length, longest) =>
      Object.fromEntries(
        Object.entries(tables(length, longest)).map(([name, table]) =>
          name.includes('mask') || name.includes('causal')
            ? [name, { ...table, data: table.data.map(() => 0) }]
            : [name, table],
        ),
      );
  });
  const failed = failedOf(found);
  assert.ok(failed.includes('padded') && failed.includes('batched'), failed.join());
});

test('wrong numbers are told in words, the worst layer by name', () => {
  const derivative = { layer: 4, step: 0.01, difference: 2, gradient: -1, error: 1.5 };
  const difference = { grams: 0.3, layer: 7, loss: 0.001 };
  const found = rows(
    {
      padded: difference,
      batched: difference,
      regrouped: null,
      alongGradient: [derivative],
      alongRandom: [{ ...derivative, error: NaN }],
      bfloat16: null,
      dtypes: ['BF16'],
    },
    (layer) => `model.layers.${layer}`,
  );
  assert.deepEqual(
    found.map(({ passed }) => passed),
    [false, false, null, false, false, null],
  );
  assert.equal(
    found[0].sentence,
    'Padding changes products of gradients of model.layers.7 by 30 %, more than rounding explains: do not trust scores of this model, please report it.',
  );
  assert.match(
    found[3].sentence,
    /does not change the loss.*2\.000 by finite differences, -1\.000 by the gradient \(model\.layers\.4\)/,
  );
});

test('bfloat16 rounds to the nearest, ties to even', () => {
  const given = Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -9, -3.14159274, 0);
  assert.deepEqual([...roundToBfloat16(given)], [1, 1, 1 + 2 ** -6, 1, -3.140625, 0]);
  assert.equal(given[1], 1 + 2 ** -8, 'the input stays');
});

test('an experiment with a mistake is refused as by score', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  edit('doc_to_target: sentiment', 'doc_to_target: nowhere');
  await assert.rejects(checkGradients(experiment, machine), { name: 'LayerifError' });
});
