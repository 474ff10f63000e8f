/**
 * From a result to what the layer charts draw. A place is kept for every layer that the run will score, so that the
 * charts do not move while layers arrive. Pure: no DOM.
 */
import type { AggregationId } from '../../../protocol/experiment.ts';
import type { Result, ResultLayer, ResultTask } from '../../../protocol/result.ts';

export const aggregations: readonly { id: AggregationId; name: string; meaning: string }[] = [
  { id: 'positive', name: 'Positive', meaning: 'sum of the positive influences' },
  { id: 'top25', name: 'Top 25 %', meaning: 'sum of the largest quarter of the positive influences' },
  { id: 'sum', name: 'Sum', meaning: 'sum of all influences, helpful minus harmful' },
];

export type Interval = readonly [number, number];

export interface LayerValue {
  /** Place in `tasks`. */
  task: number;
  taskName: string;
  /** Place on the layer axis, from 0. */
  slot: number;
  /** Index of the layer in the model. */
  layer: number;
  value: number;
  /** Value / largest absolute value of its task, -1..1; 0 where all are 0. */
  share: number;
  /** From 1, by value, among the task's finished layers. */
  rank: number;
  sign: 'positive' | 'negative' | 'zero';
  /**
   * Where value and rank lie on other samples of the same kind; null where the result has none for this aggregation.
   */
  interval: Interval | null;
  rankInterval: Interval | null;
  /** The rank interval spans more than a third of the layers. */
  unstable: boolean;
}

/** Indices of the layers that the run scores, ascending: what the experiment asks for, plus whatever is there. */
export function scoredLayers(result: Result): number[] {
  const asked = result.experiment.score.layers;
  const all = new Set(Array.isArray(asked) ? asked : Array.from({ length: result.model.layers }, (_, i) => i));
  for (const task of result.tasks) for (const layer of task.layers) all.add(layer.index);
  return [...all].sort((a, b) => a - b);
}

/** One value per task and finished layer, tasks in file order, layers ascending. */
export function layerValues(result: Result, aggregation: AggregationId): LayerValue[] {
  const slots = new Map(scoredLayers(result).map((layer, slot) => [layer, slot]));
  // Intervals belong to the aggregation that they were made with.
  const sure = aggregation === result.experiment.score.aggregation;
  return result.tasks.flatMap((task, t) => {
    const largest = Math.max(0, ...task.layers.map((layer) => Math.abs(finite(layer[aggregation]))));
    const order = [...task.layers].sort((a, b) => finite(b[aggregation]) - finite(a[aggregation]) || a.index - b.index);
    const ranks = new Map(order.map((layer, i) => [layer.index, i + 1]));
    return task.layers.map((layer): LayerValue => {
      const value = finite(layer[aggregation]);
      return {
        task: t,
        taskName: task.task,
        slot: slots.get(layer.index) ?? 0,
        layer: layer.index,
        value,
        share: largest > 0 ? value / largest : 0,
        rank: ranks.get(layer.index) ?? 0,
        sign: value > 0 ? 'positive' : value < 0 ? 'negative' : 'zero',
        interval: (sure && layer.interval) || null,
        rankInterval: (sure && layer.rankInterval) || null,
        unstable: sure && layer.unstable === true,
      };
    });
  });
}

/** The interval on the axis of the values: raw, or as a share of the task's largest layer. */
export function drawnInterval({ value, share, interval }: LayerValue, normalised: boolean): Interval | null {
  if (!interval || !normalised) return interval;
  return share === 0 ? null : [(interval[0] * share) / value, (interval[1] * share) / value];
}

/** Limits of the value axis: always with 0, with every interval, never empty. */
export function valueDomain(values: readonly LayerValue[], normalised: boolean): [number, number] {
  const ends = values.flatMap((value) => drawnInterval(value, normalised) ?? []);
  if (normalised) return [Math.min(values.some((v) => v.share < 0) ? -1 : 0, ...ends), Math.max(1, ...ends)];
  const low = Math.min(0, ...values.map((v) => v.value), ...ends);
  const high = Math.max(0, ...values.map((v) => v.value), ...ends);
  return low === 0 && high === 0 ? [0, 1] : [low, high];
}

/**
 * Every 1st, 2nd, 5th, 10th ... layer carries its number, so that numbers that are `spacing` apart get `room` pixels
 * each.
 */
export const labelStep = (spacing: number, room: number) =>
  [1, 2, 5, 10, 20, 50].find((step) => step * spacing >= room) ?? 100;

export interface ModuleValue {
  name: string;
  value: number;
  /** Value / largest absolute value among the modules of this layer. */
  share: number;
  zeroGradient: boolean;
}

/** The scored modules of one layer in the model's order; modules that have no score are left out. */
export function moduleValues(result: Result, layer: ResultLayer): ModuleValue[] {
  const known = result.model.modules.filter((name) => name in layer.modules);
  const names = [...known, ...Object.keys(layer.modules).filter((name) => !known.includes(name))];
  const largest = Math.max(0, ...names.map((name) => Math.abs(finite(layer.modules[name]!.score))));
  return names.map((name) => {
    const value = finite(layer.modules[name]!.score);
    return {
      name,
      value,
      share: largest > 0 ? value / largest : 0,
      zeroGradient: layer.zeroGradient?.includes(name) ?? false,
    };
  });
}

/** The finished layer with this index, and its row in the task's matrices. */
export function findLayer(task: ResultTask, index: number): { layer: ResultLayer; row: number } | null {
  const row = task.layers.findIndex((layer) => layer.index === index);
  return row < 0 ? null : { layer: task.layers[row]!, row };
}

/** The layer that a page selects by itself: the one with the largest score of the first task that has one. */
export function defaultLayer(result: Result, aggregation: AggregationId): number | null {
  const values = layerValues(result, aggregation);
  const first = values[0];
  if (!first) return null;
  const own = values.filter((v) => v.task === first.task);
  return own.reduce((best, v) => (v.value > best.value ? v : best)).layer;
}

/** JSON has no NaN: a number that was not one arrives as null and counts as 0. */
export const finite = (value: number | null | undefined) =>
  typeof value === 'number' && Number.isFinite(value) ? value : 0;

/** From so many tasks on bars and lines cover each other. */
const CROWDED = 4;

export const drawnAsHeat = (marks: 'auto' | 'bars' | 'lines' | 'heat', tasks: number): boolean =>
  marks === 'heat' || (marks === 'auto' && tasks >= CROWDED);

/** The axis with the task's highest score first; layers that it has not yet stay behind, in the order of the model. */
export function byScore(
  layers: readonly number[],
  values: readonly LayerValue[],
  task: number,
): { layers: number[]; values: LayerValue[] } {
  const ranks = new Map(values.filter((value) => value.task === task).map(({ layer, rank }) => [layer, rank]));
  const rank = (layer: number) => ranks.get(layer) ?? Infinity;
  const ordered = [...layers].sort((a, b) => (rank(a) === rank(b) ? a - b : rank(a) - rank(b)));
  const slots = new Map(ordered.map((layer, slot) => [layer, slot]));
  return { layers: ordered, values: values.map((value) => ({ ...value, slot: slots.get(value.layer) ?? 0 })) };
}

/** Tasks x layers, row by row; null where a layer is not finished. */
export function taskCells(
  values: readonly LayerValue[],
  layers: readonly number[],
  tasks: number,
): (LayerValue | null)[] {
  const cells: (LayerValue | null)[] = Array.from({ length: tasks * layers.length }, () => null);
  for (const value of values) cells[value.task * layers.length + value.slot] = value;
  return cells;
}
