/**
 * Every row of the tables of refusals (run/inputs/refusals.ts): an input that triggers it is refused by `check` and by
 * each verb of the row, with the same words, before the model runs.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { evaluateExperiment } from '../../server/src/run/evaluate/evaluate.ts';
import { trainExperiment } from '../../server/src/run/train/train.ts';
import { generateFile } from '../../server/src/run/generate/generateFile.ts';
import { prepareExperts } from '../../server/src/run/experts/trainExpertsInput.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { graphRefusals, modelRefusals, weightRefusals } from '../../server/src/run/inputs/modelRefusals.ts';
import type { Verb } from '../../server/src/run/inputs/refusals.ts';
import { sampleRefusals } from '../../server/src/run/inputs/sampleRefusals.ts';
import {
  dropRefusals,
  experimentRefusals,
  pruneRefusals,
  prunedModelRefusals,
} from '../../server/src/run/inputs/supported.ts';
import { taskRefusals } from '../../server/src/run/inputs/taskRefusals.ts';
import { pruneExperiment } from '../../server/src/run/prune/prune.ts';
import { validateExperiment } from '../../server/src/run/validate/validate.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import { encodeModel } from '../../server/src/onnx/model.ts';
import { textExperiment, writeGraphWorkspace } from '../graphs/tiny.ts';
import { rawTensors, writeRaw } from '../checkpoints/rewrite.ts';
import type { Raw } from '../checkpoints/rewrite.ts';
import { machine, score, tinyWorkspace, writeTinyAdapter } from './workspace.ts';

const all = [
  ...experimentRefusals,
  ...pruneRefusals,
  ...dropRefusals,
  ...prunedModelRefusals,
  ...weightRefusals,
  ...graphRefusals,
  ...modelRefusals,
  ...sampleRefusals,
  ...taskRefusals,
].map(({ id, verbs }) => ({ id, verbs }));

/** Up to the first run of the model, or through it where nothing is refused. */
const run: Record<Verb, (file: string) => Promise<unknown>> = {
  score: (file) => score(file),
  validate: (file) => validateExperiment({ file, machine }),
  evaluate: (file) => evaluateExperiment({ file, machine }),
  generate: (file) => generateFile({ target: file, baseDir: '/', maxNewTokens: 1, stop: [], sampling: {}, machine }),
  prune: (file) => pruneExperiment({ file, machine }),
  train: (file) => trainExperiment({ file, machine }),
  'train-experts': (file) => prepareExperts(file, {}),
};

/** Has 20 positions. */
const gpt2 = path.join(import.meta.dirname, '../reference/gpt2/by_layer');

const sections = 'evaluate: {}\nprune: {}\nvalidate: {}\ntrain: { steps: 1 }\ntrain_experts: {}\n';

interface Spoilt {
  file: string;
  /** Appends lines to the experiment file. */
  add: (lines: string) => void;
  edit: (from: string, to: string) => void;
  model: string;
}

function llama(t: TestContext): Spoilt {
  const { experiment, model, edit } = tinyWorkspace(t);
  return { file: experiment, model, edit, add: (lines) => fs.appendFileSync(experiment, lines) };
}

function graph(t: TestContext, name = 'llama-torchscript'): Spoilt {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-graph-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const task = '    doc_to_text: "{{text}}"\n    doc_to_target: mood\nscore:\n  estimator: dot\n';
  const file = writeGraphWorkspace(folder, name, textExperiment(name, task));
  const edit = (from: string, to: string) => {
    const text = fs.readFileSync(file, 'utf8');
    assert.ok(text.includes(from), `the experiment has ${JSON.stringify(from)}`);
    fs.writeFileSync(file, text.replace(from, to));
  };
  const model = path.join(folder, `${name}.onnx`);
  return { file, model, edit, add: (lines) => fs.appendFileSync(file, lines) };
}

