/**
 * Answers for the page tests. Allocations come from the real rules over the SYNTHETIC scores of `sampleResult.ts`;
 * intervals, sweeps and validations are seeded numbers in the shape of real ones.
 */
import type { Allocation } from '../../protocol/allocation.ts';
import type { GradientCheckReport } from '../../protocol/check.ts';
import type {
  AllocateAnswer,
  AllocationChoicesAnswer,
  CompareEstimatorsAnswer,
  RescoreAnswer,
  SweepAnswer,
} from '../../protocol/lsp.ts';
import type { Result } from '../../protocol/result.ts';
import type { AgreementRow, ValidationResult } from '../../protocol/validation.ts';
import type { FromWebview, Questions, Trust } from '../../protocol/webview.ts';
import { LayerifError } from '../../protocol/errors.ts';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { withSpread } from '../../server/src/run/decide/spread.ts';
import { allocationChoices } from '../../server/src/run/inputs/lists.ts';
import { random } from './sampleResult.ts';
import type { OpenPage } from './page.ts';

/** The same result with intervals; layers in `unstable` range over most ranks. */
export function withIntervals(result: Result, unstable: readonly number[] = []): Result {
  const copy = structuredClone(result);
  for (const task of copy.tasks) {
    const order = [...task.layers].sort((a, b) => b.score - a.score);
    for (const layer of task.layers) {
      const rank = order.indexOf(layer) + 1;
      const moves = unstable.includes(layer.index);
      layer.interval = [layer.score * (moves ? 0.3 : 0.8), layer.score * (moves ? 1.9 : 1.25)];
      layer.rankInterval = moves
        ? [1, task.layers.length]
        : [Math.max(1, rank - 1), Math.min(task.layers.length, rank + 1)];
      layer.unstable = moves;
    }
    task.uncertainty = {
      level: 0.9,
      replicates: 200,
      seed: 0,
      curvature: 'resampled',
      halves: { splits: 10, median: 0.81, low: 0.64, high: 0.92 },
      unstable: unstable.length,
    };
  }
  return copy;
}

/** Sizes of SmolLM2-135M's modules, in layers as many as the result has. */
function inputOf(result: Result, scores: readonly number[]) {
  const sizes: Record<string, [number, number]> = { 'mlp.down_proj': [576, 1536], 'self_attn.k_proj': [192, 576] };
  const layers = result.tasks[0].layers.map(({ index, name }) => ({
    index,
    name,
    modules: result.model.modules.map((module) => {
      const [rows, columns] = sizes[module] ?? [576, 576];
      return { name: module, rows, columns };
    }),
  }));
  return { layers, values: scores };
}

export function allocation(result: Result, { tasks, ...request }: Questions['allocate']['params']): AllocateAnswer {
  const used = tasks ?? result.tasks.map(({ task }) => task);
  const task = result.tasks.find((own) => own.task === used[0])!;
  try {
    if (request.rule === 'owl') throw new LayerifError('badRequest', 'rule owl looks at activations');
    const scores = task.layers.map(({ score }) => score);
    const input = inputOf(result, scores);
    const bare = allocate(request, input);
    // The scores of a few data sets that one might have drawn.
    const drawn = [-2, -1, 0, 1, 2].map((draw) => scores.map((score, l) => score * (1 + 0.1 * draw * (l % 3))));
    const made: Allocation = {
      format: 'layerif-allocation',
      version: 1,
      ...bare,
      ...withSpread(bare, request, input.layers, drawn),
      provenance: {
        layerif: '0.1.0',
        date: JSON.stringify(request),
        resultFile: '',
        model: { name: result.model.name, sha256: result.model.sha256 },
        tasks: used,
        estimator: 'datainf',
        aggregation: 'positive',
      },
    };
    return { allocation: made, file: null, error: null };
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    const missing = request.rule === 'owl' ? { missing: [{ id: 'owl', options: {} }] } : {};
    return { allocation: null, file: null, error: { code: error.code, message: error.message }, ...missing };
  }
}

