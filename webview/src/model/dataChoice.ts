/**
 * A threshold over a score of rows: which rows it keeps, how their values are distributed, and the losses that stand
 * beside them. A threshold is a number of rows, so that it says the same as `layerif select --keep`. Pure: no DOM.
 */
import { ableRows, labelOf, sameRows } from '../../../protocol/rowSelection.ts';
import type { ScoredRows, ScoresFile, ScoreTable } from '../../../protocol/scores.ts';

export type RowsTable = ScoreTable & { rows: ScoredRows };

export const rowTables = ({ tables }: Pick<ScoresFile, 'tables'>): RowsTable[] =>
  tables.filter((table): table is RowsTable => table.rows !== undefined);

export const rowLabel = (table: RowsTable, tables: readonly RowsTable[]) => labelOf(table, tables);

export interface Order {
  /** Rows that can be kept, the first to be kept first. */
  rows: number[];
  /** Their values. */
  values: number[];
  lowest: boolean;
}

export function orderOf(table: RowsTable, lowest: boolean): Order {
  const sign = lowest ? 1 : -1;
  const rows = ableRows(table).sort((a, b) => sign * (table.values[a]! - table.values[b]!) || a - b);
  return { rows, values: rows.map((row) => table.values[row]!), lowest };
}

/** Half of the rows where nothing is chosen; at least one, at most all. */
export function keptRows({ rows }: Order, chosen: number | null): number {
  return Math.max(Math.min(1, rows.length), Math.min(rows.length, chosen ?? Math.ceil(rows.length / 2)));
}

/** The value of the last row that is kept. */
export const thresholdAt = ({ values }: Order, keep: number): number | null => values[keep - 1] ?? null;

/** Rows at least as good as a value; at least one. */
export function keepFrom({ values, lowest }: Order, value: number): number {
  const kept = values.filter((one) => (lowest ? one <= value : one >= value)).length;
  return Math.max(1, kept);
}

/** One value more strict (+1) or less (-1), by `steps` different values. */
export function moved(order: Order, keep: number, towards: 1 | -1, steps = 1): number {
  let at = keep;
  for (let step = 0; step < steps; step++) {
    const value = order.values[at - 1];
    if (value === undefined) break;
    if (towards === 1) {
      const first = order.values.indexOf(value);
      if (first < 1) return firstKept(order);
      at = first;
    } else {
      const next = order.values[order.values.lastIndexOf(value) + 1];
      if (next === undefined) return order.values.length;
      at = order.values.lastIndexOf(next) + 1;
    }
  }
  return at;
}

/** Rows that the strictest threshold keeps: those that share the best value. */
const firstKept = ({ values }: Order) => values.lastIndexOf(values[0]!) + 1;

export interface Histogram {
  low: number;
  high: number;
  bars: { from: number; to: number; able: number; dropped: number }[];
  /** Rows beyond the ends, which are counted in the outer bars. */
  beyond: number;
}

const BARS = 40;

/** Over all rows with a value; far ends are folded in, so that a few rows do not press all others into one bar. */
export function histogramOf(table: RowsTable, bars = BARS): Histogram | null {
  const able = new Set(ableRows(table));
  const points = table.values.flatMap((value, row) => (value === null ? [] : [{ value, able: able.has(row) }]));
  if (points.length === 0) return null;
  const sorted = points.map(({ value }) => value).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const spread = at(0.75) - at(0.25);
  let low = spread > 0 ? Math.max(at(0), at(0.25) - 3 * spread) : at(0);
  let high = spread > 0 ? Math.min(at(1), at(0.75) + 3 * spread) : at(1);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const width = (high - low) / bars;
  const made = Array.from({ length: bars }, (_, i) => ({
    from: low + i * width,
    to: low + (i + 1) * width,
    able: 0,
    dropped: 0,
  }));
  for (const point of points) {
    const bar = made[Math.max(0, Math.min(bars - 1, Math.floor((point.value - low) / width)))]!;
    if (point.able) bar.able++;
    else bar.dropped++;
  }
  return { low, high, bars: made, beyond: sorted.filter((value) => value < low || value > high).length };
}

/** Names of the two parts that a score with and without the prompt has. */
export const LOSSES = { prompt: 'loss with prompt', alone: 'loss alone' } as const;

export interface LossPoint {
  row: number;
  /** Nats. */
  alone: number;
  prompt: number;
  score: number;
  /** Place of the score among all, 0 to 1. */
  share: number;
  kept: boolean;
}

/** Of the table itself, else of another one of the same rows that has them; null where none has. */
export function lossesOf(table: RowsTable, tables: readonly RowsTable[]): RowsTable | null {
  const has = ({ parts }: RowsTable) => parts !== undefined && LOSSES.prompt in parts && LOSSES.alone in parts;
  return [table, ...tables.filter((one) => sameRows(one, table))].find(has) ?? null;
}

/** Drawn at most; of more rows every second, third and so on. */
export const MOST_POINTS = 4000;

export function lossPoints(table: RowsTable, losses: RowsTable, kept: ReadonlySet<number>): LossPoint[] {
  const [prompt, alone] = [losses.parts![LOSSES.prompt]!, losses.parts![LOSSES.alone]!];
  const known = table.values.flatMap((score, row) => {
    const [x, y] = [alone[row], prompt[row]];
    return score === null || typeof x !== 'number' || typeof y !== 'number'
      ? []
      : [{ row, alone: x, prompt: y, score }];
  });
  const order = [...known].sort((a, b) => a.score - b.score);
  const shares = new Map(order.map(({ row }, place) => [row, order.length < 2 ? 1 : place / (order.length - 1)]));
  const step = Math.ceil(known.length / MOST_POINTS);
  return known
    .filter((_, at) => at % step === 0)
    .map((point) => ({ ...point, share: shares.get(point.row)!, kept: kept.has(point.row) }));
}