function editConfig(model: string, change: Record<string, unknown>): void {
  const file = path.join(model, 'config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  fs.writeFileSync(file, JSON.stringify({ ...config, ...change }));
}

/** A language model whose logits are of the last token alone. */
function lastTokenGraph(file: string): void {
  const g = new Graph('last');
  const ids = g.input('input_ids', 'int64', ['batch', 'tokens']);
  const filled = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
  let x = g.gather(g.initializer('embed', 'float32', [61, 4], filled(244)), ids, 0);
  for (const layer of [0, 1]) {
    const w = g.initializer(`model.layers.${layer}.mlp.weight`, 'float32', [4, 4], filled(16));
    x = g.add(
      x,
      g.scope(`model/layers.${layer}/mlp`, () => g.matMul(x, w)),
    );
  }
  const last = g.node('Slice', [x, g.ints([-1]), g.ints([2 ** 31]), g.ints([1])])[0];
  const logits = g.matMul(last, g.initializer('lm_head.weight', 'float32', [4, 61], filled(244)));
  g.output(logits, 'logits');
  fs.writeFileSync(file, encodeModel(g));
}

/** A language model with a remainder between its layers, which has no rule. */
function modGraph(file: string): void {
  const g = new Graph('mod');
  const ids = g.input('input_ids', 'int64', ['batch', 'tokens']);
  const filled = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
  let x = g.gather(g.initializer('embed', 'float32', [61, 4], filled(244)), ids, 0);
  for (const layer of [0, 1]) {
    const w = g.initializer(`model.layers.${layer}.mlp.weight`, 'float32', [4, 4], filled(16));
    const y = g.scope(`model/layers.${layer}/mlp`, () => g.matMul(x, w));
    x = g.node('Mod', [y, g.initializer(`divisor.${layer}`, 'float32', [], Float32Array.of(2))], { fmod: 1 })[0];
  }
  g.output(g.matMul(x, g.initializer('lm_head.weight', 'float32', [4, 61], filled(244))), 'logits');
  fs.writeFileSync(file, encodeModel(g));
}

function rewriteTensors(model: string, change: (name: string) => Partial<Raw>): void {
  writeRaw(
    model,
    rawTensors(model).map((tensor) => ({ ...tensor, ...change(tensor.name) })),
  );
}

/** Changes the third review, which is trained on and calibrated with, and the tenth, which is evaluated. */
function inReviews(file: string, change: (text: string) => string): void {
  const data = path.join(path.dirname(file), 'data', 'reviews.jsonl');
  const rows = fs.readFileSync(data, 'utf8').split('\n');
  for (const row of [2, 9]) {
    const values = JSON.parse(rows[row]) as { review: string };
    rows[row] = JSON.stringify({ ...values, review: change(values.review) });
  }
  fs.writeFileSync(data, rows.join('\n'));
}

function with_(spoilt: Spoilt, change: (spoilt: Spoilt) => void): Spoilt {
  change(spoilt);
  return spoilt;
}

function adapter(t: TestContext): Spoilt {
  return with_(llama(t), ({ model, edit }) => {
    writeTinyAdapter(path.join(path.dirname(model), 'adapter'));
    edit('path: ./model\n', 'path: ./model\n  adapter: ./adapter\n');
  });
}

/** A classifier with a convolution in groups in every layer; refused before its data are looked at. */
function grouped(t: TestContext): Spoilt {
  return with_(graph(t), ({ model, edit }) => {
    const g = new Graph('groups');
    const filled = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
    let x = g.input('pixel_values', 'float32', ['batch', 4, 6, 6]);
    for (const layer of [0, 1]) {
      const kernel = g.initializer(`layers.${layer}.conv.weight`, 'float32', [4, 2, 1, 1], filled(8));
      const before = x;
      x = g.scope(`layers.${layer}/conv`, () => g.node('Conv', [before, kernel], { group: 2 })[0]);
    }
    const pooled = g.reshape(g.node('GlobalAveragePool', [x])[0], [-1, 4]);
    g.output(g.matMul(pooled, g.initializer('classifier.weight', 'float32', [4, 3], filled(12))), 'logits');
    fs.writeFileSync(model, encodeModel(g));
    edit('estimator: dot', 'estimator: ekfac\n  fisher: empirical');
  });
}

const spoil: Record<string, (t: TestContext) => Spoilt> = {
  layers_patternWithoutGraph: (t) => with_(llama(t), (w) => w.edit('./model', './model\n  layers_pattern: h')),
  outputWithoutGraph: (t) => with_(llama(t), (w) => w.edit('./model', './model\n  output: logits')),
  adapterOnGraph: (t) => with_(graph(t), (w) => w.edit('max_length', 'adapter: ./a\n  max_length')),
  trueFisherOfGraph: (t) => with_(graph(t), (w) => w.edit('estimator: dot', 'estimator: ekfac\n  fisher: "true"')),
  projectionOfGraph: (t) => with_(graph(t), (w) => w.add('  projection: 8\n')),
  headsProjected: (t) => with_(llama(t), (w) => w.add('  granularity: head\n  projection: 8\n')),
  headsOfFactorsOrGraph: (t) => with_(graph(t), (w) => w.add('  granularity: head\n')),
  checkpointsWithoutTracin: (t) =>
    with_(llama(t), (w) => w.add('  checkpoints: [{ path: ./model, learning_rate: 0.1 }]\n')),
  tracinWithoutCheckpoints: (t) => with_(llama(t), (w) => w.edit('estimator: datainf', 'estimator: tracin')),
  sumsOfPairs: (t) => with_(llama(t), (w) => w.add('  accumulate: sums\n  per: pair\n')),
  sumsProjected: (t) => with_(llama(t), (w) => w.add('  accumulate: sums\n  projection: 8\n')),
  sumsUntil: (t) => with_(llama(t), (w) => w.add('  accumulate: sums\n  until: { rank_interval: 0.3 }\n')),
  tracinOfGraph: (t) =>
    with_(graph(t), (w) =>
      w.edit('estimator: dot', 'estimator: tracin\n  checkpoints: [{ path: ./a, learning_rate: 0.1 }]'),
    ),
  dataScoresOfGraph: (t) => with_(graph(t), (w) => w.add('data_scores: [loss]\n')),
  graphForvalidate: (t) => graph(t),
  graphForevaluate: (t) => graph(t),
  graphForprune: (t) => graph(t),
  graphFortrain: (t) => graph(t),
  'graphFortrain-experts': (t) => graph(t),
  pruneWithAdapter: adapter,
  validateWithAdapter: adapter,
  expertsWithAdapter: adapter,
  trainWithAdapter: adapter,
  pruneStructure: (t) => with_(llama(t), (w) => w.add('prune: { structure: "3:2" }\n')),
  pruneSparsity: (t) => with_(llama(t), (w) => w.add('prune: { sparsity: 1 }\n')),
  layersWithoutRule: (t) => with_(llama(t), (w) => w.add('prune: { structure: layers }\n')),
  groupsDoNotFit: (t) => with_(llama(t), (w) => w.add('prune: { structure: "2:24" }\n')),
  mapOfOtherLength: (t) => with_(llama(t), (w) => w.add('prune: { map: [0.5, 0.5] }\n')),
  quantised: (t) =>
    with_(llama(t), ({ model }) => {
      editConfig(model, { quantization_config: { quant_method: 'gptq', bits: 4 } });
      rewriteTensors(model, (name) =>
        name.endsWith('q_proj.weight') ? { name: name.replace('weight', 'qweight') } : {},
      );
    }),
  weightMissing: (t) => with_(llama(t), ({ model }) => editConfig(model, { num_hidden_layers: 4 })),
  weightShape: (t) => with_(llama(t), ({ model }) => editConfig(model, { vocab_size: 4000 })),
  weightType: (t) =>
    with_(llama(t), ({ model }) => rewriteTensors(model, (name) => (/norm/.test(name) ? { dtype: 'I32' } : {}))),
  lastTokenLogits: (t) => with_(graph(t), ({ model }) => lastTokenGraph(model)),
  retrainedLayers: (t) => with_(llama(t), (w) => w.add('validate: { retrain: { layers: [1, 9] } }\n')),
  encoderWithoutLogits: (t) =>
    with_(graph(t), ({ model }) =>
      fs.copyFileSync(path.join(import.meta.dirname, '../reference/speech/encoder.onnx'), model),
    ),
  ekfacOfGroups: grouped,
  operatorWithoutRule: (t) => with_(graph(t), ({ model }) => modGraph(model)),
  tokenBeyondVocabulary: (t) =>
    with_(llama(t), ({ model, file }) => {
      const json = path.join(model, 'tokenizer.json');
      const tokenizer = JSON.parse(fs.readFileSync(json, 'utf8')) as {
        added_tokens: { id: number; content: string }[];
      };
      tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: 5000, content: '<|pad|>' });
      fs.writeFileSync(json, JSON.stringify(tokenizer));
      inReviews(file, (text) => `<|pad|>${text}`);
    }),
  moreTokensThanPositions: (t) =>
    with_(llama(t), ({ model, file }) => {
      fs.rmSync(model, { recursive: true });
      fs.cpSync(gpt2, model, { recursive: true });
      inReviews(file, (text) => `${text} ${'word '.repeat(30)}`);
    }),
  filters: (t) =>
    with_(llama(t), (w) => {
      const filter = 'filter_list: [{ name: x, filter: [{ function: take_first }, { function: majority_vote }] }]';
      w.edit('output_type: multiple_choice', `output_type: multiple_choice\n    ${filter}`);
      w.edit('output_type: loglikelihood\n', `output_type: loglikelihood\n    ${filter}\n`);
    }),
  noMetric: (t) =>
    with_(llama(t), (w) => {
      w.edit('output_type: multiple_choice', 'output_type: multiple_choice\n    metric_list: [{ metric: bleu }]');
      w.edit('output_type: loglikelihood\n', 'output_type: generate_until\n    metric_list: [{ metric: rouge }]\n');
    }),
  generationKwargs: (t) =>
    with_(llama(t), (w) => {
      const kwargs = 'output_type: generate_until\n    generation_kwargs: { num_beams: 4 }';
      w.edit('output_type: multiple_choice', kwargs);
      w.edit('output_type: loglikelihood\n', `${kwargs}\n`);
    }),
  resultsByPython: (t) =>
    with_(llama(t), (w) => {
      w.edit('output_type: multiple_choice', 'output_type: multiple_choice\n    process_results: !function utils.f');
      w.edit('output_type: loglikelihood\n', 'output_type: loglikelihood\n    process_results: !function utils.f\n');
    }),
};

