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
import { apart, countOf, firstOf, subsampleOf, sumsCost } from './sums.ts';
import { ekfacCost, ekfacRequest, EXACT_WIDTH } from './ekfac.ts';
import { firstThatFits, totalOf } from '../machine/fitting.ts';
import type { Limits } from '../machine/machine.ts';
import { blockSizes, memoryParts, weightBytes, widthOf } from '../machine/memory.ts';
import { scoredUnits } from '../inputs/units.ts';
import { batchesOf, headRowsOf } from '../machine/batching.ts';
import { bytesText } from '../../text/bytes.ts';
import { nth } from '../../lists/nth.ts';

/** Rank that `projection: auto` takes. */
export const AUTO_RANK = 64;

/** Samples of each split that Grams are made of beside sums, from the most to what the smallest memory gets. */
export const SUBSAMPLES: readonly number[] = [200, 50, 16];

/** Products of a second, where only the ratio of two plans counts. */
const RATE = 1e11;

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

/** How gradients become influence: Grams of all samples, of projected gradients where there is a rank, or sums. */
export interface Way {
  rank: number | null;
  /** Samples of the sums' subsample, at most, in each split; null for Grams of all samples. */
  subsample: number | null;
}

const EXACT: Way = { rank: null, subsample: null };

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
  return planBy(prepared, task, limits, { ...EXACT, rank });
}

function planBy(prepared: Prepared, task: PreparedTask, limits: Limits, way: Way): TaskPlan {
  const held = way.subsample === null ? [true] : [true, false];
  return firstThatFits(
    choices.flatMap((choice) => held.map((all) => ({ choice, all }))),
    ({ choice, all }) => evaluate(prepared, task, choice, way, all),
    (plan) => fits(plan, limits),
  );
}

/** By sums, with fewer samples in the subsample where memory asks for it. */
function planSums(prepared: Prepared, task: PreparedTask, limits: Limits): TaskPlan {
  return firstThatFits(
    SUBSAMPLES,
    (subsample) => planBy(prepared, task, limits, { rank: null, subsample }),
    (plan) => fits(plan, limits),
  );
}

/** Plans of all tasks, exact or projected alike. */
export function planTasks(prepared: Prepared, limits: Limits): TaskPlan[] {
  const { projection: asked, granularity, accumulate = 'auto' } = prepared.experiment.score;
  const projection = granularity === 'head' ? 'none' : asked; // a projection mixes the heads
  const plans = (rank: number | null) => prepared.tasks.map((task) => planTask(prepared, task, limits, rank));
  if (accumulate === 'sums') return prepared.tasks.map((task) => planSums(prepared, task, limits));
  if (typeof projection === 'number') return plans(projection);
  const widest = widestSide(prepared);
  if (projection === 'auto' && prepared.estimator.needs.includes('ekfac') && widest > EXACT_WIDTH) {
    const because = `EK-FAC decomposes covariances, which are up to ${widest} wide here, so gradients are projected to rank ${AUTO_RANK} a side (exact up to ${EXACT_WIDTH}, or with projection: none); `;
    return plans(AUTO_RANK).map((plan) => ({ ...plan, why: because + plan.why }));
  }
  const exact = plans(null);
  if (accumulate === 'auto' && sumsPossible(prepared)) {
    const sums = prepared.tasks.map((task) => planSums(prepared, task, limits));
    const because = cheaperSums(exact, sums, limits);
    if (because !== null) return sums.map((plan) => ({ ...plan, why: `${because}; ${plan.why}` }));
  }
  if (projection === 'none' || exact.every((plan) => fits(plan, limits))) return exact;
  const projected = plans(AUTO_RANK);
  const because = `exact gradients would need ${bytesText(Math.max(...exact.map((p) => p.memoryBytes)))}, so they are projected to rank ${AUTO_RANK}; `;
  return projected.map((plan) => ({ ...plan, why: because + plan.why }));
}

