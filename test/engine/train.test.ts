/**
 * Training of LoRA factors against PyTorch float64 (test/reference/training/make.py): gradients of the first step, ten
 * AdamW steps; and that segments, runs, subsets, warm starts and files change nothing that they should not.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TrainOutcome, TrainRequest } from '../../protocol/training.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { loadFactors, saveAdapter } from '../../server/src/engine/train/adapterFiles.ts';
import { makeBatches, groupsOf } from '../../server/src/engine/sweep/batch.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { train } from '../../server/src/engine/train/train.ts';
import { segmentsOf } from '../../server/src/engine/sweep/chain.ts';
import { forward, head } from '../../server/src/engine/sweep/sweep.ts';
import { TrainedModel } from '../../server/src/engine/train/trainedModel.ts';
import type { Parameters } from '../../server/src/training/parameters.ts';
import { optimizerDefaults } from '../../server/src/training/optimizers.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

const folder = path.join(casesFolder, 'training');
const { lora: reference } = JSON.parse(fs.readFileSync(path.join(folder, 'training.json'), 'utf8')) as {
  lora: { rank: number; alpha: number; modules: string[]; layers: number[]; curve: number[]; after: number[] };
};
const { rank, alpha, modules, layers } = reference;
const tensors = readSafetensors(path.join(folder, 'lora.safetensors'));
const factors = (what: string): Parameters =>
  new Map(
    [...tensors.names()]
      .filter((name) => name.startsWith(`${what}.`))
      .map((name) => [name.slice(what.length + 1), Float64Array.from(tensors.tensor(name) as Float64Array)]),
  );
const samples = samplesOf('llama/minimal');
const modelPath = path.join(casesFolder, 'llama/minimal');
const everything = samples.map((_, i) => i);
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-train-'));
test.after(() => fs.rmSync(temporary, { recursive: true, force: true }));

const ways = {
  'all in one run and one segment': { tokensPerRun: 1000, segmentLength: 2 },
  'sample by sample, block by block': { tokensPerRun: 1, segmentLength: 1 },
};

for (const [way, options] of Object.entries(ways)) {
  test(`gradients of the factors agree with PyTorch float64, ${way}`, async () => {
    const model = Model.open(new Runtime('cpu', 1), modelPath);
    const trained = await TrainedModel.create(model, samples, { lora: { rank, alpha, modules, layers }, ...options });
    trained.use(factors('start'));
    const { loss, gradient } = await trained.gradient(everything);
    assert.ok(Math.abs(loss - reference.curve[0]) < 1e-5);
    const expected = factors('gradient');
    assert.deepEqual([...gradient.keys()].toSorted(), [...expected.keys()].toSorted());
    assert.equal(expected.size, 8);
    for (const [name, values] of gradient) {
      const error = relativeError(values, expected.get(name)!);
      assert.ok(error < 1e-5, `${name}: ${error}`);
    }
    await model.release();
  });
}

const request = (change: Partial<TrainRequest>): TrainRequest => ({
  modelPath,
  train: samples,
  validation: samples,
  lora: { rank, alpha, modules, layers },
  optimizer: { ...optimizerDefaults, learningRate: 0.02, weightDecay: 0.1 },
  batchSize: 99,
  tokensPerRun: 1000,
  segmentLength: 1,
  weights: 'resident',
  runs: [],
  ...change,
});

async function trainHere(change: Partial<TrainRequest>): Promise<TrainOutcome[]> {
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  try {
    return await train(model, request(change), () => undefined);
  } finally {
    await model.release();
  }
}

/** The reference's initial factors as an adapter on disk. */
function startFolder(): string {
  const start = path.join(temporary, 'start');
  const { architecture } = Model.open(new Runtime('cpu', 1), modelPath);
  saveAdapter(start, shapesOf(), factors('start'), { alpha, baseModel: modelPath, architecture });
  return start;
}

function shapesOf() {
  return layers.flatMap((layer) => [
    { module: `model.layers.${layer}.self_attn.q_proj`, rows: 16, columns: 16, rank },
    { module: `model.layers.${layer}.mlp.down_proj`, rows: 16, columns: 24, rank },
  ]);
}

