import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { ExperimentError, loadExperiment, parseExperiment } from '../../server/src/config/experiment.ts';
import { full, small } from './files.ts';

function resolved(text: string) {
  const { experiment, problems } = parseExperiment(text, 'x.layerif.yaml');
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return experiment!;
}

test('a small file gets the defaults of the contract', () => {
  assert.deepEqual(resolved(small), {
    version: 1,
    model: { path: './models/tiny', max_length: 128 },
    datasets: { reviews: { path: 'data/reviews.jsonl' } },
    tasks: [
      {
        task: 'sentiment',
        dataset: 'reviews',
        training_split: 'train[:300]',
        doc_to_text: 'Review: {{text}}\nSentiment:',
        doc_to_target: 'label',
        doc_to_choice: ['negative', 'positive'],
        target_delimiter: ' ',
        fewshot_delimiter: '\n\n',
        output_type: 'multiple_choice',
        num_fewshot: 0,
      },
    ],
    score: {
      estimator: 'datainf',
      damping: { rule: 'mean_square', factor: 0.1 },
      loss: 'all',
      aggregation: 'positive',
      modules: ['*'],
      layers: 'all',
      projection: 'auto',
      params: 'base',
      seed: 0,
    },
    output_dir: 'runs',
  });
});

test('a full file keeps every word', () => {
  const experiment = resolved(full);
  assert.deepEqual(experiment.model, {
    path: './models/tiny',
    revision: 'main',
    adapter: './adapters/reviews',
    max_length: 64,
    layers_pattern: 'encoder.layer.{}',
  });
  assert.deepEqual(experiment.datasets, {
    reviews: {
      path: 'data/reviews.jsonl',
      ds_type: 'json',
      split_column: 'part',
      field_mapping: { text: 'review', label: 'sentiment' },
    },
    capitals: { data_files: { train: 'data/a.csv', validation: ['data/b.csv', 'data/c.csv'] } },
  });
  assert.equal(experiment.tasks[0].num_fewshot, 2);
  assert.equal(experiment.tasks[0].validation_split, 'train[300:350]');
  assert.equal(experiment.tasks[1].output_type, 'generate_until');
  assert.deepEqual(experiment.score, {
    estimator: 'fisher',
    damping: { rule: 'absolute', factor: 0.01 },
    loss: 'target',
    aggregation: 'top25',
    modules: ['mlp.*'],
    layers: [2, 3, 4],
    projection: 'none',
    params: 'base',
    seed: 7,
  });
  assert.deepEqual(experiment.allocate, {
    experts: { total: 160, beta: 3 },
    rank: { total: 240 },
    sparsity: { ratio: 0.5, epsilon: 0.3 },
  });
  assert.deepEqual(experiment.prune, {
    method: 'wanda',
    calibration: { dataset: 'reviews', split: 'train[:128]', max_length: 2048 },
  });
  assert.equal(experiment.output_dir, 'out');
});

test('the fisher of ekfac: true by default and in both spellings, absent for the others', () => {
  const fisher = (lines: string) => resolved(`${small}score:\n${lines}`).score.fisher;
  assert.equal(fisher('  estimator: ekfac\n'), 'true');
  assert.equal(fisher('  estimator: ekfac\n  fisher: true\n'), 'true');
  assert.equal(fisher('  estimator: ekfac\n  fisher: "true"\n'), 'true');
  assert.equal(fisher('  estimator: ekfac\n  fisher: empirical\n'), 'empirical');
  assert.equal(fisher('  estimator: dot\n'), undefined);
});

test('JSON is YAML', () => {
  assert.deepEqual(resolved(JSON.stringify(resolvedInput)), resolved(small));
});
const resolvedInput = {
  version: 1,
  model: { path: './models/tiny' },
  datasets: { reviews: { path: 'data/reviews.jsonl' } },
  tasks: [
    {
      task: 'sentiment',
      doc_to_text: 'Review: {{text}}\nSentiment:',
      doc_to_target: 'label',
      doc_to_choice: ['negative', 'positive'],
    },
  ],
};