/** Whether `accumulate: auto` may take sums: enough samples that Grams of a subsample are not those of all. */
export function sumsPossible({ experiment: { score }, estimator, checkpoints, tasks }: Prepared): boolean {
  return (
    tasks.some(({ train }) => train.length > nth(SUBSAMPLES, 0)) &&
    estimator.sums !== undefined &&
    score.until === undefined &&
    score.per !== 'pair' &&
    !checkpoints &&
    typeof score.projection !== 'number'
  );
}

/** Why sums are taken, or null. */
export function cheaperSums(exact: readonly TaskPlan[], sums: readonly TaskPlan[], limits: Limits): string | null {
  const allFit = (plans: readonly TaskPlan[]) => plans.every((plan) => fits(plan, limits));
  if (!allFit(sums)) return null;
  if (!allFit(exact))
    return `Grams of all samples would need ${bytesText(Math.max(...exact.map((p) => p.memoryBytes)))}, so influence is computed from sums of gradients`;
  const seconds = (plans: readonly TaskPlan[]) => plans.reduce((sum, plan) => sum + secondsFor(plan, RATE, 0), 0);
  const ratio = seconds(sums) / seconds(exact);
  if (ratio >= 1) return null;
  return `sums of gradients take about ${ratio.toFixed(2)} of the time that Grams of all samples would`;
}

/** Of the scored weight matrices. */
function widestSide({ model, scope }: Prepared): number {
  const scored = scope.layers.flatMap((layer) => model.modules(layer).filter((m) => scope.modules.includes(m.name)));
  return Math.max(...scored.map(({ rows, columns }) => Math.max(rows, columns)));
}

export function fits(plan: TaskPlan, limits: Limits): boolean {
  return plan.memoryBytes <= limits.memoryBytes && plan.diskBytes <= limits.diskBytes;
}