test('ten AdamW steps from the same factors follow PyTorch, and the saved adapter holds the trained factors', async () => {
  const save = path.join(temporary, 'trained');
  const run = { id: 'a', seed: 0, samples: everything, start: startFolder(), steps: 10, save };
  const [outcome] = await trainHere({ runs: [run] });
  outcome.curve.forEach((loss, step) => assert.ok(Math.abs(loss - reference.curve[step]) < 1e-5, `step ${step}`));
  outcome.trainLoss.forEach((loss, i) => assert.ok(Math.abs(loss - reference.after[i]) < 1e-5));
  assert.deepEqual(outcome.validationLoss, outcome.trainLoss);
  const saved = loadFactors(save, shapesOf(), alpha);
  for (const [name, values] of factors('trained')) assert.ok(relativeError(saved.get(name)!, values) < 1e-4, name);
});

test('the saved adapter, applied to the model, has the losses that training measured', async () => {
  const save = path.join(temporary, 'applied');
  const run = { id: 'a', seed: 0, samples: everything, start: startFolder(), steps: 3, save };
  const [outcome] = await trainHere({ runs: [run] });
  const model = Model.open(new Runtime('cpu', 1), modelPath, save);
  const batches = makeBatches(model.architecture, 'train', samples, [[0, 1, 2]]);
  const segments = segmentsOf(model.architecture.layers, 0, 2);
  const boundaries = await forward(model, batches, segments, 1, () => undefined);
  const [{ loss }] = await head(model, batches, boundaries[1], 64, () => undefined);
  assert.ok(relativeError(loss, outcome.trainLoss) < 1e-6);
  await model.release();
});

test('an untrained adapter changes nothing, and training lowers the loss it is trained on', async () => {
  const runs = [
    { id: 'untrained', seed: 1, samples: everything, start: null, steps: 0, save: null },
    { id: 'one', seed: 1, samples: [0], start: null, steps: 15, save: null },
    { id: 'again', seed: 1, samples: [0], start: null, steps: 15, save: null },
    { id: 'other seed', seed: 2, samples: [0], start: null, steps: 15, save: null },
  ];
  const [untrained, one, again, other] = await trainHere({ runs, lora: { rank, alpha, modules, layers: [1] } });
  const plain = readSafetensors(path.join(modelPath, 'reference.safetensors')).tensor('loss');
  assert.ok(relativeError(untrained.trainLoss, plain as Float64Array) < 1e-6);
  assert.ok(one.trainLoss[0] < untrained.trainLoss[0] - 0.05, `${one.trainLoss[0]} after ${untrained.trainLoss[0]}`);
  assert.deepEqual(again.curve, one.curve);
  assert.deepEqual(again.validationLoss, one.validationLoss);
  assert.notDeepEqual(other.curve, one.curve);
  assert.ok(Number.isNaN(untrained.gradientNorm) && one.gradientNorm > 0);
});

test('a warm start goes on where the saved adapter stopped', async () => {
  const [first, second] = [path.join(temporary, 'warm-1'), path.join(temporary, 'warm-2')];
  const sgd = { ...optimizerDefaults, id: 'sgd' as const, learningRate: 0.05, weightDecay: 0 };
  const runs = [
    { id: 'part 1', seed: 1, samples: everything, start: null, steps: 4, save: first },
    { id: 'part 2', seed: 1, samples: everything, start: first, steps: 3, save: null },
    { id: 'whole', seed: 1, samples: everything, start: null, steps: 7, save: second },
  ];
  const [, part2, whole] = await trainHere({ runs, optimizer: sgd });
  assert.ok(relativeError(part2.trainLoss, whole.trainLoss) < 1e-6);
  await assert.rejects(
    trainHere({ runs: [{ ...runs[1], start: second }], lora: { rank: 3, alpha, modules, layers } }),
    /rank 3 is trained here/,
  );
});

test('modules that no chosen layer has are refused', async () => {
  await assert.rejects(trainHere({ lora: { rank, alpha, modules: ['mlp.c_fc'], layers } }), /none of the modules/);
});

test('groups of a run: all samples once, within the budget', () => {
  const { architecture } = Model.open(new Runtime('cpu', 1), modelPath);
  const groups = groupsOf(architecture, samples, 14);
  assert.deepEqual(groups, [[0], [1, 2]]);
  assert.deepEqual(groupsOf(architecture, samples, 1), [[0], [1], [2]]);
});

test('a training that diverges says so and what to do', async () => {
  const optimizer = { ...optimizerDefaults, id: 'sgd' as const, learningRate: 1e60, weightDecay: 0 };
  const run = { id: 'wild', seed: 1, samples: everything, start: null, steps: 9, save: null };
  await assert.rejects(
    trainHere({ optimizer, runs: [run] }),
    /training wild diverged.*lower the learning rate \(1e\+60\)/,
  );
});
