/** Schema of `NAME.layerif-result.json`. Beside the types of fields it holds the lists to each other's lengths. */
import * as z from 'zod/mini';
import type { Result, ResultLayer, ResultModel, ResultProjection, ResultSamples, ResultTask } from '../result.ts';
import { experiment } from './experiment.ts';
import {
  by,
  estimator,
  count,
  counts,
  flag,
  gaps,
  id,
  many,
  matrix,
  number,
  numbers,
  provenance,
  status,
  text,
  texts,
} from './parts.ts';
import type { Schema } from './parts.ts';

const pair = z.tuple([number, number]);

const model: Schema<ResultModel> = z.object({
  name: text,
  family: text,
  layers: count,
  parameters: number,
  scoredParameters: number,
  modules: texts,
  coverage: number,
  sha256: text,
  notes: z.optional(texts),
  revision: z.optional(text),
});

const samples: Schema<ResultSamples> = z
  .object({
    samples: count,
    tokens: number,
    truncated: number,
    rows: many(z.object({ file: text, row: count, line: z.nullable(number), tokens: number, truncated: flag })),
    loss: numbers,
    gradientSquaredNorm: matrix,
  })
  .check(({ value, issues }) => {
    const expect = (path: string[], got: number) => {
      if (got !== value.samples && got !== 0)
        issues.push({ code: 'custom', input: value, path, message: `has ${got} entries for ${value.samples} samples` });
    };
    if (value.rows.length === 0 && value.samples > 0)
      issues.push({ code: 'custom', input: value, path: ['rows'], message: `is empty for ${value.samples} samples` });
    expect(['rows'], value.rows.length);
    expect(['loss'], value.loss.length);
  });

const layer: Schema<ResultLayer> = z.object({
  index: count,
  name: text,
  score: number,
  positive: number,
  top25: number,
  sum: number,
  modules: by(z.object({ score: number })),
  zeroGradient: z.optional(texts),
  convergence: z.optional(z.object({ module: text, iterations: number, residual: number, converged: flag })),
  interval: z.optional(pair),
  rankInterval: z.optional(pair),
  unstable: z.optional(flag),
});

const task: Schema<ResultTask> = z
  .object({
    task: text,
    train: samples,
    validation: samples,
    damping: many(gaps),
    influence: matrix,
    layers: many(layer),
    uncertainty: z.optional(
      z.object({
        level: number,
        replicates: number,
        seed: number,
        curvature: id<NonNullable<ResultTask['uncertainty']>['curvature']>(),
        halves: z.nullable(z.object({ splits: number, median: number, low: number, high: number })),
        unstable: number,
        samplesFactor: z.optional(z.nullable(number)),
        of: z.optional(z.object({ train: number, validation: number })),
      }),
    ),
    until: z.optional(
      z.object({
        rankInterval: number,
        rows: number,
        planned: count,
        looks: many(z.object({ train: count, validation: count, open: count })),
        ended: z.nullable(id<NonNullable<NonNullable<ResultTask['until']>['ended']>>()),
      }),
    ),
    subsample: z.optional(z.object({ train: counts, validation: counts })),
    checkpoints: z.optional(
      z.array(z.object({ path: text, learningRate: number, sha256: text, trainLoss: number, validationLoss: number })),
    ),
  })
  .check(({ value, issues }) => {
    const wrong = (path: (string | number)[], message: string) =>
      issues.push({ code: 'custom', input: value, path, message });
    const layers = value.layers.length;
    if (value.influence.length !== layers)
      wrong(['influence'], `has ${value.influence.length} rows for ${layers} layers`);
    value.influence.forEach((row, at) => {
      if (row.length !== value.train.samples)
        wrong(['influence', at], `has ${row.length} entries for ${value.train.samples} training samples`);
    });
    for (const side of ['train', 'validation'] as const) {
      const bad = value.subsample?.[side].find((place) => place >= value[side].samples);
      if (bad !== undefined)
        wrong(['subsample', side], `names sample ${bad}, and there are ${value[side].samples} from 0`);
    }
    if (value.damping.length !== layers) wrong(['damping'], `has ${value.damping.length} rows for ${layers} layers`);
    for (const side of ['train', 'validation'] as const) {
      const norms = value[side].gradientSquaredNorm;
      if (norms.length !== layers && norms.length !== 0)
        wrong([side, 'gradientSquaredNorm'], `has ${norms.length} rows for ${layers} layers`);
      norms.forEach((row, at) => {
        if (row.length !== value[side].samples)
          wrong([side, 'gradientSquaredNorm', at], `has ${row.length} entries for ${value[side].samples} samples`);
      });
    }
  });

const projection: Schema<ResultProjection> = z.object({
  rank: number,
  seed: number,
  error: many(
    z.object({
      task: text,
      train: number,
      validation: number,
      estimator,
      spearman: z.nullable(number),
      gramError: number,
      largestGramError: number,
    }),
  ),
});

export const result: Schema<Result> = z
  .object({
    format: z.literal('layerif-result'),
    version: z.literal(1),
    status,
    experiment,
    experimentFile: text,
    model,
    score: z.object({
      estimator,
      sign: z.literal('positive_is_helpful'),
      projection: z.nullable(projection),
      accumulate: z.optional(z.literal('sums')),
      fisher: z.optional(id<NonNullable<Result['score']['fisher']>>()),
    }),
    tasks: many(task),
    provenance,
  })
  .check(({ value, issues }) => {
    if (value.status === 'complete' && value.tasks.length === 0)
      issues.push({ code: 'custom', input: [], path: ['tasks'], message: 'is empty, though the status is complete' });
    value.tasks.forEach(({ layers }, at) => {
      layers.forEach(({ index }, row) => {
        if (index >= value.model.layers || (row > 0 && index <= layers[row - 1]!.index))
          issues.push({
            code: 'custom',
            input: index,
            path: ['tasks', at, 'layers', row, 'index'],
            message: `is ${index}; it should ascend below the ${value.model.layers} layers of the model`,
          });
      });
    });
    const known = new Map(value.experiment.tasks.map((one) => [one.task, one.dataset]));
    value.tasks.forEach(({ task: name }, at) => {
      const dataset = known.get(name);
      if (dataset === undefined)
        issues.push({
          code: 'custom',
          input: name,
          path: ['tasks', at, 'task'],
          message: 'is none of the tasks in experiment.tasks',
        });
      else if (!Object.hasOwn(value.experiment.datasets, dataset))
        issues.push({
          code: 'custom',
          input: dataset,
          path: ['experiment', 'tasks', value.experiment.tasks.findIndex((one) => one.task === name), 'dataset'],
          message: 'is none of experiment.datasets',
        });
    });
  });

const sideCounts = z.partial(z.object({ samples: z.number(), tokens: z.number(), truncated: z.number() }));

/** When which task was scored with how much text, for who reads no more: a whole result may be large. */
export const whatScored: Schema<unknown> = z.object({
  status,
  experiment: z.optional(z.unknown()),
  tasks: many(z.object({ task: text, train: z.optional(sideCounts), validation: z.optional(sideCounts) })),
  provenance: z.object({ date: text }),
});
