/**
 * Training of whole matrices with masked tokens against PyTorch float64 (test/reference/training/full.py): gradients,
 * ten AdamW and ten SGD steps with transformers' schedules; accumulation and resumption change no number.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { EngineEvent } from '../../protocol/engine.ts';
import type { OptimizerSettings } from '../../protocol/optimizer.ts';
import type { TrainRequest, TrainRun } from '../../protocol/training.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { train } from '../../server/src/engine/train/train.ts';
import { TrainedModel } from '../../server/src/engine/train/trainedModel.ts';
import { optimizerDefaults } from '../../server/src/training/optimizers.ts';
import { learningRateAt } from '../../server/src/training/schedule.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

const folder = path.join(casesFolder, 'training');
const reference = JSON.parse(fs.readFileSync(path.join(folder, 'full.json'), 'utf8')) as {
  masks: number[][];
  adamw: { curve: number[]; after: number };
  sgd: { curve: number[]; after: number };
};
const { names, tensor } = readSafetensors(path.join(folder, 'full.safetensors'));
const expected = (what: string): Map<string, Float64Array> =>
  new Map(
    [...names()]
      .filter((name) => name.startsWith(`${what}.`))
      .map((name) => [name.slice(what.length + 1), Float64Array.from(tensor(name) as Float64Array)]),
  );
const modelPath = path.join(casesFolder, 'llama/minimal');
const samples = samplesOf('llama/minimal').map((sample, i) => ({
  tokens: sample.tokens,
  countedFrom: 1,
  counted: Uint8Array.from(reference.masks[i]),
}));
const lora = { rank: 1, alpha: 1, layers: [0, 1], modules: ['self_attn.q_proj', 'mlp.down_proj'] };
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-matrices-'));
test.after(() => fs.rmSync(temporary, { recursive: true, force: true }));

const settings: Record<'adamw' | 'sgd', OptimizerSettings> = {
  adamw: {
    ...optimizerDefaults,
    learningRate: 0.01,
    weightDecay: 0.1,
    betas: [0.8, 0.95],
    epsilon: 1e-6,
    schedule: 'cosine',
    warmupSteps: 2,
  },
  sgd: { ...optimizerDefaults, id: 'sgd', learningRate: 0.3, weightDecay: 0.01, momentum: 0.9, schedule: 'linear' },
};

function requestOf(id: 'adamw' | 'sgd', run: Partial<TrainRun>, more: Partial<TrainRequest> = {}): TrainRequest {
  const all = samples.map((_, i) => i);
  return {
    modelPath,
    train: samples,
    validation: [],
    lora,
    trains: 'matrices',
    optimizer: settings[id],
    batchSize: 99,
    tokensPerRun: 1000,
    segmentLength: 1,
    weights: 'resident',
    runs: [{ id, seed: 0, samples: all, start: null, steps: 10, save: null, ...run }],
    ...more,
  };
}

async function trained(request: TrainRequest, report: (event: Omit<EngineEvent, 'id'>) => void = () => undefined) {
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  try {
    return (await train(model, request, report))[0];
  } finally {
    await model.release();
  }
}

/** Trained matrices of a run that was saved. */
function saved(name: string): Map<string, Float64Array> {
  const file = readSafetensors(path.join(temporary, name, 'trained.safetensors'));
  return new Map([...file.names()].map((key) => [key, Float64Array.from(file.tensor(key) as Float32Array)]));
}

test('gradients of whole matrices over masked tokens agree with PyTorch float64', async () => {
  for (const way of [
    { tokensPerRun: 1000, segmentLength: 2 },
    { tokensPerRun: 1, segmentLength: 1 },
  ]) {
    const model = Model.open(new Runtime('cpu', 1), modelPath);
    const own = await TrainedModel.create(model, samples, { lora, trains: 'matrices', ...way });
    own.use(own.original());
    const { loss, gradient } = await own.gradient([0, 1, 2]);
    assert.ok(Math.abs(loss - reference.adamw.curve[0]) < 1e-5);
    assert.deepEqual([...gradient.keys()].sort(), [...expected('gradient').keys()].sort());
    for (const [name, values] of expected('gradient')) {
      const error = relativeError(gradient.get(name)!, values);
      assert.ok(error < 1e-5, `${name}: ${error}`);
    }
    await model.release();
  }
});

for (const id of ['adamw', 'sgd'] as const) {
  test(`ten steps of ${id} follow PyTorch with transformers' schedule`, async () => {
    const outcome = await trained(requestOf(id, { save: path.join(temporary, id) }));
    outcome.curve.forEach((loss, step) => {
      assert.ok(Math.abs(loss - reference[id].curve[step]) < 2e-5, `step ${step}: ${loss}`);
    });
    const after = outcome.trainLoss.reduce((sum, loss) => sum + loss, 0) / samples.length;
    assert.ok(Math.abs(after - reference[id].after) < 2e-5, `${after}, not ${reference[id].after}`);
    for (const [name, values] of expected(id)) {
      const error = relativeError(saved(id).get(name)!, values);
      assert.ok(error < 1e-4, `${name}: ${error}`);
    }
  });
}

test('accumulated mini-batches of one sample are a step over all; streamed weights change nothing', async () => {
  const whole = await trained(requestOf('sgd', { steps: 4 }));
  const small = await trained(requestOf('sgd', { steps: 4 }, { batchSize: 1, accumulation: 3, weights: 'streamed' }));
  small.curve.forEach((loss, step) => assert.ok(Math.abs(loss - whole.curve[step]) < 1e-6, `step ${step}`));
});

for (const id of ['adamw', 'sgd'] as const) {
  for (const trains of ['matrices', 'factors'] as const) {
    test(`${id} on ${trains}, interrupted after any step, goes on with the same numbers to the last bit`, async () => {
      const batches = { batchSize: 2, accumulation: 2, trains };
      const whole = await trained(requestOf(id, { steps: 5 }, batches));
      for (const stop of [1, 3]) {
        const file = path.join(temporary, `${id}-${trains}-${stop}.safetensors`);
        const run = { steps: 5, checkpoint: { file, key: 'key', seconds: 0 } };
        let steps = 0;
        const interrupted = trained(requestOf(id, run, batches), ({ type }) => {
          if (type === 'training' && ++steps === stop) throw new Error('interrupted');
        });
        await assert.rejects(interrupted, /interrupted/);
        const outcome = await trained(requestOf(id, run, batches));
        assert.equal(outcome.resumedSteps, stop);
        assert.deepEqual(outcome.curve, whole.curve);
        assert.deepEqual(outcome.trainLoss, whole.trainLoss);
        assert.ok(!fs.existsSync(file), 'the kept state goes with the end');
      }
      // A state of another training, or a damaged one, counts for nothing.
      const file = path.join(temporary, 'damaged.safetensors');
      fs.writeFileSync(file, 'x');
      const run = { steps: 5, checkpoint: { file, key: 'key', seconds: 1000 } };
      assert.equal((await trained(requestOf(id, run, batches))).resumedSteps, 0);
    });
  }
}

test('the cosine schedule is half a wave after the warm-up', () => {
  const at = (step: number) => learningRateAt({ learningRate: 1, schedule: 'cosine', warmupSteps: 2 }, step, 10);
  assert.deepEqual([at(0), at(1), at(2), at(6)], [0, 0.5, 1, 0.5]);
  assert.ok(Math.abs(at(9) - 0.5 * (1 + Math.cos((Math.PI * 7) / 8))) < 1e-15);
});
