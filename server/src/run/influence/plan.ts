/**
 * What a run will need, and the plan that fits: the first of `choices` whose peak memory and disk stay below the
 * limits, from the fastest to the smallest. Exact gradients come first; `projection: auto` goes on to projected ones
 * when none of these fits.
 *
 * Memory is the model of `memory.ts`. Time is floating-point operations over the measured MatMul rate times the share
 * of it that each part reaches.
 */
import type { CollectPlan } from '../../../../protocol/engine.ts';
import { headRows } from '../../models/head.ts';
import type { Architecture } from '../../models/types.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { ekfacCost, ekfacRequest, EXACT_WIDTH } from './ekfac.ts';
import { firstThatFits, totalOf } from '../machine/fitting.ts';
import type { Limits } from '../machine/machine.ts';
import { blockSizes, memoryParts, weightBytes, widthOf } from '../machine/memory.ts';
import { scoredUnits } from '../inputs/units.ts';
import { batchesOf, headRowsOf } from '../machine/batching.ts';
import { bytesText } from '../../text/bytes.ts';

/** Rank that `projection: auto` takes. */
export const AUTO_RANK = 64;

interface Choice {
  weights: CollectPlan['weights'];
  boundaries: CollectPlan['boundaries'];
  segmentLength: number;
  tokensPerBatch: number;
  gradientTile: number;
}

const row = (
  weights: CollectPlan['weights'],
  boundaries: CollectPlan['boundaries'],
  segmentLength: number,
  tokensPerBatch: number,
): Choice => ({ weights, boundaries, segmentLength, tokensPerBatch, gradientTile: 16 * 1024 * tokensPerBatch });

/** From the fastest to the smallest; longer segments hold fewer boundaries but more captures. */
const choices: readonly Choice[] = [
  row('resident', 'memory', 1, 1024),
  row('resident', 'memory', 1, 512),
  row('resident', 'files', 1, 512),
  row('streamed', 'memory', 1, 1024),
  row('streamed', 'memory', 1, 512),
  row('streamed', 'memory', 1, 256),
  row('streamed', 'memory', 2, 256),
  row('streamed', 'memory', 4, 256),
  row('streamed', 'files', 1, 512),
  row('streamed', 'files', 1, 128),
];

/** What the check of a projection takes: as many batches as hold these samples, unless that is too many tokens. */
const CHECKED = { train: 8, validation: 4, tokens: 1536 };

export interface TaskPlan {
  plan: Omit<CollectPlan, 'checkpointSeconds'>;
  tokensPerBatch: number;
  memoryBytes: number;
  memoryParts: Record<string, number>;
  flops: { sweeps: number; gradients: number; products: number };
  /** Of what JavaScript computes in one thread. */
  seconds: number;
  diskBytes: number;
  why: string;
}

/**
 * @param rank of the projection, null for exact gradients
 * @returns the first choice that fits, else the smallest (which then exceeds a limit)
 */
export function planTask(prepared: Prepared, task: PreparedTask, limits: Limits, rank: number | null = null): TaskPlan {
  return firstThatFits(
    choices,
    (choice) => evaluate(prepared, task, choice, rank),
    (plan) => fits(plan, limits),
  );
}

/** Plans of all tasks, exact or projected alike. */
export function planTasks(prepared: Prepared, limits: Limits): TaskPlan[] {
  const { projection: asked, granularity } = prepared.experiment.score;
  const projection = granularity === 'head' ? 'none' : asked; // a projection mixes the heads
  const plans = (rank: number | null) => prepared.tasks.map((task) => planTask(prepared, task, limits, rank));
  if (typeof projection === 'number') return plans(projection);
  const widest = widestSide(prepared);
  if (projection === 'auto' && prepared.estimator.needs.includes('ekfac') && widest > EXACT_WIDTH) {
    const because = `EK-FAC decomposes covariances, which are up to ${widest} wide here, so gradients are projected to rank ${AUTO_RANK} a side (exact up to ${EXACT_WIDTH}, or with projection: none); `;
    return plans(AUTO_RANK).map((plan) => ({ ...plan, why: because + plan.why }));
  }
  const exact = plans(null);
  if (projection === 'none' || exact.every((plan) => fits(plan, limits))) return exact;
  const projected = plans(AUTO_RANK);
  const because = `exact gradients would need ${bytesText(Math.max(...exact.map((p) => p.memoryBytes)))}, so they are projected to rank ${AUTO_RANK}; `;
  return projected.map((plan) => ({ ...plan, why: because + plan.why }));
}