/** @param all with sums: whether all captures of a segment are held, or those of the subsample alone */
function evaluate(
  prepared: Prepared,
  task: PreparedTask,
  choice: Choice,
  { rank, subsample }: Way,
  all: boolean,
): TaskPlan {
  const { checkpoint, model, scope, experiment, estimator } = prepared;
  const { weights, boundaries, segmentLength, tokensPerBatch } = choice;
  const units = Math.max(...scope.layers.map((layer) => scoredUnits(prepared, layer).length));
  const lengths = {
    train: task.train.map((s) => s.tokens.length),
    validation: task.validation.map((s) => s.tokens.length),
  };
  const chosen = subsample === null ? null : subsampleOf(task, subsample, experiment.score.seed);
  const first = chosen ?? firstOf(task.known);
  const groups = (split: 'train' | 'validation') =>
    !first
      ? [batchesOf(model, lengths[split], tokensPerBatch)]
      : apart(lengths[split].length, first[split]).map((samples) =>
          batchesOf(
            model,
            samples.map((i) => nth(lengths[split], i)),
            tokensPerBatch,
          ).map((batch) => batch.map((position) => nth(samples, position))),
        );
  const parted = { train: groups('train'), validation: groups('validation') };
  const grouped = { train: parted.train.flat(), validation: parted.validation.flat() };
  const check = rank === null ? null : checkOf(grouped, lengths);
  const sizes = {
    train: grouped.train.map((batch) => padded(batch, lengths.train)),
    validation: grouped.validation.map((batch) => padded(batch, lengths.validation)),
  };
  const batches = [...sizes.train, ...sizes.validation];
  const tokens = tokensOf(batches);
  const samples = task.train.length + task.validation.length;
  const top = model.layers - nth(scope.layers, 0);
  const segments = Math.ceil(top / segmentLength);
  const plan: TaskPlan['plan'] = {
    segmentLength,
    weights,
    boundaries,
    batches: grouped,
    projection: rank === null ? null : { rank, seed: experiment.score.seed },
    check,
    ...(chosen && {
      sums: {
        estimator: experiment.score.estimator,
        damping: experiment.score.damping,
        subsample: chosen,
        held: all ? grouped.train.length : nth(parted.train, 0).length,
      },
    }),
    gradientTile: choice.gradientTile,
    headRows: headRowsOf(model),
  };
  const sub = chosen && {
    train: sizes.train.slice(0, nth(parted.train, 0).length),
    validation: sizes.validation.slice(0, nth(parted.validation, 0).length),
  };
  const held = all ? sizes.train : (sub?.train ?? []);
  const parts = memoryParts(checkpoint, model, {
    plan,
    segments,
    modules: scope.modules,
    train: task.train.length,
    validation: task.validation.length,
    batches,
    checked: check
      ? [...check.train.map((i) => nth(sizes.train, i)), ...check.validation.map((i) => nth(sizes.validation, i))]
      : [],
    ekfac: estimator.needs.includes('ekfac'),
    sums: chosen && sub ? { tokens: tokensOf([...held, ...sub.validation]), samples: countOf(chosen) } : undefined,
  });
  const [n, m] = [task.train.length, task.validation.length];
  const [p, q] = chosen ? [chosen.train.length, chosen.validation.length] : [n, m];
  const kept = 8 * (p * p + p * q + q + (chosen ? 2 * n + m : 0)) * scope.layers.length * units;
  const grams = kept + (chosen ? 4 * tokensOf(sizes.train) * scope.layers.length : 0);
  const boundary = 4 * tokens * model.hidden;
  const longest = Math.max(...lengths.train);
  const gramTokens = sub ? tokensOf([...sub.train, ...sub.validation]) : tokens;
  const gramSamples = chosen ? countOf(chosen) : samples;
  const flops = flopsOf(
    model,
    scope,
    { tokens, samples: gramSamples, gramTokens, top, counted: countedOf(task), longest },
    rank,
  );
  const linear = chosen && {
    train: sizes.train,
    validation: tokensOf(sizes.validation),
    again: tokensOf(sizes.train) - tokensOf(held),
    weighted: estimator.sums?.weight !== null,
  };
  const sums = linear ? sumsCost(model, scope, linear) : null;
  const request = ekfacRequest(estimator, experiment);
  const trainTokens = tokensOf(sizes.train);
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
  const fresh = task.known ? 1 - ((task.known.train + task.known.validation) / samples) ** 2 : 1;
  return {
    plan,
    tokensPerBatch,
    memoryBytes: totalOf(parts),
    memoryParts: parts,
    flops: {
      sweeps: flops.sweeps + (ekfac?.sweeps ?? 0) + (sums?.sweeps ?? 0),
      gradients: flops.gradients + (ekfac?.gradients ?? 0),
      products: fresh * flops.products + (ekfac?.products ?? 0) + (sums?.products ?? 0),
    },
    seconds: ekfac?.seconds ?? 0,
    // Grams once by layer and once together; the saved cotangents and their replacement; spilled boundaries
    diskBytes:
      2 * (grams + own) +
      (request?.fisher === 'true' ? 4 : 2) * boundary +
      (boundaries === 'files' ? (segments + 3) * boundary : 0),
    why: `${reason(choice, weightBytes(checkpoint, model).total)}${chosen && !all ? '; captures of all samples do not, so they are computed twice' : ''}`,
  };
}

const tokensOf = (list: readonly { rows: number; length: number }[]) =>
  list.reduce((sum, { rows, length }) => sum + rows * length, 0);

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
      const { rows, length } = padded(nth(grouped[split], index), lengths[split]);
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
  t: { tokens: number; samples: number; gramTokens: number; top: number; counted: number; longest: number },
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
      gradients += 2 * t.gramTokens * o * i;
      numbers += o * i;
    }
    if (rank !== null) gradients += 2 * t.gramTokens * rank * widthOf(scored, Infinity);
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
  return { rows: batch.length, length: Math.max(...batch.map((i) => nth(lengths, i))) };
}
