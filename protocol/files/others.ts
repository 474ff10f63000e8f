/**
 * Schemas of the files beside results: scores, validations, comparisons of prunings, experts, evaluations,
 * prunings.
 */
import * as z from 'zod/mini';
import type { Evaluation } from '../evaluation.ts';
import type { ExpertsResult } from '../experts.ts';
import type { PruningComparison, PruningReport } from '../pruning.ts';
import type { Json, ScoresFile, ScoreTable } from '../scores.ts';
import type { AgreementRow, ValidationResult } from '../validation.ts';
import { experiment, expertsSettings, validateSettings } from './experiment.ts';
import {
  by,
  count,
  counts,
  flag,
  gaps,
  id,
  interval,
  layeredModel,
  later,
  madeBy,
  many,
  model,
  number,
  numbers,
  provenance,
  some,
  status,
  text,
  texts,
} from './parts.ts';
import type { Schema } from './parts.ts';

const version = z.literal(1);
const maybe = z.nullable(number);

// Scores ------------------------------------------------------------------------------------------------------------------------------

const table: Schema<ScoreTable> = z
  .object({
    score: text,
    version: number,
    title: text,
    unit: text,
    source: text,
    formula: text,
    status: id<ScoreTable['status']>(),
    question: id<ScoreTable['question']>(),
    subject: id<ScoreTable['subject']>(),
    higherMeans: z.nullable(id<NonNullable<ScoreTable['higherMeans']>>()),
    options: some as Schema<Record<string, Json>>,
    texts: z.nullable(text),
    axes: z
      .array(z.object({ name: text, labels: z.array(z.union([text, number])), groups: z.optional(texts) }))
      .check(z.minLength(1)),
    values: gaps,
    parts: z.optional(by(gaps)),
    intervals: z.optional(many(interval)),
    level: z.optional(number),
    p: z.optional(gaps),
    reference: z.optional(z.object({ value: z.union([number, gaps]), words: text })),
    layers: z.optional(z.object({ values: gaps, words: text })),
    marks: z.optional(z.array(z.object({ at: counts, words: text, drop: z.optional(flag) }))),
    thresholds: z.optional(z.object({ at: numbers, masked: numbers })),
    rows: z.optional(
      z.object({
        dataset: text,
        split: text,
        task: z.nullable(text),
        files: texts,
        file: counts,
        row: counts,
        line: z.array(z.nullable(count)),
        sha256: by(text),
        tokenizer: z.nullable(text),
      }),
    ),
    notes: texts,
    needs: texts,
  })
  .check(({ value, issues }) => {
    const size = value.axes.reduce((product, { labels }) => product * labels.length, 1);
    const columns: [path: string[], length: number | undefined][] = [
      [['values'], value.values.length],
      [['intervals'], value.intervals?.length],
      [['p'], value.p?.length],
      [['rows', 'file'], value.rows?.file.length],
      [['rows', 'row'], value.rows?.row.length],
      [['rows', 'line'], value.rows?.line.length],
      [['reference', 'value'], Array.isArray(value.reference?.value) ? value.reference.value.length : undefined],
      ...Object.entries(value.parts ?? {}).map(([name, part]): [string[], number] => [['parts', name], part.length]),
    ];
    for (const [path, length] of columns)
      if (length !== undefined && length !== size)
        issues.push({ code: 'custom', input: value, path, message: `has ${length} values for ${size} places` });
    value.marks?.forEach(({ at }, mark) => {
      if (at.some((place) => place >= size))
        issues.push({
          code: 'custom',
          input: at,
          path: ['marks', mark, 'at'],
          message: `names a place beyond the ${size} values`,
        });
    });
  });

export const scores: Schema<ScoresFile> = z.object({
  format: z.literal('layerif-scores'),
  version,
  status,
  experimentFile: text,
  model: layeredModel,
  tables: many(table),
  refused: z.optional(z.array(z.object({ score: text, message: text }))),
  provenance,
});

// Validation --------------------------------------------------------------------------------------------------------------------------

const point = z.nullable(text);

const agreement: Schema<AgreementRow> = z.object({
  predictor: text,
  point,
  control: flag,
  value: maybe,
  interval,
  overDot: z.nullable(z.object({ difference: number, interval })),
  overControls: z.optional(z.array(z.object({ control: text, difference: number, interval }))),
  p: z.optional(number),
});

const protocol: Schema<ValidationResult['protocols'][number]> = z.object({
  protocol: id<ValidationResult['protocols'][number]['protocol']>(),
  title: text,
  how: text,
  measures: many(z.object({ name: text, chance: number, rows: many(agreement) })),
  comparisons: z.optional(
    many(
      z.object({
        name: text,
        better: z.enum(['lower', 'higher']),
        baseline: text,
        ways: many(z.object({ way: text, control: flag, value: number, difference: maybe, interval, p: maybe })),
      }),
    ),
  ),
  recall: z.optional(
    z.object({ shares: numbers, rows: many(z.object({ predictor: text, point, by: text, recall: numbers })) }),
  ),
  points: z.optional(
    z.array(
      z.object({ name: text, predictor: text, point, predicted: numbers, true: numbers }).check(
        z.refine(({ predicted, true: truth }) => predicted.length === truth.length, {
          error: 'has not as many predicted changes as true ones',
        }),
      ),
    ),
  ),
  verdict: texts,
  seconds: number,
});

