/**
 * LoRA experts against PyTorch float64 (test/reference/experts/make.py): gradients of a step with the balance loss, ten
 * AdamW steps; and that runs, padding and files change nothing that they should not.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TrainExpertsRequest } from '../../protocol/experts.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import type { EncodedSample } from '../../protocol/samples.ts';
import { observe } from '../../server/src/engine/observe/observe.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { saveExperts } from '../../server/src/engine/experts/expertsFiles.ts';
import { ExpertsModel } from '../../server/src/engine/experts/expertsModel.ts';
import { trainExperts } from '../../server/src/engine/experts/trainExperts.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { initialExperts } from '../../server/src/training/expertsFactors.ts';
import { optimizerDefaults, optimizers } from '../../server/src/training/optimizers.ts';
import type { Parameters } from '../../server/src/training/parameters.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

const folder = path.join(casesFolder, 'experts');
const reference = JSON.parse(fs.readFileSync(path.join(folder, 'experts.json'), 'utf8')) as {
  settings: { experts: number[]; topK: number[]; rank: number; alpha: number; modules: string[] };
  coefficient: number;
  curve: number[];
  balance: number[];
  after: number[];
};
const { settings, coefficient } = reference;
const tensors = readSafetensors(path.join(folder, 'experts.safetensors'));
const weights = (what: string): Parameters =>
  new Map(
    [...tensors.names()]
      .filter((name) => name.startsWith(`${what}.`))
      .map((name) => [name.slice(what.length + 1), Float64Array.from(tensors.tensor(name) as Float64Array)]),
  );
const modelPath = path.join(casesFolder, 'llama/minimal');
const samples = samplesOf('llama/minimal');
const everything = samples.map((_, i) => i);
const groups = [samples.map((_, i) => [i])];

function open(t: TestContext): Model {
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  t.after(() => model.release());
  return model;
}

function temporary(t: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-experts-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

for (const [way, tokensPerRun] of [
  ['all samples in one run, padded', 1000],
  ['sample by sample', 1],
] as const) {
  test(`gradients of routers and experts agree with PyTorch float64, ${way}`, async (t) => {
    const trained = new ExpertsModel(open(t), samples, settings, tokensPerRun);
    trained.use(weights('start'));
    const { loss, balance, gradient } = await trained.gradient(everything, coefficient);
    assert.ok(Math.abs(loss - reference.curve[0]) < 1e-5, `${loss} ${reference.curve[0]}`);
    assert.ok(Math.abs(balance - reference.balance[0]) < 1e-5, `${balance} ${reference.balance[0]}`);
    const expected = weights('gradient');
    assert.equal(expected.size, 18);
    assert.deepEqual([...gradient.keys()].toSorted(), [...expected.keys()].toSorted());
    for (const [name, values] of gradient) {
      const error = relativeError(values, expected.get(name)!);
      assert.ok(error < 1e-5, `${name}: ${error}`);
    }
  });
}

test('the balance loss has a part in the gradient of the routers, and in that of nothing behind the last one', async (t) => {
  const trained = new ExpertsModel(open(t), samples, settings, 1000);
  trained.use(weights('start'));
  const without = (await trained.gradient(everything, 0)).gradient;
  const expected = weights('gradient');
  const far = (name: string) => relativeError(without.get(name)!, expected.get(name)!);
  assert.ok(far('model.layers.0.self_attn.q_proj.experts.router.weight') > 0.01);
  assert.ok(far('model.layers.1.mlp.down_proj.experts.lora_B.weight') < 1e-5);
});

test('ten AdamW steps from the same weights follow PyTorch', async (t) => {
  const trained = new ExpertsModel(open(t), samples, settings, 1000);
  const parameters = weights('start');
  trained.use(parameters);
  const adamw = optimizers.adamw.create({ ...optimizerDefaults, learningRate: 0.02, weightDecay: 0.1 });
  for (const [step, expected] of reference.curve.entries()) {
    const { loss, balance, gradient } = await trained.gradient(everything, coefficient);
    assert.ok(Math.abs(loss - expected) < 1e-4, `step ${step}: ${loss} ${expected}`);
    assert.ok(Math.abs(balance - reference.balance[step]) < 1e-4, `step ${step}: ${balance}`);
    adamw.step(parameters, gradient, 0.02);
    trained.update();
  }
  for (const [name, values] of weights('trained')) assert.ok(relativeError(parameters.get(name)!, values) < 1e-4, name);
  const summary = await trained.logLikelihoods(samples, groups, 64, () => undefined);
  reference.after.forEach((loss, i) => {
    assert.ok(Math.abs(-summary.logLikelihood[i] / summary.counted[i] - loss) < 1e-4);
  });
});

const request = (change: Partial<TrainExpertsRequest>): TrainExpertsRequest => ({
  modelPath,
  train: samples,
  experts: settings,
  optimizer: { ...optimizerDefaults, learningRate: 0.02 },
  steps: 6,
  batchSize: 2,
  seed: 1,
  balance: 0.001,
  tokensPerRun: 1000,
  weights: 'resident',
  save: null,
  sequences: samples,
  groups,
  headRows: 64,
  ...change,
});

test('untrained experts change nothing; training lowers the loss, is repeatable, and another seed is another training', async (t) => {
  const model = open(t);
  const plain = await logLikelihood(model, samples, groups);
  const run = (change: Partial<TrainExpertsRequest>) => trainExperts(model, request(change), () => undefined);
  const untrained = await run({ steps: 0 });
  assert.ok(relativeError(untrained.evaluation.logLikelihood, plain) < 1e-6);
  const trained = await run({ batchSize: 99, steps: 15 });
  assert.ok(trained.curve[14] < trained.curve[0] - 0.05, `${trained.curve[0]} to ${trained.curve[14]}`);
  const [one, again, other] = [await run({}), await run({ tokensPerRun: 1 }), await run({ seed: 2 })];
  one.curve.forEach((loss, step) => assert.ok(Math.abs(loss - again.curve[step]) < 1e-4));
  assert.notDeepEqual(one.curve, other.curve);
  // 3 and 2 experts; routers, A and B of q, v [16 x 16 and 8 x 16] and down [16 x 24]
  const each = (rows: number, columns: number) => columns + 2 * (rows + columns);
  assert.equal(one.parameters, 5 * (each(16, 16) + each(vRows(model), 16) + each(16, 24)));
});

/** Of the model without experts. */
async function logLikelihood(model: Model, texts: EncodedSample[], groups: number[][][]): Promise<ArrayLike<number>> {
  const { observations } = await observe(
    model,
    {
      modelPath: '',
      texts,
      groups,
      ablated: [],
      weights: 'streamed',
      keepChanges: false,
      boundaries: 'memory',
      headRows: 64,
      observations: [{ name: 'plain', of: 'log_probabilities', options: {} }],
      workDir: null,
      key: '',
      checkpointSeconds: 0,
    },
    () => undefined,
  );
  return observations.plain.logLikelihood.data;
}