/** Scores that move away from the run's own with the damping factor. */
export function sweep(result: Result): SweepAnswer {
  const factors = [0.001, 0.01, 0.1, 1, 10, 100, 1000];
  const spearman = [0.97, 0.99, 1, 0.98, 0.93, 0.71, 0.55];
  return {
    error: null,
    tasks: result.tasks.map(({ task, layers }, t) => ({
      task,
      estimator: 'datainf',
      aggregation: 'positive',
      rule: 'mean_square',
      factor: 0.1,
      layers: layers.map(({ index, name }) => ({ index, name })),
      steps: factors.map((factor, i) => ({
        factor,
        scores: layers.map(({ score }, l) => score * (1 + 0.4 * (1 - spearman[i]) * ((l % 3) - 1))),
        error: null,
        toDefault: { spearman: spearman[i] - 0.03 * t * Number(i !== 2), kendall: null },
        toNext: null,
      })),
    })),
  };
}

/** Two estimators beside the run's own; one more would take long. */
export function estimators({ tasks, score: { estimator } }: Result): CompareEstimatorsAnswer {
  const values = [0.4, 0.55, -0.2];
  const ids = [estimator, 'fisher', 'dot'] as const;
  const pair = (a: number, b: number, value: number) => ({
    a,
    b,
    spearman: { value, interval: [value - 0.2, value + 0.2] as [number, number], p: 0.01 },
    kendall: { value: null, interval: null, p: null },
    topK: { k: 3, shared: 1, overlap: 1 / 3, chance: 0.25, p: 0.4 },
    samples: null,
  });
  return {
    error: null,
    tasks: tasks.map(({ task, layers }) => ({
      task,
      left: ['lissa'],
      comparison: {
        format: 'layerif-comparison',
        version: 1,
        series: ids.map((id) => ({
          label: id,
          file: '',
          model: '',
          task,
          estimator: id,
          aggregation: 'positive',
          layers: layers.map(({ index }) => index),
          scores: layers.map(({ score }) => score),
          replicates: 200,
        })),
        runs: [],
        settings: [],
        layers: layers.length,
        byDepth: false,
        level: 0.9,
        seed: 0,
        pairs: [pair(0, 1, values[0]), pair(0, 2, values[1]), pair(1, 2, values[2])],
        matrix: [],
        notes: [],
      },
    })),
  };
}

/** Layers in the opposite order of height, so that a view that took them over is seen. */
export function rescored(result: Result, { aggregation = 'positive' }: Questions['rescore']['params']): RescoreAnswer {
  return {
    error: null,
    tasks: result.tasks.map(({ task, layers, influence }) => ({
      task,
      influence: [...influence].reverse(),
      layers: layers.map((layer, i) => {
        const other = layers[layers.length - 1 - i];
        const { positive, top25, sum, modules } = other;
        return { index: layer.index, name: layer.name, score: other[aggregation], positive, top25, sum, modules };
      }),
    })),
  };
}

export const choices: AllocationChoicesAnswer = allocationChoices();

/** What was answered, per opening of a page. */
const answered = new WeakMap<OpenPage['sent'], Set<number>>();

/** Answers every question that was not answered before, as the extension would; null answers nothing. */
export async function answerAll({ sent, post, page }: OpenPage, result: Result): Promise<void> {
  const done = answered.get(sent) ?? new Set();
  answered.set(sent, done);
  // A page asks baselines one after the other.
  for (let quiet = 0; quiet < 8;) {
    const asks = (await sent()).filter((m): m is FromWebview & { type: 'ask' } => m.type === 'ask');
    const open = asks.filter(({ requestId }) => !done.has(requestId));
    quiet = open.length === 0 ? quiet + 1 : 0;
    for (const ask of open) {
      done.add(ask.requestId);
      await post({ type: 'answer', requestId: ask.requestId, answer: answerTo(ask, result), failure: null });
    }
    await page.waitForTimeout(60);
  }
}

function answerTo(ask: FromWebview & { type: 'ask' }, result: Result): unknown {
  switch (ask.what) {
    case 'allocate':
      return allocation(result, ask.params);
    case 'allocationChoices':
      return choices;
    case 'rescore':
      return rescored(result, ask.params);
    case 'sweepDamping':
      return sweep(result);
    case 'compareEstimators':
      return estimators(result);
    case 'export':
      return { text: 'x', file: '/workspace/x', notes: [], error: null };
    case 'measureScores':
      return { scoresFile: '/workspace/x.layerif-scores.json', error: null };
    case 'modelHeader':
    case 'rowTokens':
    case 'tokenInfluence':
    case 'selectRows':
    case 'rowsWithout':
    case 'inspectModel': // asked by pages of their own, whose tests answer with the real reader
    case 'predict':
    case 'analyse':
    case 'tableColumns':
      throw new Error(`${ask.what} is not asked in these tests`);
  }
}