/** Of the scored weight matrices. */
function widestSide({ model, scope }: Prepared): number {
  const scored = scope.layers.flatMap((layer) => model.modules(layer).filter((m) => scope.modules.includes(m.name)));
  return Math.max(...scored.map(({ rows, columns }) => Math.max(rows, columns)));
}

export function fits(plan: TaskPlan, limits: Limits): boolean {
  return plan.memoryBytes <= limits.memoryBytes && plan.diskBytes <= limits.diskBytes;
}

function evaluate(prepared: Prepared, task: PreparedTask, choice: Choice, rank: number | null): TaskPlan {
  const { checkpoint, model, scope, experiment, estimator } = prepared;
  const { weights, boundaries, segmentLength, tokensPerBatch } = choice;
  const units = Math.max(...scope.layers.map((layer) => scoredUnits(prepared, layer).length));
  const lengths = {
    train: task.train.map((s) => s.tokens.length),
    validation: task.validation.map((s) => s.tokens.length),
  };
  const grouped = {
    train: batchesOf(model, lengths.train, tokensPerBatch),
    validation: batchesOf(model, lengths.validation, tokensPerBatch),
  };
  const check = rank === null ? null : checkOf(grouped, lengths);
  const sizes = {
    train: grouped.train.map((batch) => padded(batch, lengths.train)),
    validation: grouped.validation.map((batch) => padded(batch, lengths.validation)),
  };
  const all = [...sizes.train, ...sizes.validation];
  const tokens = all.reduce((sum, { rows, length }) => sum + rows * length, 0);
  const samples = task.train.length + task.validation.length;
  const top = model.layers - scope.layers[0];
  const segments = Math.ceil(top / segmentLength);
  const plan: TaskPlan['plan'] = {
    segmentLength,
    weights,
    boundaries,
    batches: grouped,
    projection: rank === null ? null : { rank, seed: experiment.score.seed },
    check,
    gradientTile: choice.gradientTile,
    headRows: headRowsOf(model),
  };
  const parts = memoryParts(checkpoint, model, {
    plan,
    segments,
    modules: scope.modules,
    train: task.train.length,
    validation: task.validation.length,
    batches: all,
    checked: check
      ? [...check.train.map((i) => sizes.train[i]), ...check.validation.map((i) => sizes.validation[i])]
      : [],
    ekfac: estimator.needs.includes('ekfac'),
  });
  const [n, m] = [task.train.length, task.validation.length];
  const grams = 8 * (n * n + n * m + m) * scope.layers.length * units;
  const boundary = 4 * tokens * model.hidden;
  const longest = Math.max(...lengths.train);
  const flops = flopsOf(model, scope, { tokens, samples, top, counted: countedOf(task), longest }, rank);
  const request = ekfacRequest(estimator, experiment);
  const trainTokens = sizes.train.reduce((sum, { rows, length }) => sum + rows * length, 0);
  const ekfac =
    request &&
    ekfacCost(request, {
      trainTokens,
      tokens,
      train: n,
      validation: m,
      backward: (flops.sweeps * 2) / 3 / tokens,
      head: 2 * model.hidden * headRows(model),
      matrices: matricesOf(model, scope, rank),
    });
  const own = ekfac ? 8 * ekfac.stored : 0;
  return {
    plan,
    tokensPerBatch,
    memoryBytes: totalOf(parts),
    memoryParts: parts,
    flops: {
      sweeps: flops.sweeps + (ekfac?.sweeps ?? 0),
      gradients: flops.gradients + (ekfac?.gradients ?? 0),
      products: flops.products + (ekfac?.products ?? 0),
    },
    seconds: ekfac?.seconds ?? 0,
    // Grams once by layer and once together; the saved cotangents and their replacement; spilled boundaries
    diskBytes:
      2 * (grams + own) +
      (request?.fisher === 'true' ? 4 : 2) * boundary +
      (boundaries === 'files' ? (segments + 3) * boundary : 0),
    why: reason(choice, weightBytes(checkpoint, model).total),
  };
}

