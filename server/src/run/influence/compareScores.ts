/**
 * Tables of layer scores of one or several runs beside each other: rank correlations with intervals, ranks that moved
 * by more than their intervals, the Jaccard index of the highest layers (and modules) beside chance. No model is
 * opened: texts are drawn anew from the observations that lie beside a scores file; texts of one set are drawn
 * together. A table without such observations scatters by its own intervals, each layer by itself.
 */
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type {
  ComparedSets,
  ComparedTable,
  ComparedTables,
  ScoresComparison,
} from '../../../../protocol/scoresComparison.ts';
import { Random } from '../../random/random.ts';
import { resample } from '../../statistics/bootstrap.ts';
import { descendingRanks, percentileInterval } from '../../statistics/intervals.ts';
import type { Interval } from '../../statistics/intervals.ts';
import { jaccardOfTop } from '../../statistics/jaccard.ts';
import { permutationTest } from '../../statistics/permutation.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { around, atDepths } from './compare.ts';
import { ids, openFile } from './openedTables.ts';
import type { OpenedTable } from './openedTables.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
/** Shares of the modules that ILA's paper compares (what it keeps) and tunes. */
const MODULE_SHARES = [0.75, 0.25];
const QUARTER = 0.25;
/** Half widths of a normal distribution's central 90 %. */
const HALF_WIDTH = 1.6449;

