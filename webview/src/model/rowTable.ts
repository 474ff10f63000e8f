/** What a table of rows shows: found by a search and filters, in the order of a column. Pure: no DOM. */
import type { ComponentChildren } from 'preact';
import type { SampleTextAnswer } from '../../../protocol/lsp.ts';

type SampleText = SampleTextAnswer['samples'][number];

export interface RowColumn {
  id: string;
  name: string;
  title?: string;
  /** What is sorted by, and shown where there is no `show`. */
  value: (row: number) => number | string | null;
  show?: (row: number) => ComponentChildren;
}

export interface RowFilter {
  id: string;
  name: string;
  options: readonly { id: string; name: string; test: (row: number) => boolean }[];
}

export interface RowSort {
  column: string;
  descending: boolean;
}

/** Nothing is left out. */
export const ALL = '';

export interface RowQuery {
  search: string;
  /** Filter -> chosen option. */
  chosen: Readonly<Record<string, string>>;
  sort: RowSort;
}

/** Rows whose text holds every word of the search, whatever case. Undefined values come last. */
export function foundRows(
  rows: readonly number[],
  texts: ReadonlyMap<number, SampleText>,
  columns: readonly RowColumn[],
  filters: readonly RowFilter[],
  { search, chosen, sort }: RowQuery,
): number[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = filters.flatMap(({ id, options }) => options.find((option) => option.id === chosen[id])?.test ?? []);
  const found = rows.filter((row) => {
    if (!tests.every((test) => test(row))) return false;
    if (words.length === 0) return true;
    const text = texts.get(row)?.text?.toLowerCase();
    return text !== undefined && words.every((word) => text.includes(word));
  });
  const column = columns.find(({ id }) => id === sort.column);
  if (!column) return found;
  const values = new Map(found.map((row) => [row, column.value(row)]));
  const sign = sort.descending ? -1 : 1;
  return found.sort((a, b) => {
    const [x, y] = [values.get(a)!, values.get(b)!];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a - b;
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y) || a - b;
    return sign * String(x).localeCompare(String(y)) || a - b;
  });
}

/** More different answers are no labels. */
const MOST_LABELS = 40;

/** A filter by the answer of the rows, where these are labels: few different ones, and fewer than rows. */
export function labelFilter(texts: ReadonlyMap<number, SampleText>): RowFilter | null {
  const labels = new Map<string, number>();
  for (const { answer } of texts.values())
    if (answer !== null) labels.set(answer.trim(), (labels.get(answer.trim()) ?? 0) + 1);
  if (labels.size < 2 || labels.size > MOST_LABELS || labels.size >= texts.size) return null;
  return {
    id: 'label',
    name: 'Label',
    options: [...labels].sort().map(([label, count]) => ({
      id: `label ${label}`,
      name: `${label === '' ? '(empty)' : label} (${count})`,
      test: (row) => texts.get(row)?.answer?.trim() === label,
    })),
  };
}