function reason({ weights, boundaries }: Choice, bytes: number): string {
  const kept =
    weights === 'resident'
      ? 'all weights fit into memory'
      : `all weights (${bytesText(bytes)} as float32) do not fit beside the rest, so one segment's weights are read at a time`;
  return boundaries === 'memory' ? kept : `${kept}; activations between segments do not fit and go to files`;
}

/** Batches of typical length, as many as hold the samples to check. */
function checkOf(
  grouped: CollectPlan['batches'],
  lengths: { train: number[]; validation: number[] },
): NonNullable<CollectPlan['check']> {
  const choose = (split: 'train' | 'validation'): number[] => {
    const middle = Math.floor(grouped[split].length / 2); // batches go from long to short
    const chosen: number[] = [];
    let samples = 0;
    let tokens = 0;
    for (let step = 0; step < grouped[split].length && samples < CHECKED[split]; step++) {
      const index = (middle + step) % grouped[split].length;
      const { rows, length } = padded(grouped[split][index], lengths[split]);
      if (chosen.length > 0 && tokens + rows * length > CHECKED.tokens) break;
      chosen.push(index);
      samples += rows;
      tokens += rows * length;
    }
    return chosen.sort((a, b) => a - b);
  };
  return { train: choose('train'), validation: choose('validation') };
}

function countedOf({ train, validation }: PreparedTask): number {
  return [...train, ...validation].reduce(
    (sum, s) => sum + (s.classIndex === undefined ? s.tokens.length - s.countedFrom : 1),
    0,
  );
}

function flopsOf(
  model: Architecture,
  scope: Prepared['scope'],
  t: { tokens: number; samples: number; top: number; counted: number; longest: number },
  rank: number | null,
): TaskPlan['flops'] {
  const kinds = new Map(blockSizes(model).map(({ layer, captures }) => [model.kind(layer), captures]));
  let sweeps = t.counted * 6 * model.hidden * headRows(model);
  let gradients = 0;
  let numbers = 0;
  for (let layer = 0; layer < model.layers; layer++) {
    const captures = kinds.get(model.kind(layer))!;
    const parameters = captures.reduce((sum, c) => sum + c.rows * c.columns, 0);
    const attention = 4 * model.hidden * t.longest;
    // Forward 2, and in the backward sweep 2 for recomputing and 2 for the input's gradient, per weight and token.
    sweeps += t.tokens * (2 * parameters + attention);
    if (layer < model.layers - t.top) continue;
    sweeps += t.tokens * (4 * parameters + 3 * attention);
    if (!scope.layers.includes(layer)) continue;
    const scored = captures.filter((c) => scope.modules.includes(c.module));
    for (const { rows, columns } of scored) {
      const [o, i] = rank === null ? [rows, columns] : [Math.min(rank, rows), Math.min(rank, columns)];
      gradients += 2 * t.tokens * o * i;
      numbers += o * i;
    }
    if (rank !== null) gradients += 2 * t.tokens * rank * widthOf(scored, Infinity);
  }
  return { sweeps, gradients, products: (t.samples * t.samples + t.samples * Math.min(t.samples, 128)) * numbers };
}

/** Every scored matrix as the captures see it. */
function matricesOf(model: Architecture, scope: Prepared['scope'], rank: number | null) {
  const kinds = new Map(blockSizes(model).map(({ layer, captures }) => [model.kind(layer), captures]));
  const limit = (size: number) => Math.min(size, rank ?? Infinity);
  return scope.layers.flatMap((layer) =>
    kinds
      .get(model.kind(layer))!
      .filter((c) => scope.modules.includes(c.module))
      .map(({ input, rows, columns }) => ({ layer, input, rows: limit(rows), columns: limit(columns) })),
  );
}

/** Seconds on a machine that multiplies matrices at `rate`; the shares were measured (test/bench). */
export function secondsFor(plan: TaskPlan, rate: number, readBytes: number): number {
  const { sweeps, gradients, products } = plan.flops;
  const { seconds } = plan;
  const reads = plan.plan.weights === 'resident' ? 1 : 2;
  return (
    sweeps / (0.75 * rate) +
    gradients / (0.5 * rate) +
    products / (0.8 * rate) +
    (reads * readBytes) / 1e9 +
    seconds +
    0.5
  );
}

function padded(batch: number[], lengths: number[]): { rows: number; length: number } {
  return { rows: batch.length, length: Math.max(...batch.map((i) => lengths[i])) };
}
