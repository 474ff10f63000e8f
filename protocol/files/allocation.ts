/** Schemas of allocations: one, and the file that holds the last of every kind. */
import * as z from 'zod/mini';
import { allocationKinds } from '../allocation.ts';
import type { Allocation, AllocationFile } from '../allocation.ts';
import { aggregation, by, count, estimator, flag, id, many, number, text, texts } from './parts.ts';
import type { Schema } from './parts.ts';

const version = z.literal(1);
const maybe = z.nullable(number);
const own = <T extends string>() => z.optional(id<T>());
const few = z.optional(number);

const kind = z.enum(allocationKinds);

export const allocation: Schema<Allocation> = z.object({
  format: z.literal('layerif-allocation'),
  version,
  kind,
  rule: text,
  ruleTitle: text,
  formula: z.optional(text),
  quantity: z.nullable(z.object({ name: text, higherMeansMore: flag })),
  settings: z.object({
    kind,
    rule: z.optional(text),
    by: z.optional(text),
    total: few,
    minimum: few,
    topK: few,
    beta: few,
    budget: few,
    step: few,
    count: few,
    ratio: few,
    epsilon: few,
    lambda: few,
    unit: own<NonNullable<Allocation['settings']['unit']>>(),
    structure: z.optional(text),
    paper: z.optional(flag),
    aggregation: own<NonNullable<Allocation['settings']['aggregation']>>(),
    fit: own<NonNullable<Allocation['settings']['fit']>>(),
    seed: few,
  }),
  total: number,
  layers: many(
    z.object({
      index: count,
      name: text,
      score: maybe,
      value: number,
      parameters: number,
      topK: few,
      modules: z.optional(by(number)),
      group: z.optional(z.object({ zeros: number, of: number })),
      why: text,
      terms: z.optional(by(number)),
      spread: z.optional(z.tuple([number, number])),
    }),
  ),
  spread: z.optional(z.object({ level: number, replicates: number })),
  notes: texts,
  provenance: z.object({
    layerif: text,
    date: text,
    resultFile: text,
    model: z.object({ name: text, sha256: text }),
    tasks: texts,
    estimator,
    aggregation,
  }),
});

export const allocations: Schema<AllocationFile> = z.object({
  format: z.literal('layerif-allocations'),
  version,
  allocations: by(allocation).check(({ value, issues }) => {
    for (const [name, { kind }] of Object.entries(value))
      if (name !== kind)
        issues.push({ code: 'custom', input: name, path: [name], message: `holds an allocation of the kind ${kind}` });
  }),
});