export const validation: Schema<ValidationResult> = z.object({
  format: z.literal('layerif-validation'),
  version,
  status,
  experiment,
  experimentFile: text,
  task: text,
  model: layeredModel,
  settings: validateSettings,
  layers: counts,
  modules: texts,
  samples: z.object({ train: number, validation: number }),
  protocols: many(protocol),
  skipped: many(z.object({ protocol: id<ValidationResult['skipped'][number]['protocol']>(), reason: text })),
  provenance: z.object({ ...madeBy, dataSha256: later(by(text)), retrainings: number, seed: number }),
});

// Prunings, one and several -----------------------------------------------------------------------------------------------------------

export const pruning: Schema<PruningReport> = z.object({
  format: z.literal('layerif-pruning'),
  version,
  model,
  method: text,
  structure: text,
  map: text,
  requested: number,
  achieved: number,
  layers: many(z.object({ index: count, name: text, requested: number, achieved: number, modules: by(number) })),
  dropped: counts,
  scores: z.optional(
    z.object({
      resultFile: text,
      tasks: texts,
      estimator: text,
      score: z.optional(text),
      notes: z.optional(texts),
      direction: text,
    }),
  ),
  calibration: z.nullable(
    z.object({ dataset: text, split: text, texts: number, tokens: number, dataSha256: by(text) }),
  ),
  notes: texts,
  provenance: z.object({
    ...madeBy,
    dataSha256: later(by(text)),
    seed: later(number),
    peakMemoryBytes: number,
    resumedLayers: number,
  }),
});

export const comparison: Schema<PruningComparison> = z.object({
  format: z.literal('layerif-pruning-comparison'),
  version,
  status,
  model,
  experimentFile: text,
  resultFile: z.nullable(text),
  calibration: z.nullable(z.object({ dataset: text, split: text, texts: number, tokens: number })),
  prunings: many(
    z.object({
      method: text,
      map: text,
      structure: text,
      sparsity: number,
      achieved: number,
      layers: numbers,
      metrics: many(
        z.object({
          task: text,
          metric: text,
          higherIsBetter: flag,
          value: number,
          interval,
          documents: number,
          againstUniform: z.nullable(z.object({ difference: number, interval, p: number })),
          drop: number,
        }),
      ),
      seconds: z.object({ prune: number, evaluate: number }),
    }),
  ),
  findings: texts,
  gate: z.nullable(z.object({ maxDrop: number, passed: flag, failures: texts })),
  provenance: z.object({ ...madeBy, dataSha256: later(by(text)), seed: number }),
});

// Experts -----------------------------------------------------------------------------------------------------------------------------

export const experts: Schema<ExpertsResult> = z.object({
  format: z.literal('layerif-experts'),
  version,
  status,
  experiment,
  experimentFile: text,
  task: text,
  model: layeredModel,
  settings: expertsSettings,
  modules: texts,
  samples: z.object({ train: number, tokens: number, evaluated: number, split: text }),
  scores: z.nullable(text),
  untrained: by(number),
  allocations: many(
    z.object({
      id: text,
      title: text,
      experts: numbers,
      topK: numbers,
      total: number,
      parameters: maybe,
      notes: texts,
      trainings: many(
        z.object({
          seed: number,
          curve: numbers,
          balance: numbers,
          metrics: by(number),
          adapter: text,
          seconds: number,
        }),
      ),
      metrics: many(
        z.object({
          metric: text,
          higherIsBetter: flag,
          mean: number,
          standardError: maybe,
          values: numbers,
          againstFirst: z.nullable(z.object({ difference: number, interval, p: number, standardError: maybe })),
        }),
      ),
    }),
  ),
  findings: texts,
  provenance: z.object({ ...madeBy, seed: number, dataSha256: by(text) }),
});

// Evaluation --------------------------------------------------------------------------------------------------------------------------

export const evaluation: Schema<Evaluation> = z.object({
  format: z.literal('layerif-evaluation'),
  version,
  results: by(by<number | string>(z.union([number, text]))),
  versions: by(number),
  'n-shot': by(number),
  'n-samples': by(z.object({ original: number, effective: number })),
  higher_is_better: by(by(flag)),
  configs: some,
  skipped: z.optional(z.array(z.object({ task: text, metric: z.nullable(text), reason: text }))),
  samples: z.optional(
    by(
      z.array(
        z.object({
          doc_id: number,
          file: text,
          row: number,
          target: number,
          candidates: z.array(
            z.object({ context: text, continuation: text, logLikelihood: number, greedy: flag, tokens: number }),
          ),
          metrics: by(number),
        }),
      ),
    ),
  ),
  model,
  experimentFile: text,
  provenance: z.object({ ...madeBy, dataSha256: by(text), seed: later(number) }),
});
