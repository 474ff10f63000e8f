/**
 * SYNTHETIC results for the page tests: seeded random numbers in the shape of a real run. Nothing here was computed by
 * a model, and nothing outside the tests may use it.
 */
import type { Experiment } from '../../protocol/experiment.ts';
import type { Result, ResultLayer, ResultSamples, ResultTask } from '../../protocol/result.ts';

export interface Shape {
  layers: number;
  tasks: string[];
  train: number;
  validation: number;
  seed?: number;
  /** Layers that are finished, counted from the last one, as in a live run; default: all. */
  finished?: number;
  modelName?: string;
  modules?: string[];
}

const llamaModules = [
  'self_attn.q_proj',
  'self_attn.k_proj',
  'self_attn.v_proj',
  'self_attn.o_proj',
  'mlp.gate_proj',
  'mlp.up_proj',
  'mlp.down_proj',
];

/** mulberry32: 0..1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function sampleResult(shape: Shape): Result {
  const { layers, tasks, train, validation, seed = 1, finished = layers } = shape;
  const modules = shape.modules ?? llamaModules;
  const experiment: Experiment = {
    version: 1,
    description: 'Synthetic numbers for a page test.',
    model: { path: './models/SmolLM2-135M-Instruct', max_length: 128 },
    datasets: Object.fromEntries(tasks.map((task) => [`${task}-data`, { path: `data/${task}.jsonl` }])),
    tasks: tasks.map((task) => ({
      task,
      dataset: `${task}-data`,
      training_split: `train[:${train}]`,
      validation_split: `train[${train}:${train + validation}]`,
      target_delimiter: ' ',
      fewshot_delimiter: '\n\n',
      output_type: 'multiple_choice',
      num_fewshot: 0,
    })),
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
  };
  return {
    format: 'layerif-result',
    version: 1,
    status: finished < layers ? 'partial' : 'complete',
    experiment,
    experimentFile: '/workspace/examples/reviews.layerif.yaml',
    model: {
      name: shape.modelName ?? 'SmolLM2-135M-Instruct',
      family: 'llama',
      layers,
      parameters: 134_515_008,
      scoredParameters: 106_168_320,
      modules,
      coverage: 1,
      sha256: 'a'.repeat(64),
    },
    score: { estimator: 'datainf', sign: 'positive_is_helpful', projection: null },
    tasks: tasks.map((task, t) =>
      sampleTask({ task, t, layers, finished, train, validation, modules, seed: seed * 101 + t }),
    ),
    provenance: {
      layerif: '0.1.0',
      onnxruntime: '1.30.0',
      device: 'cpu',
      threads: 2,
      date: '2026-11-20T10:15:00Z',
      seconds: { load: 1.4, forward: 21.7, backward: 74.2, total: 98.6 },
      peakMemoryBytes: 1.9 * 2 ** 30,
      dataSha256: Object.fromEntries(tasks.map((task, t) => [`data/${task}.jsonl`, String(t).repeat(64)])),
      seed: 0,
    },
  };
}

function sampleTask(of: {
  task: string;
  t: number;
  layers: number;
  finished: number;
  train: number;
  validation: number;
  modules: string[];
  seed: number;
}): ResultTask {
  const next = random(of.seed);
  /** Roughly normal with heavy tails, as influences are. */
  const heavy = () => {
    const normal = next() + next() + next() + next() - 2;
    return normal * Math.exp(2.2 * next());
  };
  const quality = Array.from({ length: of.train }, () => heavy());
  const peak = of.layers * (0.2 + 0.6 * next());
  const layers: ResultLayer[] = [];
  const influence: number[][] = [];
  for (let index = of.layers - of.finished; index < of.layers; index++) {
    const height = 2e5 * (0.08 + Math.exp(-(((index - peak) / (of.layers * 0.16)) ** 2))) * (0.75 + 0.5 * next());
    const row = quality.map((q) => height * (0.6 * q + heavy() + 0.15));
    influence.push(row);
    const positive = row.filter((value) => value > 0).sort((a, b) => b - a);
    const weights = of.modules.map(() => 0.2 + next());
    const total = weights.reduce((a, b) => a + b, 0);
    const score = sum(positive);
    layers.push({
      index,
      name: `model.layers.${index}`,
      score,
      positive: score,
      top25: sum(positive.slice(0, Math.ceil(positive.length / 4))),
      sum: sum(row),
      modules: Object.fromEntries(of.modules.map((name, m) => [name, { score: (score * weights[m]) / total }])),
    });
  }
  return {
    task: of.task,
    train: sampleSplit(of.task, of.train, 0, influence.length, next),
    validation: sampleSplit(of.task, of.validation, of.train, influence.length, next),
    damping: layers.map(() => of.modules.map(() => 0.1)),
    influence,
    layers,
  };
}

function sampleSplit(task: string, count: number, first: number, layers: number, next: () => number): ResultSamples {
  const rows = Array.from({ length: count }, (_, i) => {
    const tokens = 12 + Math.floor(116 * next() ** 0.7);
    return { file: `data/${task}.jsonl`, row: first + i, line: first + i + 1, tokens, truncated: tokens >= 122 };
  });
  return {
    samples: count,
    tokens: sum(rows.map((row) => row.tokens)),
    truncated: rows.filter((row) => row.truncated).length,
    rows,
    loss: rows.map(() => 1.2 + 3 * next()),
    gradientSquaredNorm: Array.from({ length: layers }, () => rows.map(() => next())),
  };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A text for a synthetic row; the first is long, so that clamping shows. */
export function sampleText(task: string, index: number): string {
  const openings = [
    'The plot takes its time, but',
    'I wanted to like this and',
    'A small film that',
    'Nobody expected it, yet',
    'Great cast, however',
  ];
  const middles = [
    'the last act pays for everything before it',
    'it never finds out what it wants to be',
    'every scene earns its place',
    'the jokes land one beat too late',
  ];
  const text = `Review: ${openings[index % 5]} ${middles[(index * 7) % 4]}, and the camera knows exactly where to look.\nSentiment: ${index % 2 ? 'positive' : 'negative'}`;
  return index % 3 === 0 ? `${text}\n${task}: ${'a longer row goes on and on, '.repeat(12)}` : text;
}