/** What only the sentence of the row says. */
const words: Record<string, RegExp> = {
  layers_patternWithoutGraph: /the key is for \.onnx models, and \.\/model is none/,
  outputWithoutGraph: /the key is for \.onnx models, and \.\/model is none/,
  adapterOnGraph: /an adapter cannot be applied to an \.onnx model; merge it before the export/,
  trueFisherOfGraph: /draws labels from the model, which \.onnx models do not do; set fisher: empirical/,
  projectionOfGraph: /gradients of \.onnx models are exact/,
  headsProjected: /granularity head needs exact gradients/,
  headsOfFactorsOrGraph: /granularity head cuts the attention matrices of a checkpoint/,
  checkpointsWithoutTracin: /checkpoints are for the estimator tracin, not for datainf/,
  tracinWithoutCheckpoints: /list them under score\.checkpoints with path and learning_rate/,
  sumsOfPairs: /per: pair needs that of single ones/,
  sumsProjected: /sums are of whole gradients/,
  sumsUntil: /more rows do not make surer/,
  tracinOfGraph: /tracin reads checkpoints of a model folder, and model\.path is an ONNX graph/,
  dataScoresOfGraph:
    /data_scores read prompts and answers through a checkpoint, and model\.path .*\.onnx is an ONNX graph/,
  graphForvalidate: /llama-torchscript\.onnx is an ONNX graph.*; validate needs a checkpoint/,
  graphForevaluate: /llama-torchscript\.onnx is an ONNX graph.*; evaluate needs a checkpoint/,
  graphFortrain: /llama-torchscript\.onnx is an ONNX graph.*; train needs a checkpoint/,
  graphForprune: /llama-torchscript\.onnx is an ONNX graph.*; prune needs a checkpoint/,
  'graphFortrain-experts': /llama-torchscript\.onnx is an ONNX graph.*; train-experts needs a checkpoint/,
  pruneWithAdapter: /cannot be pruned, since the adapter would be lost; merge/,
  validateWithAdapter: /validation trains adapters of its own on the model; merge/,
  trainWithAdapter: /a model is trained without an adapter on it; merge/,
  expertsWithAdapter: /experts are trained on the model itself; merge/,
  pruneStructure: /structure/,
  pruneSparsity: /sparsity/,
  layersWithoutRule: /structure layers leaves out the layers that a rule names/,
  groupsDoNotFit: /structure 2:24: .* has 32 inputs, which is not a multiple of 24/,
  mapOfOtherLength: /prune\.map has 2 sparsities, the model has 3 layers/,
  quantised:
    /model is quantised \(GPTQ\): config\.json has quantization_config\.quant_method "gptq", and tensor model\.layers\.0\.self_attn\.q_proj\.weight is missing.*take the float checkpoint/,
  weightMissing: /tensor model\.layers\.3\.self_attn\.q_proj\.weight is missing; config\.json asks for 4 layers/,
  weightShape:
    /tensor model\.embed_tokens\.weight has shape \[298, 32\], config\.json asks for \[4000, 32\] \(vocab_size 4000\)/,
  weightType: /tensor model\.layers\.0\.input_layernorm\.weight has type I32; weights must be F32, F64, F16, BF16/,
  lastTokenLogits: /output "logits" has logits for one token, not for all of a text .*\(Slice\)/,
  retrainedLayers: /layer 9 does not exist; the model has layers 0 to 2/,
  encoderWithoutLogits: /gives hidden states and no logits, .* or ask for scores alone/,
  operatorWithoutRule: /operator "Mod" .* has no differentiation rule, and gradients have to go through it/,
  ekfacOfGroups: /ekfac has no factors for .*conv of .*, a convolution in 2 groups/,
  tokenBeyondVocabulary: /is outside the model's vocabulary of 298: the embedding has no row for "<\|pad\|>"/,
  moreTokensThanPositions: /a sample of task .* has \d+ tokens, the model has positions for 20; set max_length to 20/,
  resultsByPython: /process_results is a Python function \(!function utils\.f\), which makes the metrics/,
  filters: /filter_list changes log-likelihoods by majority_vote, which is not computed; only take_first is/,
  noMetric: /metric "(bleu|rouge)" is/,
  generationKwargs: /generation_kwargs asks for num_beams 4, which is not followed; followed are until, max_gen_toks/,
};

