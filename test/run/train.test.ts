/**
 * `layerif train` on a tiny experiment: what it writes can be opened and has the losses that it says; masks;
 * interruptions; bad input.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { LayerifError } from '../../protocol/errors.ts';
import type { TrainingResult } from '../../protocol/training.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { createTokenizer } from '../../server/src/data/tokenizer.ts';
import { trainExperiment } from '../../server/src/run/train/train.ts';
import type { TrainOptions } from '../../server/src/run/train/train.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const settings =
  '{ steps: 6, batch_size: 4, learning_rate: 0.01, rank: 2, warmup_steps: 1, schedule: cosine, seed: 3 }';

function withSection({ experiment }: Workspace, section: string): string {
  fs.appendFileSync(experiment, `\ntrain: ${section}\n`);
  return experiment;
}

const train = (file: string, more: Partial<TrainOptions> = {}) => trainExperiment({ file, machine, engine, ...more });

test('factors: the adapter, the losses before and after, the file', async (t) => {
  const workspace = tinyWorkspace(t);
  const file = withSection(workspace, settings);
  const { result, resultFile } = await train(file);
  assert.deepEqual(JSON.parse(fs.readFileSync(resultFile, 'utf8')), result);
  assert.equal(result.status, 'complete');
  assert.equal(result.curve.length, 6);
  assert.deepEqual(result.learningRates.slice(0, 2), [0, 0.01]);
  assert.ok(result.train!.after < result.train!.before, `${result.train!.after} of ${result.train!.before}`);
  const adapter = path.join(path.dirname(resultFile), result.output);
  const { tensor, names } = readSafetensors(path.join(adapter, 'adapter_model.safetensors'));
  const numbers = [...names()].reduce((sum, name) => sum + tensor(name).length, 0);
  assert.equal(result.trained.parameters, numbers);
  assert.ok(!fs.existsSync(path.join(path.dirname(resultFile), 'partial')));
  // What a training step does follows from the file alone.
  const again = await train(file);
  assert.notEqual(again.resultFile, resultFile);
  assert.deepEqual(again.result.curve, result.curve);
});

test('matrices: the model folder opens, only the chosen matrices differ, and it has the loss that is said', async (t) => {
  const workspace = tinyWorkspace(t);
  const section = '{ method: full, layers: [1], modules: ["mlp.*"], steps: 3, batch_size: 4, learning_rate: 0.002 }';
  const { result, resultFile } = await train(withSection(workspace, section));
  const folder = path.join(path.dirname(resultFile), result.output);
  const [before, after] = [openCheckpoint(workspace.model), openCheckpoint(folder)];
  const changed = [...after.tensors.keys()].filter((name) => {
    const [a, b] = [before.read(name), after.read(name)];
    return a.some((value, i) => value !== b[i]);
  });
  assert.deepEqual(
    changed.sort(),
    ['down', 'gate', 'up'].map((name) => `model.layers.1.mlp.${name}_proj.weight`),
  );
  assert.equal(
    result.trained.parameters,
    changed.reduce((sum, name) => sum + after.read(name).length, 0),
  );
  // The trained model, opened as it lies on disk, begins where the training ended.
  const line = /path: .*/.exec(fs.readFileSync(workspace.experiment, 'utf8'))![0];
  workspace.edit(line, `path: ${JSON.stringify(folder)}`);
  const next = await train(workspace.experiment);
  assert.ok(Math.abs(next.result.train!.before - result.train!.after) < 1e-6);
});

test('an interrupted training goes on behind its last step with the same numbers', async (t) => {
  const workspace = tinyWorkspace(t);
  const file = withSection(workspace, settings);
  const whole = await train(file, { outputDir: path.join(workspace.folder, 'whole') });
  const abort = new AbortController();
  const stopped = train(file, {
    checkpointSeconds: 0,
    signal: abort.signal,
    onTraining: ({ message }) => {
      if (message.startsWith('step 3')) abort.abort();
    },
  });
  await assert.rejects(stopped, (error: LayerifError) => error.code === 'cancelled');
  let resumed = false;
  const steps: string[] = [];
  const { result, resultFile } = await train(file, {
    checkpointSeconds: 0,
    onStarted: (event) => (resumed = event.resumed),
    onTraining: ({ message }) => steps.push(message),
  });
  assert.ok(resumed);
  assert.ok(
    steps.some((message) => message.startsWith('step 3')) && !steps.some((m) => m.startsWith('step 1 ')),
    steps.join(),
  );
  assert.deepEqual(result.curve, whole.result.curve);
  assert.deepEqual(result.train, whole.result.train);
  const bytes = (r: TrainingResult, where: string) =>
    fs.readFileSync(path.join(path.dirname(where), r.output, 'adapter_model.safetensors'));
  assert.deepEqual(bytes(result, resultFile), bytes(whole.result, whole.resultFile));
});

