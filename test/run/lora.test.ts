/** Whole runs with a PEFT adapter: what is scored, what is said of it, and what a fresh adapter's zeros become. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { describeModel } from '../../server/src/run/inputs/describe.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { seededRandom, writeSafetensors } from '../tinyLlama.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const RANK = 2;
const HIDDEN = 32; // of the tiny model

/** Writes `adapter/` for q_proj and o_proj of the layers; B is zero in a fresh adapter. */
function writeAdapter({ folder }: Workspace, { fresh = false, layers = [0, 1, 2], seed = 1 } = {}): void {
  const random = seededRandom(seed);
  const numbers = (size: number) => Float32Array.from({ length: size }, () => random() - 0.5);
  const tensors: Parameters<typeof writeSafetensors>[1] = {};
  for (const layer of layers) {
    for (const module of ['q_proj', 'o_proj']) {
      const name = `base_model.model.model.layers.${layer}.self_attn.${module}`;
      tensors[`${name}.lora_A.weight`] = { shape: [RANK, HIDDEN], data: numbers(RANK * HIDDEN) };
      const data = fresh ? new Float32Array(RANK * HIDDEN) : numbers(RANK * HIDDEN);
      tensors[`${name}.lora_B.weight`] = { shape: [HIDDEN, RANK], data };
    }
  }
  const to = path.join(folder, 'adapter');
  fs.mkdirSync(to, { recursive: true });
  writeSafetensors(path.join(to, 'adapter_model.safetensors'), tensors);
  const config = { peft_type: 'LORA', r: RANK, lora_alpha: 4, target_modules: ['q_proj', 'o_proj'], bias: 'none' };
  const some = layers.length === 3 ? {} : { layers_to_transform: layers };
  fs.writeFileSync(path.join(to, 'adapter_config.json'), JSON.stringify({ ...config, ...some }));
}

function workspace(
  t: TestContext,
  params: 'base' | 'lora',
  options: Parameters<typeof writeAdapter>[1] = {},
): Workspace {
  const w = tinyWorkspace(t);
  writeAdapter(w, options);
  w.edit('path: ./model\n', 'path: ./model\n  adapter: ./adapter\n');
  w.edit('  estimator: datainf\n', `  estimator: datainf\n  params: ${params}\n`);
  return w;
}

const factors = ['self_attn.q_proj', 'self_attn.o_proj'].flatMap((m) => [`${m}.lora_A`, `${m}.lora_B`]);
const grams = (resultFile: string) => readSafetensors(path.join(path.dirname(resultFile), 'grams.safetensors'));

test('params: lora scores the factors, params: base the matrices of the same adapted model', async (t) => {
  const lora = workspace(t, 'lora');
  const base = workspace(t, 'base');
  const [ofFactors, ofBase] = [await score(lora.experiment), await score(base.experiment)];
  const { model, experiment, tasks } = ofFactors.result;
  assert.deepEqual(model.modules, factors);
  assert.equal(model.scoredParameters, 3 * 4 * RANK * HIDDEN);
  assert.deepEqual([experiment.model.adapter, experiment.score.params], ['./adapter', 'lora']);
  assert.deepEqual(Object.keys(tasks[0].layers[1].modules), factors);
  assert.ok(tasks[0].layers.every((layer) => layer.zeroGradient === undefined && layer.score > 0));
  // One and the same model, seen from other weights.
  assert.deepEqual(tasks[0].train.loss, ofBase.result.tasks[0].train.loss);
  assert.equal(model.sha256, ofBase.result.model.sha256);
  assert.equal(model.parameters, ofBase.result.model.parameters);
  const matrices = model.scoredParameters / model.coverage;
  assert.ok(Math.abs(matrices - ofBase.result.model.scoredParameters - model.scoredParameters) < 1e-6);
  assert.ok(ofBase.result.model.modules.every((name) => !name.includes('lora')));

  // Without the adapter it is another model.
  const plain = await score(tinyWorkspace(t).experiment);
  assert.notEqual(plain.result.model.sha256, model.sha256);
  assert.notDeepEqual(plain.result.tasks[0].train.loss, tasks[0].train.loss);
});

test('a fresh adapter changes nothing, and its A factors are told to have no gradient', async (t) => {
  const w = workspace(t, 'lora', { fresh: true });
  const { result, resultFile } = await score(w.experiment);
  const plain = await score(tinyWorkspace(t).experiment);
  result.tasks[0].train.loss.forEach((loss, i) =>
    assert.ok(Math.abs(loss - plain.result.tasks[0].train.loss[i]) < 1e-6 * loss),
  );
  const zero = factors.filter((name) => name.endsWith('lora_A'));
  for (const layer of result.tasks[0].layers) {
    assert.deepEqual(layer.zeroGradient, zero);
    for (const name of zero) assert.equal(layer.modules[name].score, 0);
    assert.ok(layer.score > 0, 'B has gradients');
  }
  const K = grams(resultFile).tensor('sentiment/0.self_attn.q_proj.lora_A.K') as Float64Array;
  assert.ok(K.every((value) => value === 0));
});

