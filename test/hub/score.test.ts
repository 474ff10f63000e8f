/** Whole commands with hub ids: score, check, inspect, evaluate's inputs; model and dataset from the fake hub. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { loadExperiment } from '../../server/src/config/experiment.ts';
import { datasetFiles } from '../../server/src/data/inputFiles.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { fetchDatasets, missingDataset } from '../../server/src/run/inputs/hubInputs.ts';
import { inspectModel } from '../../server/src/run/inputs/inspect.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { machine, numbersOf, score, tinyWorkspace } from '../run/workspace.ts';
import { fakeHub } from './fakeHub.ts';
import type { FakeHub } from './fakeHub.ts';
import type { TestContext } from 'node:test';

function filesOf(folder: string): Record<string, Buffer> {
  return Object.fromEntries(fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name))]));
}

/** The tiny experiment with its model on the hub. */
async function onHub(t: TestContext) {
  const workspace = tinyWorkspace(t);
  const files = filesOf(workspace.model);
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const local = await score(workspace.experiment);
  const text = fs.readFileSync(workspace.experiment, 'utf8');
  fs.writeFileSync(workspace.experiment, text.replace(/path: .*model.*/, 'path: org/tiny'));
  assert.equal(loadExperiment(workspace.experiment).model.path, 'org/tiny');
  return { workspace, files, hub, local };
}

test('score of a hub id: downloads with progress, the same numbers as from a folder, the commit in the result; check before and after', async (t) => {
  const { workspace, hub, local } = await onHub(t);
  const size = /score will download \d+ kB$/;
  const quick = await checkExperiment(workspace.experiment, undefined, 'quick');
  assert.deepEqual(
    quick.problems.map(({ severity, message }) => [severity, message]),
    [
      [
        'information',
        'model org/tiny is neither a path nor in the Hugging Face cache; score will download it from the hub',
      ],
    ],
  );
  assert.equal(hub.seen.length, 0); // an editor asks nobody while one types
  const full = await checkExperiment(workspace.experiment);
  assert.deepEqual(
    full.problems.map(({ severity }) => severity),
    ['information'],
  );
  assert.match(full.problems[0].message, size);
  assert.deepEqual(hub.downloads(), []);
  assert.deepEqual(fs.readdirSync(hub.cache), []);

  hub.cut('model.safetensors', 30_000);
  const run = await score(workspace.experiment);
  assert.deepEqual(numbersOf(run.result), numbersOf(local.result));
  assert.deepEqual([run.result.model.name, run.result.model.revision], ['tiny', hub.commitOf('org/tiny')]);
  assert.equal(run.result.model.sha256, local.result.model.sha256);
  assert.equal(local.result.model.revision, undefined);
  const progress = run.events.filter((event) => event.type === 'progress' && event.phase === 'download');
  assert.ok(progress.length > 3);
  assert.ok(run.events.indexOf(progress.at(-1)!) < run.events.findIndex(({ type }) => type === 'started'));

  const asked = hub.seen.length;
  assert.deepEqual((await checkExperiment(workspace.experiment)).problems, []);
  assert.equal(inspectModel('org/tiny').layers, 3);
  process.env.HF_HUB_OFFLINE = '1';
  await score(workspace.experiment);
  assert.equal(hub.seen.length, asked);
});

test('another commit under the same weights is another run: an interrupted one is not continued', async (t) => {
  const { workspace, files, hub } = await onHub(t);
  const abort = new AbortController();
  const stopped: string[] = [];
  await assert.rejects(
    score(workspace.experiment, {
      signal: abort.signal,
      checkpointSeconds: 0,
      onEvent: (event) => {
        if (event.type === 'started') stopped.push(event.resultFile);
        if (event.type === 'layers') abort.abort();
      },
    }),
    { code: 'cancelled' },
  );
  // Upstream moves, and the user takes the new state.
  hub.repos['org/tiny'].files = { ...files, 'README.md': 'new' };
  fs.rmSync(path.join(hub.cache, 'models--org--tiny', 'refs'), { recursive: true });
  const run = await score(workspace.experiment);
  const started = run.events.find((event) => event.type === 'started')!;
  assert.equal(started.type === 'started' && started.resumed, false);
  assert.notEqual(run.resultFile, stopped[0]);
});

