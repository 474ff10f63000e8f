/** `layerif prune` from the experiment file to the written model. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../protocol/errors.ts';
import type { Allocation, AllocationFile } from '../../protocol/allocation.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { pruneExperiment } from '../../server/src/run/prune/prune.ts';
import type { PruneOptions } from '../../server/src/run/inputs/pruneInput.ts';
import { engine, machine, score, tinyWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

const prune = ({ experiment, folder }: Workspace, options: Partial<PruneOptions> = {}) =>
  pruneExperiment({ file: experiment, machine, engine, output: path.join(folder, 'pruned'), ...options });

const zeros = (values: Float32Array) => values.filter((value) => value === 0).length / values.length;

function allocationFile(folder: string, name: string, allocation: Partial<Allocation>): string {
  const file = path.join(folder, name);
  const whole: Allocation = {
    format: 'layerif-allocation',
    version: 1,
    kind: 'sparsity',
    rule: '',
    ruleTitle: '',
    quantity: null,
    settings: { kind: 'sparsity' },
    total: 0,
    layers: [],
    notes: [],
    provenance: {
      layerif: '0.1.0',
      date: '',
      resultFile: '',
      model: { name: '', sha256: '' },
      tasks: [],
      estimator: 'datainf',
      aggregation: 'positive',
    },
    ...allocation,
  };
  const content: AllocationFile = { format: 'layerif-allocations', version: 1, allocations: { [whole.kind]: whole } };
  fs.writeFileSync(file, JSON.stringify(content));
  return file;
}

const layers = (values: number[]) =>
  values.map((value, index) => ({ index, name: `model.layers.${index}`, score: 1, value, parameters: 1, why: '' }));

test('the written model: pruned matrices, everything else untouched, configuration, tokenizer and report', async (t) => {
  const workspace = tinyWorkspace(t);
  const { report, output } = await prune(workspace, { method: 'wanda', sparsity: 0.25 });
  const [before, after] = [openCheckpoint(workspace.model), openCheckpoint(output)];
  assert.deepEqual([...after.tensors.keys()], [...before.tensors.keys()]);
  assert.deepEqual(after.config, before.config);
  assert.deepEqual(after.tokenizer(), before.tokenizer());
  for (const [name, { dtype, shape }] of before.tensors) {
    assert.deepEqual([after.tensors.get(name)!.dtype, after.tensors.get(name)!.shape], [dtype, shape]);
    const [old, now] = [before.read(name), after.read(name)];
    if (!/proj/.test(name)) assert.deepEqual(now, old, name);
    else {
      assert.equal(zeros(now), 0.25, name);
      assert.ok(
        now.every((value, i) => value === 0 || value === old[i]),
        `${name} has other values`,
      );
    }
  }
  assert.equal(report.achieved, 0.25);
  assert.equal(report.calibration?.dataset, 'reviews');
  assert.match(report.notes[0], /neither smaller nor faster/);
  assert.deepEqual(JSON.parse(fs.readFileSync(path.join(output, 'layerif-pruning.json'), 'utf8')), report);
  assert.deepEqual(
    fs.readdirSync(workspace.folder).filter((name) => name.startsWith('pruned')),
    ['pruned'],
    'work files are left',
  );
});

test('the pruned model is scored like any other', async (t) => {
  const workspace = tinyWorkspace(t);
  const { output } = await prune(workspace, { method: 'sparsegpt', structure: '2:4' });
  workspace.edit('path: ./model', `path: ${output}`);
  const { result } = await score(workspace.experiment);
  assert.equal(result.status, 'complete');
});

test('bfloat16 and shards stay what they are', async (t) => {
  const workspace = tinyWorkspace(t);
  const half = path.join(workspace.folder, 'half');
  fs.cpSync(path.join(import.meta.dirname, '../reference/llama/head_dim_sharded'), half, { recursive: true });
  fs.rmSync(path.join(half, 'reference.safetensors'));
  workspace.edit('path: ./model', 'path: ./half');
  fs.writeFileSync(
    path.join(workspace.folder, 'texts.jsonl'),
    Array.from({ length: 40 }, () => '{"text":"a b c d e f"}').join('\n'),
  );
  const { output } = await prune(workspace, { method: 'magnitude' });
  const [before, after] = [openCheckpoint(half), openCheckpoint(output)];
  assert.equal(after.files.length, before.files.length);
  for (const [name, { dtype }] of before.tensors) assert.equal(after.tensors.get(name)?.dtype, dtype, name);
  const files = (checkpoint: typeof before) =>
    [...checkpoint.tensors.values()].map(({ name, file }) => `${name} ${path.basename(file)}`);
  assert.deepEqual(files(after).sort(), files(before).sort());
});

test('a list and an allocation file give every layer its own sparsity', async (t) => {
  const workspace = tinyWorkspace(t);
  const list = await prune(workspace, { method: 'magnitude', map: [0, 0.25, 0.5] });
  assert.deepEqual(
    list.report.layers.map((layer) => layer.requested),
    [0, 0.25, 0.5],
  );
  assert.equal(list.report.layers[0].achieved, 0);
  const map = allocationFile(workspace.folder, 'a.layerif-allocation.json', {
    kind: 'sparsity',
    rule: 'layerif',
    layers: layers([0.5, 0.25, 0]),
  });
  const { report } = await prune(workspace, { method: 'wanda', map, output: path.join(workspace.folder, 'other') });
  assert.deepEqual(
    report.layers.map((layer) => layer.achieved),
    [0.5, 0.25, 0],
  );
  assert.equal(report.map, 'layerif (a.layerif-allocation.json)');
});

test('whole layers are left out, the others numbered anew', async (t) => {
  const workspace = tinyWorkspace(t);
  const map = allocationFile(workspace.folder, 'a.layerif-allocation.json', {
    kind: 'drop',
    rule: 'lowest',
    layers: layers([0, 1, 0]),
  });
  const { report, output } = await prune(workspace, { structure: 'layers', map });
  assert.deepEqual(report.dropped, [1]);
  const [before, after] = [openCheckpoint(workspace.model), openCheckpoint(output)];
  assert.equal(after.config.num_hidden_layers, 2);
  assert.deepEqual(after.read('model.layers.1.mlp.up_proj.weight'), before.read('model.layers.2.mlp.up_proj.weight'));
  assert.ok(![...after.tensors.keys()].some((name) => name.startsWith('model.layers.2.')));
  workspace.edit('path: ./model', `path: ${output}`);
  assert.equal((await score(workspace.experiment)).result.model.layers, 2);
});

test('a cancelled pruning goes on where it was, and gives the same model', async (t) => {
  const workspace = tinyWorkspace(t, { layers: 16 }); // enough that the cancel arrives in time
  const whole = await prune(workspace, { method: 'sparsegpt', output: path.join(workspace.folder, 'whole') });
  const stop = new AbortController();
  await assert.rejects(
    prune(workspace, {
      method: 'sparsegpt',
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done === 2) stop.abort();
      },
    }),
    (error: LayerifError) => error.code === 'cancelled',
  );
  assert.ok(!fs.existsSync(path.join(workspace.folder, 'pruned')), 'a half-written model is there');
  const { report, output } = await prune(workspace, { method: 'sparsegpt' });
  assert.ok(report.provenance.resumedLayers >= 1);
  const read = (folder: string) => fs.readFileSync(path.join(folder, 'model.safetensors'));
  assert.ok(read(output).equals(read(whole.output)));
});

test('what cannot be done is refused before anything is written', async (t) => {
  const workspace = tinyWorkspace(t);
  const inModel = path.join(workspace.model, 'pruned');
  const full = path.join(workspace.folder, 'full');
  fs.mkdirSync(full);
  fs.writeFileSync(path.join(full, 'thesis.txt'), 'mine');
  const refusals: [Partial<PruneOptions>, RegExp][] = [
    [{ output: workspace.model }, /is, holds or lies in the model's folder .* never written to/],
    [{ output: inModel }, /is, holds or lies in the model's folder/],
    [{ output: workspace.folder }, /is, holds or lies in the model's folder/],
    [{ output: full }, /full exists and is not an empty folder/],
    [{ sparsity: 1 }, /sparsity 1 is outside 0 .* below 1/],
    [{ map: [0.5] }, /prune\.map has 1 sparsities, the model has 3 layers/],
    [{ map: [0.5, 0.5, 1] }, /the sparsity of layer 2 is 1/],
    [{ structure: '2:3:4' }, /"2:3:4" is not a structure/],
    [{ structure: '3:5' }, /has 32 inputs, which is not a multiple of 5/],
    [{ method: 'taylor' as 'wanda' }, /method "taylor" is not available: use one of magnitude, wanda, sparsegpt/],
    [{ map: path.join(workspace.folder, 'none.json') }, /cannot read the allocation/],
    [{ resultFile: 'r.json' }, /--result r\.json would not be read: the map uniform needs no scores; name a rule/],
    [
      { map: [0.5, 0.5, 0.5], resultFile: 'r.json' },
      /would not be read: the map of prune\.map, a list, needs no scores/,
    ],
    [{ output: '/proc/layerif/pruned' }, /cannot write \/proc\/layerif\/pruned: no folder can be made there/],
    [{ machine: { ...machine, memoryBytes: 1e6 }, engine }, /pruning with wanda needs about .* the limit is 977 KiB/],
  ];
  for (const [options, message] of refusals) {
    await assert.rejects(prune(workspace, options), (error: Error) => {
      assert.ok(error instanceof LayerifError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
  assert.ok(!fs.existsSync(path.join(workspace.folder, 'pruned')));
  assert.deepEqual(fs.readdirSync(full), ['thesis.txt']);
});

test('calibration texts: a dataset of its own, and too few tokens', async (t) => {
  const workspace = tinyWorkspace(t);
  const texts = path.join(workspace.folder, 'texts.jsonl');
  fs.writeFileSync(texts, Array.from({ length: 30 }, () => '{"text":"the cat was in the house"}').join('\n'));
  workspace.edit(
    'datasets:',
    'prune: { calibration: { dataset: texts, split: "train[:20]" } }\ndatasets:\n  texts: { path: texts.jsonl }',
  );
  const { report } = await prune(workspace);
  assert.equal(report.calibration?.texts, 20);
  assert.deepEqual(Object.keys(report.calibration.dataSha256), ['texts.jsonl']);
  workspace.edit('train[:20]', 'train[:2]');
  await assert.rejects(
    prune(workspace, { output: path.join(workspace.folder, 'b') }),
    /calibration texts \(train\[:2\] of texts\) have \d+ tokens together, at least 64 are needed/,
  );
});