test('8-bit floats of a quantised checkpoint without their scales are not taken for the numbers themselves', async (t) => {
  const { file, model } = llama(t);
  editConfig(model, { quantization_config: { quant_method: 'fp8' } });
  const small = (tensor: Raw): Raw =>
    tensor.name.endsWith('q_proj.weight')
      ? { ...tensor, dtype: 'F8_E4M3', bytes: new Uint8Array(tensor.bytes.length / 4).fill(56) }
      : tensor;
  writeRaw(model, rawTensors(model).map(small));
  const message =
    /is quantised \(FP8 with block scales\): .* q_proj\.weight of type F8_E4M3 has no scale beside it; take the float/;
  const { problems } = await checkExperiment(file);
  assert.equal(problems.length, 1);
  assert.match(problems[0].message.replace('tensor model.layers.0.self_attn.', ' '), message);
  await assert.rejects(score(file), /q_proj\.weight of type F8_E4M3 has no scale beside it/);
});

test('every row has an input that triggers it, and words', () => {
  const ids = all.map(({ id }) => id).sort();
  assert.deepEqual(Object.keys(spoil).sort(), ids);
  assert.deepEqual(Object.keys(words).sort(), ids);
});

/** Without the place of the row, and without what the texts of a verb are. */
const core = (message: string): string =>
  message
    .replace(/ \([^()]*\.jsonl:\d+\)$/, '')
    .replace(/ of [^:]* \d+ is outside/, ' is outside')
    .replace(/a sample of task \S+ has/, 'a sample has');

for (const { id, verbs } of all) {
  test(`${id}: check and ${verbs.join(', ')} say the same`, async (t) => {
    const { file, add } = spoil[id](t);
    const text = fs.readFileSync(file, 'utf8');
    const missing = sections.split('\n').filter((line) => !text.includes(`\n${line.split(':')[0]}:`));
    add(missing.join('\n'));
    const { problems } = await checkExperiment(file);
    const said = problems.map(({ message }) => message).filter((message) => words[id].test(message));
    assert.ok(said.length > 0, problems.map(({ message }) => message).join('\n'));
    for (const verb of verbs) {
      await assert.rejects(run[verb](file), (error: Error) => {
        assert.match(error.message, words[id], verb);
        const same = said.some((message) => core(error.message).endsWith(core(message)) || reasonIn(message, error));
        assert.ok(same, `${verb}: ${error.message}\ncheck: ${said.join('\n')}`);
        return true;
      });
    }
  });
}

/** What `evaluate` says of every task that it leaves out. */
function reasonIn(message: string, error: Error): boolean {
  const reason = /^task "[^"]*": evaluate: (.*)$/s.exec(message)?.[1];
  return reason !== undefined && error.message.includes(reason);
}