export const check: GradientCheckReport = {
  format: 'layerif-gradient-check',
  version: 1,
  file: '/workspace/examples/reviews.layerif.yaml',
  model: 'SmolLM2-135M-Instruct',
  device: 'cpu',
  task: 'sentiment',
  samples: 4,
  tokens: 160,
  layers: [0, 14, 29],
  checks: [
    {
      id: 'padded',
      title: 'a sample padded = the sample alone',
      value: 3.1e-7,
      limit: 1e-5,
      passed: true,
      sentence: 'Padding changes losses by 3.1e-7 at most: rounding, without effect on scores.',
    },
    {
      id: 'batched',
      title: 'samples in one batch = each alone',
      value: null,
      limit: 1e-5,
      passed: null,
      sentence: 'Does not apply.',
    },
    {
      id: 'along_random',
      title: 'loss along a random direction',
      value: 0.12,
      limit: 0.05,
      passed: false,
      sentence: 'Moving the weights does not change the loss as the gradient says.',
    },
  ],
  passed: false,
  seconds: 12.3,
};

export function validation(result: Result): ValidationResult {
  const next = random(5);
  const row = (predictor: string, value: number, control = false): AgreementRow => ({
    predictor,
    point: control ? null : 'start',
    control,
    value,
    interval: [value - 0.1 - 0.05 * next(), value + 0.1 + 0.05 * next()],
    overDot: control || predictor === 'dot' ? null : { difference: value - 0.31, interval: [value - 0.5, value - 0.2] },
  });
  return {
    format: 'layerif-validation',
    version: 1,
    status: 'complete',
    experiment: result.experiment,
    experimentFile: result.experimentFile,
    task: result.tasks[0].task,
    model: { name: result.model.name, family: 'llama', layers: result.model.layers, sha256: result.model.sha256 },
    settings: {} as ValidationResult['settings'],
    layers: [28, 29],
    modules: result.model.modules,
    samples: { train: 60, validation: 20 },
    protocols: [
      {
        protocol: 'lds',
        title: 'Linear datamodelling score',
        how: '20 random halves, each trained with 3 seeds.',
        measures: [
          {
            name: 'LDS',
            chance: 0,
            rows: [
              row('datainf', 0.3),
              row('fisher', 0.28),
              row('dot', 0.31),
              row('random', 0.02, true),
              row('uniform', 0, true),
            ],
          },
        ],
        verdict: [
          'LDS, start gradients: the best estimator is datainf with 0.30 [0.18, 0.42]. It does not beat gradient dot, dot with 0.31, beyond chance (difference −0.01 [−0.20, +0.10]).',
        ],
        seconds: 300,
      },
      {
        protocol: 'mislabel',
        title: 'Mislabel detection',
        how: '20 % of the labels were changed.',
        measures: [
          {
            name: 'AUC by self-influence',
            chance: 0.5,
            rows: [row('datainf', 0.84), row('dot', 0.7), row('random', 0.49, true)],
          },
        ],
        recall: {
          shares: [0, 0.1, 0.2, 0.4, 0.6, 0.8, 1],
          rows: [
            { predictor: 'datainf', point: 'start', by: 'self-influence', recall: [0, 0.4, 0.7, 0.85, 0.95, 1, 1] },
            { predictor: 'random', point: null, by: 'order', recall: [0, 0.1, 0.2, 0.4, 0.6, 0.8, 1] },
          ],
        },
        verdict: [
          'AUC by self-influence, start gradients: the best estimator is datainf with 0.84. It beats gradient dot, dot with 0.70 (difference +0.14 [+0.04, +0.25]).',
        ],
        seconds: 100,
      },
    ],
    skipped: [{ protocol: 'retrieval', reason: 'the texts are longer than max_length' }],
    provenance: {
      layerif: '0.1.0',
      onnxruntime: '1.30.0',
      device: 'cpu',
      threads: 2,
      date: '2026-11-20T12:00:00Z',
      seconds: 400,
      dataSha256: { 'reviews.jsonl': 'ab'.repeat(32) },
      retrainings: 120,
      seed: 0,
    },
  };
}

export const trust = (result: Result): Trust => ({
  check: { report: check, date: '2026-11-21T09:00:00Z' },
  validation: { result: validation(result), file: '/workspace/runs/x.layerif-validation.json' },
  fault: null,
  busy: null,
});