const words: { name: string; text: string; get: (e: ReturnType<typeof resolved>) => unknown; value: unknown }[] = [
  {
    name: 'sequence_len',
    text: small.replace('  path: ./models/tiny', '  path: m\n  sequence_len: 32'),
    get: (e) => e.model.max_length,
    value: 32,
  },
  {
    name: 'cutoff_len',
    text: small.replace('  path: ./models/tiny', '  path: m\n  cutoff_len: 33'),
    get: (e) => e.model.max_length,
    value: 33,
  },
  {
    name: 'damping_factor',
    text: `${small}score: { damping_factor: 2 }`,
    get: (e) => e.score.damping,
    value: { rule: 'mean_square', factor: 2 },
  },
  {
    name: 'damping with a factor alone',
    text: `${small}score: { damping: { factor: 2 } }`,
    get: (e) => e.score.damping,
    value: { rule: 'mean_square', factor: 2 },
  },
  {
    name: 'a range of layers',
    text: `${small}score: { layers: "8-15" }`,
    get: (e) => e.score.layers,
    value: [8, 9, 10, 11, 12, 13, 14, 15],
  },
  {
    name: 'a range of one layer',
    text: `${small}score: { layers: " 3 - 3 " }`,
    get: (e) => e.score.layers,
    value: [3],
  },
  {
    name: 'a list of layers is sorted, without repeats',
    text: `${small}score: { layers: [7, 0, 7] }`,
    get: (e) => e.score.layers,
    value: [0, 7],
  },
  {
    name: 'a range of layers that are trained',
    text: `${small}train: { layers: "8-10" }`,
    get: (e) => e.train!.layers,
    value: [8, 9, 10],
  },
  {
    name: 'a list of layers that are trained',
    text: `${small}train: { layers: [7, 0, 7] }`,
    get: (e) => e.train!.layers,
    value: [0, 7],
  },
  { name: 'a projection of 64', text: `${small}score: { projection: 64 }`, get: (e) => e.score.projection, value: 64 },
  {
    name: 'choices that are numbers',
    text: small.replace('[negative, positive]', '[1, 2.5]'),
    get: (e) => e.tasks[0].doc_to_choice,
    value: ['1', '2.5'],
  },
  {
    name: 'a target that is an index',
    text: small.replace('doc_to_target: label', 'doc_to_target: 0'),
    get: (e) => e.tasks[0].doc_to_target,
    value: 0,
  },
  {
    name: 'a list of files is split train',
    text: small.replace('path: data/reviews.jsonl', 'data_files: [a.csv, b.csv]'),
    get: (e) => e.datasets.reviews,
    value: { data_files: { train: ['a.csv', 'b.csv'] } },
  },
  {
    name: 'text alone is rolling',
    text: small.replace(/ {4}doc_to_target: label\n {4}doc_to_choice: .*\n/, ''),
    get: (e) => e.tasks[0].output_type,
    value: 'loglikelihood_rolling',
  },
  {
    name: 'anchors and merge keys',
    text: `${small.replace('  - task: sentiment', '  - &base\n    task: sentiment')}  - <<: *base\n    task: other\n`,
    get: (e) => e.tasks.map((t) => [t.task, t.doc_to_target]),
    value: [
      ['sentiment', 'label'],
      ['other', 'label'],
    ],
  },
];
for (const { name, text, get, value } of words) {
  test(`understands ${name}`, () => assert.deepEqual(get(resolved(text)), value));
}

test('places are those of the text, climbing to the parent where a key is missing', () => {
  const { positions } = parseExperiment(small, 'x.layerif.yaml');
  const place = ({ line, column, endColumn }: { line: number; column: number; endColumn: number }) => [
    line,
    column,
    endColumn,
  ];
  assert.deepEqual(place(positions.key(['datasets', 'reviews'])), [5, 3, 10]);
  assert.deepEqual(place(positions.value(['datasets', 'reviews', 'path'])), [6, 11, 29]);
  assert.deepEqual(place(positions.key(['tasks', 0])), [8, 5, 9]);
  assert.deepEqual(place(positions.key(['score', 'estimator'])), [1, 1, 8]);
  assert.deepEqual(place(positions.key(['model', 'revision'])), [2, 1, 6]);
  assert.equal(positions.has(['model', 'revision']), false);
});

test('columns count UTF-16 units and lines survive CRLF', () => {
  const text = small
    .replace('version: 1\n', 'version: 1\ndescription: "🌱 é"   \n')
    .replace('label', '"😀😀" x')
    .replaceAll('\n', '\r\n');
  const { problems } = parseExperiment(text, 'x.layerif.yaml');
  assert.equal(problems[0].line, 11);
  assert.equal(problems[0].column, text.split('\r\n')[10].indexOf(' x') + 2);
});

test('loadExperiment reads from disk and throws the first error with its place and all problems', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-config-'));
  try {
    const good = path.join(folder, 'good.layerif.yaml');
    fs.writeFileSync(good, `\uFEFF${small}`);
    assert.deepEqual(loadExperiment(good), resolved(small));

    const bad = path.join(folder, 'bad.layerif.yaml');
    fs.writeFileSync(bad, small.replace('path: ./models/tiny', 'path: 3').replace('sentiment', '""'));
    assert.throws(
      () => loadExperiment(bad),
      (error) => {
        assert.ok(error instanceof ExperimentError);
        assert.equal(error.code, 'badExperiment');
        assert.deepEqual(error.place, { file: bad, line: 3, column: 9 });
        assert.equal(error.problems.length, 2);
        return true;
      },
    );
    const absent = path.join(folder, 'absent.layerif.yaml');
    assert.throws(
      () => loadExperiment(absent),
      (error) =>
        error instanceof LayerifError &&
        error.code === 'badExperiment' &&
        error.message.includes('there is no such file'),
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
