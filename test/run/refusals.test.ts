/** What a run refuses, and with which words. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import { writeSafetensors } from '../tinyLlama.ts';
import { machine, score, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const rows: { what: string; spoil: (w: Workspace) => void; code: LayerifError['code']; message: RegExp }[] = [
  {
    what: 'tracin without checkpoints',
    spoil: (w) => w.edit('estimator: datainf', 'estimator: tracin'),
    code: 'badExperiment',
    message: /tracin adds up over checkpoints .* list them under score\.checkpoints/,
  },
  {
    what: 'a layer that the model does not have',
    spoil: (w) => w.edit('  estimator: datainf\n', '  estimator: datainf\n  layers: [1, 7]\n'),
    code: 'badExperiment',
    message: /score\.layers: layer 7 does not exist; the model has layers 0 to 2/,
  },
  {
    what: 'modules that match nothing',
    spoil: (w) => w.edit('  estimator: datainf\n', '  estimator: datainf\n  modules: ["attn.*"]\n'),
    code: 'badExperiment',
    message: /matches no module; the model has self_attn\.q_proj, /,
  },
  {
    what: 'an unknown architecture',
    spoil: (w) => editConfig(w, (config) => (config.model_type = 'rwkv')),
    code: 'badModel',
    message: /model_type "rwkv" is not supported; the nearest name that is: \w+; supported: llama, mistral/,
  },
  {
    what: 'a configuration that does not fit the weights',
    spoil: (w) => editConfig(w, (config) => (config.intermediate_size = 10)),
    code: 'badModel',
    message: /mlp\.gate_proj\.weight has shape \[\d+, 32\], config\.json asks for \[10, 32\]/,
  },
  {
    what: 'more layers than there are weights',
    spoil: (w) => editConfig(w, (config) => (config.num_hidden_layers = 5)),
    code: 'badModel',
    message: /tensor model\.layers\.3\.self_attn\.q_proj\.weight is missing; config\.json asks for 5 layers/,
  },
  {
    what: 'one training sample for DataInf',
    spoil: (w) => w.edit('train[:8]', 'train[:1]'),
    code: 'badData',
    message: /1 training sample, estimator datainf needs at least 2/,
  },
  {
    what: 'a tokenizer of another model',
    spoil: (w) => editConfig(w, (config) => (config.vocab_size = 20), true),
    code: 'badModel',
    message: /token id \d+ of training sample \d+ is outside the model's vocabulary of 20/,
  },
];

function editConfig({ model }: Workspace, change: (config: Record<string, unknown>) => void, cut = false): void {
  const file = path.join(model, 'config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
  change(config);
  fs.writeFileSync(file, JSON.stringify(config));
  if (cut) cutVocabulary(path.join(model, 'model.safetensors'), config.vocab_size as number);
}

/** Keeps the first rows of the embedding and of the head. */
function cutVocabulary(file: string, rows: number): void {
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { shape: number[]; data_offsets: number[] }
  >;
  const tensors: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const [name, { shape, data_offsets: at }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const data = new Float32Array(new Uint8Array(bytes.subarray(8 + length + at[0], 8 + length + at[1])).buffer);
    const outer = /embed_tokens|lm_head/.test(name);
    tensors[name] = outer ? { shape: [rows, shape[1]], data: data.slice(0, rows * shape[1]) } : { shape, data };
  }
  writeSafetensors(file, tensors);
}

for (const { what, spoil, code, message } of rows) {
  test(what, async (t) => {
    const workspace = tinyWorkspace(t);
    spoil(workspace);
    await assert.rejects(score(workspace.experiment), (error: LayerifError) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
  });
}

test('fisher and dot work with one training sample', async (t) => {
  for (const estimator of ['fisher', 'dot'] as const) {
    const workspace = tinyWorkspace(t, { estimator });
    workspace.edit('train[:8]', 'train[:1]');
    const { result } = await score(workspace.experiment, { tasks: ['sentiment'] });
    assert.equal(result.tasks[0].influence[0].length, 1);
  }
});

test('a memory limit that nothing fits: numbers, the largest part, what to do', async (t) => {
  const { experiment } = tinyWorkspace(t);
  await assert.rejects(score(experiment, { machine: { ...machine, memoryBytes: 1e6 } }), (error: LayerifError) => {
    assert.equal(error.code, 'notEnoughMemory');
    assert.match(
      error.message,
      /^not enough memory: the run needs about \d+ MiB, the limit is 977 KiB; the largest part is programs/,
    );
    return true;
  });
});

test('an output folder that cannot be made', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  fs.writeFileSync(path.join(folder, 'runs'), 'a file');
  await assert.rejects(score(experiment), (error: LayerifError) => {
    assert.equal(error.code, 'cannotWrite');
    assert.match(
      error.message,
      /cannot write .*runs: a part of the path is a file; choose another folder with output_dir or --output/,
    );
    return true;
  });
});

test('a model whose last layers are dead: zero gradients are flagged, nothing is divided by them', async (t) => {
  const { experiment, model } = tinyWorkspace(t);
  const file = path.join(model, 'model.safetensors');
  const bytes = fs.readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { data_offsets: number[] }>;
  // Without o_proj and v_proj nothing reaches or leaves the queries and keys of layer 2.
  for (const name of ['o_proj', 'v_proj']) {
    const [start, end] = header[`model.layers.2.self_attn.${name}.weight`].data_offsets;
    bytes.fill(0, 8 + length + start, 8 + length + end);
  }
  fs.writeFileSync(file, bytes);
  const { result } = await score(experiment, { tasks: ['sentiment'] });
  const dead = result.tasks[0].layers[2];
  assert.deepEqual(dead.zeroGradient, ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj']);
  assert.equal(dead.modules['self_attn.q_proj'].score, 0);
  assert.ok(dead.score > 0 && Number.isFinite(dead.score));
});
