/** Schema of the statistics of a table. */
import * as z from 'zod/mini';
import type { Analysis, AnalysisRequest, FeatureRows } from '../analysis.ts';
import { by, count, counts, id, interval, many, number, numbers, text, texts } from './parts.ts';
import type { Schema } from './parts.ts';

const maybe = z.nullable(number);
const few = z.optional(number);
const words = z.optional(texts);
const named = z.object({ name: text, value: number, error: number });

const request: Schema<AnalysisRequest> = z.object({
  responses: words,
  factors: words,
  bins: z.optional(by(numbers)),
  smooths: words,
  fixed: words,
  by: z.optional(text),
  random: z.optional(text),
  logs: words,
  features: words,
  clusters: few,
  projections: z.optional(z.array(z.enum(['tsne', 'umap']))),
  perplexity: few,
  neighbours: few,
  clusterBy: z.optional(text),
  seed: few,
});

const pair = z.tuple([number, number]);

const comparison: Schema<Analysis['comparisons'][number]> = z
  .object({
    response: text,
    factor: text,
    rows: count,
    groups: many(
      z.object({
        name: text,
        count,
        mean: number,
        deviation: maybe,
        quartiles: z.tuple([number, number, number, number, number]),
        whiskers: pair,
        outliers: numbers,
      }),
    ),
    anova: z.object({ f: number, between: number, within: number, p: number, etaSquared: number }),
    levene: z.nullable(z.object({ statistic: number, p: number })),
    pairs: many(
      z.object({ a: text, b: text, difference: number, interval: pair, q: number, p: number, bootstrap: interval }),
    ),
    notes: texts,
  })
  .check(({ value, issues }) => {
    const known = new Set(value.groups.map(({ name }) => name));
    value.pairs.forEach(({ a, b }, at) => {
      if (!known.has(a) || !known.has(b))
        issues.push({ code: 'custom', input: value, path: ['pairs', at], message: 'names a group that is not there' });
    });
  });

const model: Schema<Analysis['models'][number]> = z.object({
  response: text,
  formula: text,
  rows: count,
  intercept: z.object({ value: number, error: number }),
  fixed: many(z.object({ factor: text, level: text, value: number, error: number })),
  terms: many(z.object({ name: text, kind: id<'curve' | 'random'>(), edf: number, f: maybe, p: maybe })),
  curves: many(
    z.object({ covariate: text, level: z.nullable(text), x: numbers, effect: numbers, error: numbers }).check(
      z.refine(({ x, effect, error }) => x.length === effect.length && x.length === error.length, {
        error: 'has not as many effects and errors as places',
      }),
    ),
  ),
  random: z.nullable(z.object({ name: text, deviation: number, levels: many(named) })),
  edf: number,
  adjustedR2: number,
  devianceExplained: number,
  variance: number,
  reml: number,
  notes: texts,
});

const featureRows = { features: texts, rows: counts, missing: count, repeated: count };
/** As many values as rows. */
const perRow = (...lists: ('labels' | 'x' | 'y')[]) =>
  z.refine<FeatureRows & Partial<Record<'labels' | 'x' | 'y', number[]>>>(
    (value) => lists.every((list) => value[list]?.length === value.rows.length),
    { error: `has not as many ${lists.join(' and ')} as rows` },
  );

export const analysis: Schema<Analysis> = z.object({
  format: z.literal('layerif-analysis'),
  version: z.literal(1),
  table: z.object({
    file: text,
    sha256: text,
    rows: count,
    columns: many(
      z.object({
        name: text,
        kind: id<Analysis['table']['columns'][number]['kind']>(),
        missing: count,
        distinct: count,
      }),
    ),
  }),
  request,
  comparisons: many(comparison),
  models: many(model),
  clusters: z.nullable(
    z
      .object({
        ...featureRows,
        count,
        labels: counts,
        sizes: counts,
        inertia: number,
        silhouette: number,
        tried: many(z.object({ count, silhouette: number })),
        notes: texts,
      })
      .check(perRow('labels')),
  ),
  projections: many(
    z
      .object({
        ...featureRows,
        method: z.enum(['tsne', 'umap']),
        size: number,
        x: numbers,
        y: numbers,
        divergence: maybe,
        notes: texts,
      })
      .check(perRow('x', 'y')),
  ),
  notes: texts,
  provenance: z.object({ layerif: text, date: text, seconds: number, seed: number }),
});
