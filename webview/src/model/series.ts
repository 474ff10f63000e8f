/** Numbers over ordered places, and their words. Pure: no DOM. */
import { finite } from './layers.ts';

export type Interval = readonly [number, number];

export interface Series {
  name: string;
  /** Place in `taskStyles`: hue, pattern, dash and marker. */
  style: number;
  mark: 'bars' | 'lines';
  /** One per place; null = none there. */
  values: readonly (number | null)[];
  intervals?: readonly (Interval | null)[] | undefined;
}

/** Limits of the value axis: all values and intervals, zero for bars, and what is asked for. Never empty. */
export function seriesDomain(series: readonly Series[], asked?: readonly [number, number]): [number, number] {
  const numbers = series.flatMap(({ values, intervals, mark }) => [
    ...values.flatMap((value) => (value === null ? [] : [finite(value)])),
    ...(intervals ?? []).flatMap((interval) => interval ?? []),
    ...(mark === 'bars' ? [0] : []),
  ]);
  const low = Math.min(...numbers, ...(asked ? [asked[0]] : []));
  const high = Math.max(...numbers, ...(asked ? [asked[1]] : []));
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** What stands at one place, series by series: for the tooltip, and joined for the live region. */
export function placeWords(series: readonly Series[], place: number, format: (value: number) => string): string[] {
  return series.flatMap(({ name, values, intervals }) => {
    const value = values[place] ?? null;
    if (value === null) return [];
    const interval = intervals?.[place];
    return [`${name}: ${format(value)}${interval ? ` [${format(interval[0])}, ${format(interval[1])}]` : ''}`];
  });
}

/** Text alternative of a chart: what it shows, and every series' range. */
export function describeSeries(what: string, series: readonly Series[], format: (value: number) => string): string {
  const parts = series.map(({ name, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${name}: no values`;
    return `${name}: ${format(Math.min(...known))} to ${format(Math.max(...known))}`;
  });
  return `${what}. ${parts.join('; ')}.`;
}