const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => JSON.stringify({ text: `row ${from + i}` })).join('\n');

async function read(hub: FakeHub, yaml: string, dataset = 'set') {
  const folder = fs.mkdtempSync(path.join(hub.cache, 'work-'));
  const file = path.join(folder, 'layerif.yaml');
  fs.writeFileSync(file, yaml);
  const experiment = loadExperiment(file);
  await fetchDatasets(experiment, Object.keys(experiment.datasets), folder);
  const name = Object.hasOwn(experiment.datasets, dataset) ? dataset : Object.keys(experiment.datasets)[0];
  const splits = await datasetFiles(name, experiment.datasets[name], folder);
  const found = [...splits].map(([split, list]) => [
    split,
    list.map((entry) => /snapshots\/[0-9a-f]+\/(.*)$/.exec(entry.path)![1]),
  ]);
  return Object.fromEntries(found) as Record<string, string[]>;
}

const yamlOf = (dataset: string, task = '') =>
  `version: 1\nmodel: { path: m }\ndatasets:\n  set: ${dataset}\ntasks:\n  - { task: a, doc_to_text: text, doc_to_target: text${task} }\n`;

const README = `---
configs:
- config_name: main
  data_files:
  - split: train
    path: main/part-*.jsonl
  - split: test
    path: main/held.jsonl
- config_name: socratic
  data_dir: socratic
---
# A dataset`;

test('datasets: only the files of the subset and the splits that are read', async (t) => {
  const hub = await fakeHub(t, {
    'org/folders': {
      type: 'dataset',
      files: {
        'easy/train.jsonl': rows(0, 3),
        'easy/validation.jsonl': rows(3, 2),
        'easy/test.jsonl': rows(5, 2),
        'hard/train.jsonl': rows(9, 1),
        'dataset_infos.json': '{}',
        '.gitattributes': '',
      },
    },
    'org/configs': {
      type: 'dataset',
      files: {
        'README.md': README,
        'main/part-1.jsonl': rows(0, 2),
        'main/part-2.jsonl': rows(2, 2),
        'main/held.jsonl': rows(4, 1),
        'socratic/train.jsonl': rows(7, 1),
      },
    },
    'org/script': {
      type: 'dataset',
      files: { 'script.py': 'x' },
      branches: { 'refs/convert/parquet': { 'default/train/0000.parquet': 'p' } },
    },
    'org/nothing': { type: 'dataset', files: { 'script.py': 'x' } },
  });
  assert.deepEqual(await read(hub, yamlOf('{ path: org/folders, name: easy }')), {
    train: ['easy/train.jsonl'],
    validation: ['easy/validation.jsonl'],
  });
  assert.deepEqual(hub.downloads().sort(), ['train.jsonl', 'validation.jsonl']);
  const before = hub.seen.length;
  await read(hub, yamlOf('{ path: org/folders, name: easy }'));
  assert.equal(hub.seen.length, before);
  // Another experiment wants another split: only that comes.
  assert.deepEqual(Object.keys(await read(hub, yamlOf('{ path: org/folders, name: easy }', ', test_split: test'))), [
    'train',
    'validation',
    'test',
  ]);
  assert.deepEqual(hub.downloads().slice(2), ['test.jsonl']);

  assert.deepEqual(await read(hub, yamlOf('{ path: org/configs, name: main }', ', test_split: test')), {
    train: ['main/part-1.jsonl', 'main/part-2.jsonl'],
    test: ['main/held.jsonl'],
  });
  assert.deepEqual(await read(hub, yamlOf('{ path: org/configs, name: socratic }')), {
    train: ['socratic/train.jsonl'],
  });
  assert.deepEqual(
    await read(
      hub,
      yamlOf('{ path: org/configs, data_files: { train: "main/part-1.jsonl", validation: "*/held.jsonl" } }'),
    ),
    { train: ['main/part-1.jsonl'], validation: ['main/held.jsonl'] },
  );
  assert.deepEqual(await read(hub, yamlOf('{ path: org/script }')), { train: ['default/train/0000.parquet'] });
  assert.deepEqual(
    await read(
      hub,
      'version: 1\nmodel: { path: m }\ntasks:\n  - { task: a, dataset_path: org/configs, dataset_name: main, doc_to_text: text, doc_to_target: text }\n',
    ),
    { train: ['main/part-1.jsonl', 'main/part-2.jsonl'], test: ['main/held.jsonl'] },
  );

  const refused = (dataset: string, message: RegExp) =>
    assert.rejects(read(hub, yamlOf(dataset)), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'badData');
      assert.match(error.message, message);
      return true;
    });
  await refused('{ path: org/configs }', /^dataset "set": has several subsets; choose one with name: main, socratic$/);
  await refused(
    '{ path: org/configs, name: mian }',
    /has no subset "mian"; name is one of main, socratic \(did you mean "main"\?\)/,
  );
  await refused(
    '{ path: org/folders, name: esay }',
    /has no subset "esay"; folders in it: easy, hard \(did you mean "easy"\?\)/,
  );
  await refused('{ path: org/nothing }', /^dataset "set": "org\/nothing" holds no data file \(script\.py\)/);
  await refused('{ path: org/absent }', /^dataset org\/absent is neither a path nor on http/);
});