test('layers without factors are not scored; to ask for one is an error', async (t) => {
  const w = workspace(t, 'lora', { layers: [1] });
  const { result } = await score(w.experiment);
  assert.deepEqual(
    result.tasks.map((task) => task.layers.map((layer) => layer.index)),
    [[1], [1]],
  );
  w.edit('  params: lora\n', '  params: lora\n  layers: [0, 1]\n');
  await assert.rejects(score(w.experiment), (error: LayerifError) => {
    assert.match(
      error.message,
      /^score\.layers: layer 0 has none of the scored modules self_attn\.q_proj\.lora_A, .*; leave it out$/,
    );
    return error.code === 'badExperiment';
  });
});

test('modules by their own names and by those of the modules that they adapt', async (t) => {
  const w = workspace(t, 'lora');
  w.edit('  params: lora\n', '  params: lora\n  modules: ["*.q_proj"]\n');
  assert.deepEqual((await score(w.experiment)).result.model.modules, factors.slice(0, 2));
  w.edit('"*.q_proj"', '"*.lora_B"');
  assert.deepEqual((await score(w.experiment)).result.model.modules, [factors[1], factors[3]]);
});

test('a warm engine takes another adapter for another model', async (t) => {
  const w = workspace(t, 'lora');
  const engine = new EnginePool();
  t.after(() => engine.dispose());
  const first = await score(w.experiment, { engine });
  const again = await score(w.experiment, { engine });
  assert.deepEqual(again.result.tasks, first.result.tasks);
  writeAdapter(w, { seed: 2 });
  const second = await score(w.experiment, { engine });
  assert.notEqual(second.result.model.sha256, first.result.model.sha256);
  assert.notDeepEqual(second.result.tasks[0].train.loss, first.result.tasks[0].train.loss);
});

test('check: what is wrong with the adapter stands at the adapter', async (t) => {
  const w = workspace(t, 'lora');
  const said = async () =>
    (await checkExperiment(w.experiment)).problems.map(({ path: key, message }) => [key.join('.'), message]);
  assert.deepEqual(await said(), []);
  w.edit('./adapter', './adaptor');
  const [[key, message], ...more] = await said();
  assert.deepEqual([key, more], ['model.adapter', []]);
  assert.match(message, /does not exist \(did you mean "adapter"\?\)/);
});

test('a description of the adapted model lists the factors where these are scored', async (t) => {
  const { folder } = workspace(t, 'lora', { layers: [2] });
  const lora = await describeModel('./model', folder, { adapter: './adapter', params: 'lora' });
  assert.deepEqual(
    lora.modules.map(({ name, shape }) => [name, shape]),
    factors.map((name) => [name, name.endsWith('A') ? [RANK, HIDDEN] : [HIDDEN, RANK]]),
  );
  const base = await describeModel('./model', folder, { adapter: './adapter' });
  assert.equal(base.modules.length, 7);
  assert.equal(base.parameters, lora.parameters);
});

test('score ila: masks of the adapter by layer, kept; without changes and for zeros one sentence', async (t) => {
  const w = workspace(t, 'base', { layers: [0, 2] });
  const text = fs.readFileSync(w.experiment, 'utf8');
  const asked = 'scores: [{ ila: { steps: 4, batch: 4, learning_rate: 0.1, seeds: 2 } }]\n';
  fs.writeFileSync(w.experiment, text.slice(0, text.indexOf('score:')) + asked);
  const { scores, passes } = await runExperiment({ file: w.experiment, machine, engine });
  const [table] = scores!.tables;
  assert.deepEqual(
    table.values.map((value) => value === null),
    [false, true, false],
  );
  assert.deepEqual(Object.keys(table.parts!).slice(0, 2), ['self_attn.q_proj', 'self_attn.k_proj']);
  assert.ok(table.parts!['self_attn.k_proj'].every((value) => value === null));
  assert.match(table.notes.join('\n'), /Spearman of the modules between seeds: [-\d.]+\nlayer 1: no change to mask/);
  assert.equal(passes.length, 1);
  const again = await runExperiment({ file: w.experiment, machine, engine });
  assert.deepEqual([again.passes, again.scores!.tables], [[], scores!.tables]);

  writeAdapter(w, { fresh: true });
  await assert.rejects(
    runExperiment({ file: w.experiment, machine, engine }),
    /score ila: .*adapter changes no linear module of the model, so there is nothing to mask/,
  );
  w.edit('  adapter: ./adapter\n', '');
  await assert.rejects(
    runExperiment({ file: w.experiment, machine, engine }),
    /score ila masks what fine-tuning has changed, and the experiment names nothing of the kind: set model\.adapter/,
  );
  fs.writeFileSync(w.experiment, fs.readFileSync(w.experiment, 'utf8').replace('steps: 4', 'tuned: ./model, steps: 4'));
  await assert.rejects(
    runExperiment({ file: w.experiment, machine, engine }),
    /score ila: .*model changes no linear module/,
  );
});
