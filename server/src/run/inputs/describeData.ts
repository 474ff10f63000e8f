/**
 * What a data file holds, for a person who chooses columns: the first row, which columns hold labels, how the rows are
 * split. Labels and lengths are those of the first rows; splits are counted over all.
 */
import type { DataLabel, DescribedColumn, DescribedData } from '../../../../protocol/dataDescription.ts';
import { splitWords } from '../../data/inputFiles.ts';
import { openKnownDataset } from './describe.ts';
import { firstRows } from './firstRows.ts';
import { nth } from '../../lists/nth.ts';

const ROWS_READ = 20_000;
const MOST_LABELS = 20;
const LONGEST_LABEL = 60;
const SHOWN = 160;

/**
 * @param path absolute, a file or folder of data
 * @throws LayerifError `badData`
 */
export async function describeData(path: string): Promise<DescribedData> {
  const plain = await openKnownDataset('data', { path }, '/');
  const rows = await firstRows(plain, nth(plain.splits, 0), ROWS_READ);
  const columns = plain.columns.map((name) =>
    describeColumn(
      name,
      rows.map(({ values }) => values[name] ?? null),
    ),
  );
  const splitColumn = plain.splits.length > 1 ? null : (columns.find(isSplitColumn)?.name ?? null);
  const opened =
    splitColumn === null ? plain : await openKnownDataset('data', { path, split_column: splitColumn }, '/');
  const splits: Record<string, number> = {};
  for (const split of opened.splits) splits[split] = await opened.count(split);
  return { columns: columns.filter(({ name }) => name !== splitColumn), splits, splitColumn };
}

function describeColumn(name: string, values: readonly unknown[]): DescribedColumn {
  const texts = values.map(textOf);
  const starts = new Map<DataLabel, number>();
  let runs = 0;
  let labelled = true;
  for (const [row, value] of values.entries()) {
    if (!isLabel(value) || (!starts.has(value) && starts.size === MOST_LABELS)) {
      labelled = false;
      break;
    }
    if (row === 0 || values[row - 1] !== value) runs += 1;
    if (!starts.has(value)) starts.set(value, row);
  }
  // A label is there to be seen again.
  const labels = labelled && starts.size > 1 && values.length >= 2 * starts.size ? [...starts.keys()] : null;
  const sorted = labels !== null && runs === labels.length && values.length < ROWS_READ;
  const [first = ''] = texts;
  return {
    name,
    first: first.length > SHOWN ? `${first.slice(0, SHOWN - 1)}\u2026` : first,
    length: texts.reduce((sum, text) => sum + text.length, 0) / Math.max(1, texts.length),
    labels,
    sortedFrom: sorted ? [...starts.values()] : null,
  };
}

const isLabel = (value: unknown): value is DataLabel =>
  (typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_LABEL) ||
  (typeof value === 'number' && Number.isInteger(value)) ||
  typeof value === 'boolean';

const nameOfSplits = /^(split|subset|fold|partition|set)$/i;
const knownSplits = new Set(splitWords.flat());

const isSplitColumn = ({ name, labels }: DescribedColumn): boolean =>
  nameOfSplits.test(name) && labels !== null && labels.every((label) => knownSplits.has(String(label).toLowerCase()));

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