test('check of a dataset that is not there: an information in the editor, its size from the hub on the command line', async (t) => {
  const hub = await fakeHub(t, {
    'org/set': { type: 'dataset', files: { 'train.jsonl': rows(0, 400), 'test.jsonl': rows(0, 50) } },
  });
  const folder = fs.mkdtempSync(path.join(hub.cache, 'work-'));
  const file = path.join(folder, 'layerif.yaml');
  const { model } = tinyWorkspace(t);
  fs.writeFileSync(file, yamlOf('{ path: org/set }').replace('path: m', `path: ${model}`));
  const said = async (depth: 'quick' | 'full') =>
    (await checkExperiment(file, undefined, depth)).problems.map(({ severity, message, line }) => [
      severity,
      line,
      message,
    ]);
  assert.deepEqual(await said('quick'), [
    [
      'information',
      4,
      'dataset org/set is neither a path nor in the Hugging Face cache; score will download it from the hub',
    ],
  ]);
  assert.equal(hub.seen.length, 0);
  const dataset = loadExperiment(file).datasets.set;
  const missing = await missingDataset('set', dataset, new Set(['train', 'validation']), folder);
  assert.equal(missing!.bytes, Buffer.byteLength(rows(0, 400)));
  assert.match(String((await said('full'))[0][2]), /; score will download \d+ kB$/);
  await fetchDatasets(loadExperiment(file), ['set'], folder);
  assert.deepEqual(await said('full'), []);
});

test('scores of a hub id: layer drop, logit lens and probe are those of the same model in a folder', async (t) => {
  const workspace = tinyWorkspace(t, { train: 20 });
  const text = fs.readFileSync(workspace.experiment, 'utf8');
  const alone = `${text.slice(0, text.indexOf('score:'))}scores: [layer_drop, logit_lens, { probe: { pool: mean } }]\n`;
  fs.writeFileSync(workspace.experiment, alone);
  const local = await runExperiment({ file: workspace.experiment, machine });
  const hub = await fakeHub(t, { 'org/tiny': { files: filesOf(workspace.model) } });
  fs.writeFileSync(workspace.experiment, alone.replace(/path: .*model.*/, 'path: org/tiny'));
  const found = await runExperiment({ file: workspace.experiment, machine });
  assert.ok(hub.downloads().some((file) => file.includes('model.safetensors')));
  assert.equal(found.scores!.tables.length, 3);
  assert.deepEqual(found.scores!.tables, local.scores!.tables);
});