export interface CompareScoresOptions {
  /** Ids of the scores; default: all that give each layer a value and that all files have. */
  by?: readonly string[] | undefined;
  byDepth?: boolean | undefined;
  /** Highest layers that are compared; default a quarter of them. */
  topK?: number | undefined;
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** @throws LayerifError `badRequest`: fewer than two tables, no such score, different layers, a damaged file */
export async function compareScores(
  files: readonly string[],
  options: CompareScoresOptions = {},
): Promise<ScoresComparison> {
  const { seed = 0, byDepth = false, signal } = options;
  const perFile = files.map((file) => openFile(file, options.by));
  const shared = perFile.map((tables) => tables.filter(({ series }) => everywhere(series.score, perFile)));
  // Of several files what stands in all of them, unless scores are named.
  const opened = (files.length > 1 && !options.by ? shared : perFile).flat();
  if (opened.length < 2) {
    const have = perFile.map((tables, i) => `${path.basename(nth(files, i))} has ${ids(tables) || 'none'}`).join(', ');
    throw new LayerifError(
      'badRequest',
      `there is nothing to compare: ${opened.length} of the score tables; scores with a value for each layer: ${have}; name two files that have the same score, or several scores with --by`,
    );
  }
  label(opened.map(({ series }) => series));
  const depth = alignment(opened, byDepth);
  const replicates = await draws(opened, new Random(seed, 'compare scores'), signal);
  const values = opened.map(({ series }) => depth(series.values));
  const drawn = replicates.map((own) => own?.map(depth) ?? null);
  const layers = nth(values, 0).length;
  const k = options.topK ?? Math.ceil(QUARTER * layers);
  if (!(Number.isInteger(k) && k >= 1 && k <= layers))
    throw new LayerifError('badRequest', `top-k ${k} is not allowed: use a whole number from 1 to ${layers}`);

  const random = new Random(seed, 'compare');
  const pairs: ComparedTables[] = [];
  for (let a = 0; a < opened.length; a++) {
    for (let b = a + 1; b < opened.length; b++) {
      await setImmediate();
      signal?.throwIfAborted();
      const both = nth(values, a).flatMap((value, at) => (value !== null && nth(values, b)[at] !== null ? [at] : []));
      const of = (all: readonly (number | null)[]) => both.map((at) => all[at]!);
      const test =
        both.length < 3 ? null : permutationTest(of(nth(values, a)), of(nth(values, b)), spearman, { random });
      const [one, other] = [drawn[a], drawn[b]];
      const count = Math.max(one?.length ?? 0, other?.length ?? 0);
      const scattered = Array.from({ length: count }, (_, d) => {
        const [x, y] = [of(one?.[d] ?? nth(values, a)), of(other?.[d] ?? nth(values, b))];
        return [...x, ...y].some((value) => value === null) ? null : spearman(x, y);
      });
      const value = test?.statistic ?? null;
      pairs.push({
        a,
        b,
        layers: both.length,
        spearman: { value, interval: around(value, scattered), p: test?.p ?? null },
        sets: sets(nth(opened, a), nth(opened, b), of(nth(values, a)), of(nth(values, b)), k),
        moved: one && other ? moved([nth(values, a), nth(values, b)], [one, other], both) : null,
      });
    }
  }
  const at = (a: number, b: number) => pairs.find((pair) => pair.a === Math.min(a, b) && pair.b === Math.max(a, b))!;
  const matrixOf = (of: (pair: ComparedTables) => number | null) =>
    opened.map((_, a) => opened.map((__, b) => (a === b ? 1 : of(at(a, b)))));
  return {
    format: 'layerif-scores-comparison',
    version: 1,
    series: opened.map(({ series }) => series),
    layers,
    byDepth,
    level: LEVEL,
    seed,
    pairs,
    matrix: matrixOf(({ spearman: { value } }) => value),
    jaccard: matrixOf(({ sets: [first] }) => first?.jaccard ?? null),
    notes: notesOf(opened, pairs),
  };
}

const everywhere = (score: string, perFile: readonly (readonly OpenedTable[])[]) =>
  perFile.every((tables) => tables.some(({ series }) => series.score === score));

/** Values on other texts, the same for all tables of one set of texts; null for a table that does not scatter. */
async function draws(
  opened: readonly OpenedTable[],
  random: Random,
  signal: AbortSignal | undefined,
): Promise<((number | null)[][] | null)[]> {
  const found = opened.map(({ series }): (number | null)[][] | null => (series.scatter ? [] : null));
  for (let d = 0; d < REPLICATES; d++) {
    if (d % 20 === 0) await setImmediate();
    signal?.throwIfAborted();
    const texts = new Map<string, Int32Array>();
    for (const [i, { member, intervals, series }] of opened.entries()) {
      if (member.drawn) {
        const set = `${member.texts} ${member.count}`;
        if (!texts.has(set)) texts.set(set, resample(member.count, random));
        found[i]!.push(member.drawn(texts.get(set)!));
      } else if (series.scatter) {
        found[i]!.push(
          series.values.map((value, layer) => {
            const own = intervals?.[layer];
            return value === null || !own ? value : value + (random.normal() * (own[1] - own[0])) / (2 * HALF_WIDTH);
          }),
        );
      }
    }
  }
  return found;
}

function sets(
  a: OpenedTable,
  b: OpenedTable,
  valuesA: readonly number[],
  valuesB: readonly number[],
  k: number,
): ComparedSets[] {
  const rows: ComparedSets[] = [];
  const add = (of: ComparedSets['of'], x: readonly number[], y: readonly number[], count: number) => {
    if (count < 1 || count > x.length) return;
    const { shared, jaccard, chance, p } = jaccardOfTop(x, y, count);
    rows.push({ of, count, total: x.length, shared, jaccard, chance, p });
  };
  const names = [...a.modules.keys()].filter((name) => b.modules.has(name));
  for (const share of MODULE_SHARES) {
    const of = ({ modules }: OpenedTable) => names.map((name) => modules.get(name)!);
    const [x, y] = [of(a), of(b)];
    add('modules', x, y, Math.floor(share * names.length));
  }
  add('layers', valuesA, valuesB, k);
  return rows;
}

/** Layers whose rank intervals do not meet. */
function moved(
  values: readonly (readonly (number | null)[])[],
  drawn: readonly (readonly (readonly (number | null)[])[])[],
  both: readonly number[],
): NonNullable<ComparedTables['moved']> {
  const ranks = values.map((own) => descendingRanks(both.map((at) => own[at]!)));
  const scatter = drawn.map((replicates, i) =>
    replicates.map((own) => descendingRanks(both.map((at) => own[at] ?? nth(values, i)[at]!))),
  );
  return both.flatMap((layer, at) => {
    const intervals = scatter.map((replicates, i): Interval => {
      const [low, high] = percentileInterval(
        replicates.map((own) => nth(own, at)),
        LEVEL,
      )!;
      const own = nth(nth(ranks, i), at);
      return [Math.min(low, own), Math.max(high, own)];
    });
    const [one, other] = take(intervals, 2);
    const apart = one[1] < other[0] || other[1] < one[0];
    const rank = (i: number) => nth(nth(ranks, i), at);
    return apart ? [{ layer, ranks: [rank(0), rank(1)], intervals: [one, other] }] : [];
  });
}

/** @throws LayerifError `badRequest` for models of different depth, unless by depth */
function alignment(
  opened: readonly OpenedTable[],
  byDepth: boolean,
): (values: readonly (number | null)[]) => (number | null)[] {
  const least = Math.min(...opened.map(({ series }) => series.values.length));
  if (byDepth)
    return (values) =>
      [
        ...atDepths(
          values.map((value) => value ?? NaN),
          least,
        ),
      ].map((value) => (Number.isNaN(value) ? null : value));
  const different = opened.find(({ series }) => series.values.length !== least);
  if (different) {
    const small = opened.find(({ series }) => series.values.length === least)!;
    throw new LayerifError(
      'badRequest',
      `layers cannot be compared one by one: ${different.series.label} has ${different.series.values.length}, ${small.series.label} has ${least}; compare by relative depth with --by-depth`,
    );
  }
  return (values) => [...values];
}

/** What tells the tables apart, in words. */
function label(series: ComparedTable[]): void {
  const parts: ((one: ComparedTable) => string)[] = [
    ({ score, title }) => (score === 'influence' ? title : score),
    ({ model }) => model,
    ({ texts }) => texts ?? '',
  ];
  const telling = parts.filter(
    (part, i) => i === 0 || new Set(series.map(part).filter((word) => word !== '')).size > 1,
  );
  for (const one of series)
    one.label = telling
      .map((part) => part(one))
      .join(' ')
      .trim();
  const names = series.map((one) => one.label);
  series.forEach((one, i) => {
    const alike = series.filter((_, j) => names[j] === names[i]);
    if (alike.length < 2) return;
    const files = new Set(alike.map(({ file }) => file)).size > 1;
    one.label = [names[i], files ? path.basename(path.dirname(one.file)) : one.options].filter(Boolean).join(' ');
  });
  const seen = new Map<string, number>();
  for (const one of series) {
    const count = (seen.get(one.label) ?? 0) + 1;
    seen.set(one.label, count);
    if (count > 1) one.label += ` (${count})`;
  }
}

function notesOf(opened: readonly OpenedTable[], pairs: readonly ComparedTables[]): string[] {
  const of = (scatter: ComparedTable['scatter']) =>
    opened.filter(({ series }) => series.scatter === scatter).map(({ series }) => series.label);
  const [alone, none] = [of('intervals'), of(null)];
  const turned = opened.filter(({ series }) => series.turned).map(({ series }) => series.label);
  const questions = new Set(opened.map(({ series }) => series.question));
  return [
    ...(alone.length > 0
      ? [`Drawn by the intervals of each layer alone, since they have no values by text at hand: ${alone.join(', ')}.`]
      : []),
    ...(none.length > 0 ? [`Without scatter: ${none.join(', ')}.`] : []),
    ...(turned.length > 0 ? [`Turned over, for a high value speaks for removal: ${turned.join(', ')}.`] : []),
    ...(questions.size > 1
      ? ['The scores answer different questions: low agreement between two questions is no fault of either.']
      : []),
    ...(pairs.length > 1
      ? [`${pairs.length} pairs were tested: of as many unrelated pairs one in twenty has p below 0.05 by chance.`]
      : []),
  ];
}