/** A workspace whose first dataset has a column of masks. */
function masked(t: Parameters<typeof tinyWorkspace>[0], mask: (tokens: number, row: number) => unknown) {
  const workspace = tinyWorkspace(t);
  const data = path.join(workspace.folder, 'masked.jsonl');
  const tokenizer = createTokenizer(openCheckpoint(workspace.model).tokenizer());
  const rows = Array.from({ length: 8 }, (_, i) => `the film was number ${i}`);
  const lines = rows.map((text, i) => JSON.stringify({ text, loss_mask: mask(tokenizer.encode(text).length, i) }));
  fs.writeFileSync(data, `${lines.join('\n')}\n`);
  const experiment = path.join(workspace.folder, 'masked.layerif.yaml');
  fs.writeFileSync(
    experiment,
    `version: 1
model: { path: ${JSON.stringify(workspace.model)}, max_length: 64 }
datasets: { rows: { path: masked.jsonl } }
tasks: [{ task: rows, output_type: loglikelihood_rolling, doc_to_text: text, training_split: "train[:6]", validation_split: "train[6:]" }]
train: { steps: 2, batch_size: 8, loss_mask: loss_mask }
`,
  );
  return {
    experiment,
    plain: (text: string) =>
      fs.writeFileSync(experiment, fs.readFileSync(experiment, 'utf8').replace(', loss_mask: loss_mask', text)),
  };
}

test('a mask counts its tokens alone; with ones alone it is no mask', async (t) => {
  const half = masked(t, (tokens) => Array.from({ length: tokens }, (_, i) => i % 2));
  const { result } = await train(half.experiment);
  assert.ok(result.samples.counted < result.samples.tokens / 2 + 1);
  const ones = masked(t, (tokens) => new Array<number>(tokens).fill(1));
  const all = await train(ones.experiment);
  ones.plain('');
  const plain = await train(ones.experiment);
  assert.deepEqual(all.result.curve, plain.result.curve);
  assert.notDeepEqual(result.curve, plain.result.curve);
});

test('bad input is one sentence with its place', async (t) => {
  const cases: [(tokens: number, row: number) => unknown, RegExp][] = [
    [
      (tokens, row) => new Array<number>(row === 2 ? tokens + 1 : tokens).fill(1),
      /row 2: loss_mask has \d+ numbers, the row has \d+ tokens; make the mask with this model's tokenizer/,
    ],
    [
      (tokens, row) => (row === 1 ? 'x' : new Array<number>(tokens).fill(1)),
      /row 1: loss_mask is "x"; a list of 0 and 1/,
    ],
    [
      (tokens, row) => new Array<number>(tokens).fill(row === 0 ? 0 : 1),
      /row 0: loss_mask leaves no token that is counted/,
    ],
  ];
  for (const [mask, message] of cases) await assert.rejects(train(masked(t, mask).experiment), message);
  const other = masked(t, (tokens) => new Array<number>(tokens).fill(1));
  other.plain(', loss_mask: masks');
  await assert.rejects(
    train(other.experiment),
    /there is no column "masks" \(train\.loss_mask\); its columns: text, loss_mask/,
  );
  const workspace = tinyWorkspace(t);
  withSection(workspace, '{ layers: [9] }');
  await assert.rejects(
    train(workspace.experiment),
    /train\.layers: layer 9 does not exist; the model has layers 0 to 2/,
  );
  await assert.rejects(train(workspace.experiment, { task: 'x' }), /has no task "x" to train on; its tasks are/);
});
