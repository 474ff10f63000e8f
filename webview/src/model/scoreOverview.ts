/**
 * All scores of a file that have one value a layer, beside each other: ranks, which are comparable where values are
 * not, values in small, and the order that one of them gives the layers. Pure: no DOM.
 */
import type { ScoreTable } from '../../../protocol/scores.ts';
import { seriesDomain } from './series.ts';
import type { Series } from './series.ts';
import { directionText, optionText, placeText, tableKey } from './scoreTable.ts';
import type { HeatScoreChart } from './scoreTable.ts';

type Values = readonly (number | null)[];

export interface ScoreLine {
  /** `tableKey` of its table. */
  key: string;
  name: string;
  /** Which question, and which end is which. */
  direction: string;
  table: ScoreTable;
  /** One a layer. */
  values: Values;
  intervals: ScoreTable['intervals'];
  /** What chance gives, for all layers or for each. */
  reference: number | Values | undefined;
  /** 1 = speaks most for keeping the layer; without a direction the highest. Equal values share the mean rank. */
  ranks: Values;
}

/** One value a layer, where a table has them. */
export function layerValues({ subject, values, layers: own }: ScoreTable, layers: number): Values | null {
  const found = subject === 'layer' && values.length === layers ? values : own?.values;
  return found?.length === layers ? found : null;
}

/** By question; tables of one score, such as those of several tasks, stand beside each other. */
export function scoreLines(tables: readonly ScoreTable[], layers: number): ScoreLine[] {
  const lines = tables.flatMap((table): ScoreLine[] => {
    const values = layerValues(table, layers);
    if (!values?.some((value) => value !== null)) return [];
    const own = values === table.values;
    return [
      {
        key: tableKey(table),
        name: lineName(table, tables),
        direction: directionText(table),
        table,
        values,
        intervals: own ? table.intervals : undefined,
        reference: own ? table.reference?.value : undefined,
        ranks: ranksOf(values, table.higherMeans === 'remove'),
      },
    ];
  });
  const place = (of: (line: ScoreLine) => string, line: ScoreLine) => lines.findIndex((one) => of(one) === of(line));
  const question = ({ table }: ScoreLine) => table.question;
  const score = ({ table }: ScoreLine) => table.score;
  return lines
    .map((line, at) => ({ line, at }))
    .sort(
      (a, b) =>
        place(question, a.line) - place(question, b.line) || place(score, a.line) - place(score, b.line) || a.at - b.at,
    )
    .map(({ line }) => line);
}

/** The title, and only what tells it from others of the same title: options, or "task capital". */
function lineName(table: ScoreTable, among: readonly ScoreTable[]): string {
  const alike = among.filter(({ title }) => title === table.title);
  const differ = Object.entries(table.options).filter(([name, value]) =>
    alike.some(({ options }) => JSON.stringify(options[name]) !== JSON.stringify(value)),
  );
  const texts = alike.some((other) => other.texts !== table.texts) ? (table.texts ?? 'no texts') : '';
  const task = /^task [^,]*/.exec(texts)?.[0] ?? texts;
  return [table.title, optionText(Object.fromEntries(differ)), task].filter((part) => part !== '').join(', ');
}

export function ranksOf(values: Values, lowFirst: boolean): (number | null)[] {
  const known = values.filter((value) => value !== null);
  return values.map((value) => {
    if (value === null) return null;
    const before = known.filter((other) => (lowFirst ? other < value : other > value)).length;
    const equal = known.filter((other) => other === value).length;
    return before + (equal + 1) / 2;
  });
}

/** Layers from the first rank on, without a value last; in their own order where no line is named. */
export function layerOrder(lines: readonly ScoreLine[], layers: number, key: string): number[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  const ranks = lines.find((line) => line.key === key)?.ranks;
  if (!ranks) return all;
  return all.sort((a, b) => (ranks[a] ?? Infinity) - (ranks[b] ?? Infinity) || a - b || 0);
}

/** Ranks as cells, the first the deepest. */
export function rankChart(lines: readonly ScoreLine[], order: readonly number[]): HeatScoreChart {
  return {
    kind: 'heat',
    rowAxis: 'score',
    columnAxis: 'layer',
    rows: lines.map(({ name }) => name),
    columns: order.map(String),
    values: lines.flatMap(({ ranks }) =>
      order.map((layer) => {
        const rank = ranks[layer] ?? null;
        return rank === null ? null : order.length + 1 - rank;
      }),
    ),
    limit: Math.max(1, order.length),
    marked: [],
  };
}

/** Of a small chart: bars with intervals, and what chance gives for each layer as a line. */
export function smallSeries({ name, values, intervals, reference }: ScoreLine, order: readonly number[]): Series[] {
  const placed = <T>(all: readonly T[]) => order.map((layer) => all[layer]!);
  const bars: Series = {
    name,
    style: 0,
    mark: 'bars',
    values: placed(values),
    intervals: intervals ? placed(intervals) : undefined,
  };
  if (typeof reference !== 'object') return [bars];
  return [bars, { name: 'reference', style: 1, mark: 'lines', values: placed(reference) }];
}

/** One scale for tables of one score and options, which differ in their texts alone. */
export function sharedDomain(line: ScoreLine, lines: readonly ScoreLine[]): [number, number] {
  const same = ({ table }: ScoreLine) =>
    table.score === line.table.score && JSON.stringify(table.options) === JSON.stringify(line.table.options);
  const order = line.values.map((_, layer) => layer);
  return seriesDomain(lines.filter(same).flatMap((one) => smallSeries(one, order)));
}

/** "layer 3", in the words of the table's own axis where the values are its own. */
export const layerName = ({ table, values }: ScoreLine, layer: number) =>
  values === table.values ? placeText(table, layer) : `layer ${layer}`;
