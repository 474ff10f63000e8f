import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimateReport, methodLines, planLine, scoreReport } from '../../server/src/cli/report.ts';
import type { Result, ResultTask } from '../../protocol/result.ts';
import type { Estimate } from '../../protocol/run.ts';
import { assertGolden } from '../golden/golden.ts';

const influence = [
  [4, -1, 0.5, 2],
  [40, -10, 5, -20],
  [0, 0, 0, 0],
];

function task(name: string): ResultTask {
  const samples = (count: number, file: string, lined: boolean, truncated: number) => ({
    samples: count,
    tokens: 64 * count,
    truncated,
    rows: Array.from({ length: count }, (_, row) => ({
      file,
      row,
      line: lined ? row + 1 : null,
      tokens: 64,
      truncated: false,
    })),
    loss: Array.from({ length: count }, () => 3.2),
    gradientSquaredNorm: influence.map(() => Array.from({ length: count }, () => 1)),
  });
  return {
    task: name,
    train: samples(4, 'data/reviews.jsonl', name === 'sentiment', 1),
    validation: samples(2, 'data/reviews.jsonl', true, 0),
    damping: influence.map(() => [0.001]),
    influence,
    layers: influence.map((values, row) => {
      const positive = values.reduce((sum, value) => sum + Math.max(0, value), 0);
      const base = { score: positive, positive, top25: Math.max(0, ...values), sum: values.reduce((a, b) => a + b, 0) };
      const zeroGradient = row === 2 ? ['mlp.up_proj'] : undefined;
      return {
        index: row + 3,
        name: `model.layers.${row + 3}`,
        ...base,
        modules: { 'mlp.up_proj': { score: positive } },
        zeroGradient,
      };
    }),
  };
}

const result: Result = {
  format: 'layerif-result',
  version: 1,
  status: 'complete',
  experiment: {
    version: 1,
    model: { path: 'models/tiny', max_length: 64 },
    datasets: { reviews: { path: 'data/reviews.jsonl' } },
    tasks: [],
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
  },
  experimentFile: '/home/u/reviews.layerif.yaml',
  model: {
    name: 'tiny',
    family: 'llama',
    layers: 6,
    parameters: 134515008,
    scoredParameters: 106168320,
    modules: ['mlp.up_proj'],
    coverage: 1,
    sha256: 'a'.repeat(64),
  },
  score: { estimator: 'datainf', sign: 'positive_is_helpful', projection: null },
  tasks: [task('sentiment'), task('parquet rows')],
  provenance: {
    layerif: '0.1.0',
    onnxruntime: '1.30.0',
    device: 'cpu',
    threads: 2,
    date: '2026-01-01T00:00:00Z',
    seconds: { load: 2.5, forward: 20, backward: 61, total: 84 },
    peakMemoryBytes: 1.9 * 2 ** 30,
    dataSha256: {},
    seed: 0,
  },
};

const estimate: Estimate = {
  model: { name: 'tiny', family: 'llama', layers: 6, parameters: 134515008, scoredParameters: 106168320, coverage: 1 },
  tasks: [
    { task: 'sentiment', train: 300, validation: 50, tokens: 22400, truncated: 3, seconds: 260 },
    { task: 'capitals', train: 16, validation: 4, tokens: 1280, truncated: 0, seconds: 9 },
  ],
  plan: {
    weights: 'resident',
    boundaries: 'memory',
    projection: null,
    segmentLength: 6,
    tokensPerBatch: 1024,
    gradientTile: 1e7,
    why: 'everything fits',
  },
  device: 'cpu',
  threads: 2,
  flopsPerSecond: 9.5e10,
  seconds: 269,
  memoryBytes: 2.1 * 2 ** 30,
  memoryLimitBytes: 17.5 * 2 ** 30,
  memoryParts: { weights: 0.5 * 2 ** 30, captures: 1.6 * 2 ** 30 },
  diskBytes: 151 * 2 ** 20,
  diskFreeBytes: 40 * 2 ** 30,
  refusal: 'it needs 2.1 GiB, 1.0 GiB are allowed; lower train to 150',
  warnings: ['column "split" is not used'],
};

const texts = new Map([
  [
    'sentiment',
    new Map([
      [0, 'Review: short\nSentiment: positive'],
      [3, `Review: ${'a long text that goes on '.repeat(5)}`],
    ]),
  ],
]);

test('report: a result of two tasks', () => {
  assertGolden(
    'cli/score-report.txt',
    scoreReport(result, '/home/u/runs/reviews/x/reviews.layerif-result.json', texts, { width: 80, baseDir: '/home' }),
  );
});

test('report: an estimate that does not fit, and the line before a run', () => {
  assertGolden('cli/estimate-report.txt', `${estimateReport(estimate)}\n${planLine(estimate)}\n`);
});

test('a report says which Fisher and that gradients were projected', () => {
  const lines = (score: Partial<Result['score']>) =>
    methodLines({ score: { projection: null, ...score }, provenance: { seed: 7 } } as Result);
  assert.deepEqual(lines({}), []);
  assert.deepEqual(lines({ fisher: 'empirical' }), ['EK-FAC with the empirical Fisher (labels of the texts).']);
  const error = {
    task: 'reviews',
    train: 8,
    validation: 2,
    estimator: 'datainf' as const,
    spearman: 0.9626,
    gramError: 0.18,
    largestGramError: 0.6,
  };
  assert.deepEqual(lines({ fisher: 'true', projection: { rank: 64, seed: 7, error: [error] } }), [
    'EK-FAC with the true Fisher (labels drawn from the model, seed 7).',
    'Gradients are projected to 64 numbers a side (seed 7), so scores are approximate.',
    'Exact beside projected on 8 train × 2 validation samples of reviews: rank correlation of the layers 0.96 (datainf); inner products off by 18.0 % in the median matrix, 60.0 % in the worst.',
  ]);
});