const vRows = (model: Model) => model.architecture.modules(0).find(({ name }) => name === 'self_attn.v_proj')!.rows;

test('layers without experts, at the bottom and between, pass the gradient on', async (t) => {
  const outcome = await trainExperts(
    open(t),
    request({ experts: { ...settings, experts: [0, 2], topK: [0, 2] }, batchSize: 99, steps: 10 }),
    () => undefined,
  );
  assert.ok(outcome.curve[9] < outcome.curve[0]);
  assert.throws(
    () => new ExpertsModel(Model.open(new Runtime('cpu', 1), modelPath), samples, { ...settings, topK: [4, 1] }, 99),
    /layer 0: 4 of 3 experts per token/,
  );
});

test('saved experts are tensors of their own, next to a configuration that names experts per layer', (t) => {
  const target = path.join(temporary(t), 'saved');
  const model = open(t);
  const { modules } = new ExpertsModel(model, samples, settings, 1000);
  saveExperts(target, modules, weights('start'), { settings, baseModel: modelPath });
  const config = JSON.parse(fs.readFileSync(path.join(target, 'experts_config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  assert.deepEqual(config.number_experts, [3, 2]);
  assert.deepEqual(config.top_k, [2, 1]);
  assert.deepEqual([config.r, config.lora_alpha, config.lora_dropout], [2, 6, 0]);
  const saved = readSafetensors(path.join(target, 'experts_model.safetensors'));
  const start = weights('start');
  const module = 'model.layers.0.mlp.down_proj';
  const A = start.get(`${module}.experts.lora_A.weight`)!;
  const B = start.get(`${module}.experts.lora_B.weight`)!;
  assert.deepEqual(Array.from(saved.tensor(`${module}.lora_A.2.weight`) as Float32Array), [...A.subarray(4 * 24)]);
  const ownB = Array.from({ length: 16 }, (_, row) => [B[row * 6 + 2], B[row * 6 + 3]]).flat();
  assert.deepEqual(Array.from(saved.tensor(`${module}.lora_B.1.weight`) as Float32Array), ownB);
  assert.equal([...saved.names()].filter((name) => name.startsWith('model.layers.1.')).length, 3 * 5);
  assert.equal(saved.tensor(`${module}.router.weight`).length, 3 * 24);
});

test('with a seed the first experts of a module are the same however many there are', (t) => {
  const model = open(t);
  const of = (experts: number[]) => {
    const { modules } = new ExpertsModel(model, samples, { ...settings, experts, topK: [1, 1] }, 1000);
    return initialExperts(modules, 7);
  };
  const [few, many] = [of([2, 1]), of([4, 3])];
  for (const [name, values] of few) {
    if (name.endsWith('lora_B.weight'))
      assert.ok(values.every((v) => v === 0) && many.get(name)!.every((v) => v === 0));
    else assert.deepEqual(many.get(name)!.subarray(0, values.length), values);
  }
  const A = few.get('model.layers.0.mlp.down_proj.experts.lora_A.weight')!;
  assert.ok(Math.max(...A.map(Math.abs)) <= 1 / Math.sqrt(24) && Math.max(...A) > 0.9 / Math.sqrt(24));
});

for (const name of ['gpt2/by_layer', 'gemma2/soft_caps', 'mixtral/two_of_four', 'falcon/multi_query', 'phi/parallel']) {
  test(`experts on all linear modules of ${name}: nothing changes untrained, training lowers the loss`, async (t) => {
    const folderOf = path.join(casesFolder, name);
    const model = Model.open(new Runtime('cpu', 1), folderOf);
    t.after(() => model.release());
    const sequences = samplesOf(name);
    const groups = [sequences.map((_, i) => [i])];
    const { layers } = model.architecture;
    const modules = [
      ...new Set(Array.from({ length: layers }, (_, l) => model.architecture.modules(l).map((m) => m.name)).flat()),
    ];
    const experts = {
      experts: Array.from({ length: layers }, (_, l) => 1 + (l % 3)),
      topK: Array.from({ length: layers }, (_, l) => Math.min(2, 1 + (l % 3))),
      rank: 2,
      alpha: 4,
      modules,
    };
    const change = { modelPath: folderOf, train: sequences, sequences, groups, experts, batchSize: 99 };
    const plain = await logLikelihood(model, sequences, groups);
    const untrained = await trainExperts(model, request({ ...change, steps: 0, weights: 'streamed' }), () => undefined);
    assert.ok(relativeError(untrained.evaluation.logLikelihood, plain) < 1e-6);
    const { curve } = await trainExperts(model, request({ ...change, steps: 8 }), () => undefined);
    assert.ok(curve[7] < curve[0] - 0.01, `${curve[0]} to ${curve[7]}`);
  });
}
