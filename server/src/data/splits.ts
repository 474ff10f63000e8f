/**
 * A dataset opened: its splits, columns and rows. Rows come in file order, unshuffled; `field_mapping` gives columns
 * further names; `split_column` takes the splits from a column instead of from files.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Dataset } from '../../../protocol/experiment.ts';
import { openArrays } from './arrayDataset.ts';
import { columnsOf, countRows, readRows, type DataFile } from './formats.ts';
import { datasetFiles, type SplitFiles } from './inputFiles.ts';
import { listed } from '../text/listed.ts';
import { didYouMean } from '../text/nearest.ts';
import type { OpenDataset } from './dataset.ts';
import { parseSlices, resolveSlice, type Range, type Slice } from './slices.ts';
import type { Row } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Rows of the default validation split. */
const DEFAULT_VALIDATION_ROWS = 50;

/**
 * @throws LayerifError `badData`: missing files, unknown format, a `split_column` or mapped column that is not there.
 */
export async function openDataset(name: string, dataset: Dataset, baseDir: string): Promise<OpenDataset> {
  if (dataset.arrays) return openArrays(name, dataset.arrays, dataset.field_mapping ?? {}, baseDir);
  const groups = typedByFirst(await datasetFiles(name, dataset, baseDir));
  const all = [...groups.values()].flat();
  const files = [...new Map(all.map((file) => [file.path, file])).values()];
  const stored = files.length === 0 ? [] : await columnsOf(nth(files, 0));
  const mapping = dataset.field_mapping ?? {};
  for (const [added, column] of Object.entries(mapping)) {
    if (stored.length > 0 && !stored.includes(column)) {
      throw fault(
        name,
        `field_mapping takes "${added}" from the column "${column}", which is not there; columns: ${listed(stored)}${didYouMean(column, stored)}`,
      );
    }
  }
  const source =
    dataset.split_column === undefined ? byFiles(groups) : await byColumn(name, dataset.split_column, groups, stored);
  const known = (split: string): void => {
    if (!source.splits.includes(split)) {
      throw fault(name, `has no split "${split}"; it has ${listed(source.splits)}${didYouMean(split, source.splits)}`);
    }
  };
  return {
    name,
    splits: source.splits,
    columns: [...new Set([...stored, ...Object.keys(mapping)])],
    files: files.map((file) => file.path),
    warnings: unusedSplitColumn(name, dataset, stored, source.splits),
    count(split) {
      known(split);
      return source.count(split);
    },
    async *rows(split, range) {
      known(split);
      for await (const row of source.rows(split, range)) yield asRead(row, stored, mapping);
    },
  };
}

/**
 * The rows of a slice such as `train[:300]` or `train[:10]+test[:5]`.
 * @throws LayerifError `badData`: no slice, unknown split, no row in it.
 */
export async function readSlice(dataset: OpenDataset, text: string): Promise<Row[]> {
  const rows: Row[] = [];
  const columns = new Set<string>();
  for (const slice of parseSlices(text)) {
    const range = await resolveSlice(slice, () => dataset.count(slice.split));
    for await (const row of dataset.rows(slice.split, range)) {
      rows.push(row);
      for (const name of Object.keys(row.values)) columns.add(name);
    }
  }
  if (rows.length === 0) throw await emptySlice(dataset, text);
  return rows.map((row) => asRead(row, columns, {}));
}

/** Number of rows of a slice, without reading them where the format tells. */
export async function countSlice(dataset: OpenDataset, text: string): Promise<number> {
  let total = 0;
  for (const slice of parseSlices(text)) {
    const count = await dataset.count(slice.split);
    const { start, end } = await resolveSlice(slice, () => Promise.resolve(count));
    total += Math.max(0, Math.min(end, count) - start);
  }
  return total;
}

/**
 * So many rows of a slice as a slice of their own, counted within it, as far as they go.
 * @returns how many there are too; the text of no rows is the slice's own
 */
export async function firstOfSlice(
  dataset: OpenDataset,
  text: string,
  from: number,
  count: number,
): Promise<{ text: string; rows: number }> {
  const terms: string[] = [];
  let [skip, left] = [from, count];
  for (const slice of parseSlices(text)) {
    const all = await dataset.count(slice.split);
    const { start, end } = await resolveSlice(slice, () => Promise.resolve(all));
    const first = start + skip;
    const last = Math.min(end, all, first + left);
    skip = Math.max(0, skip - Math.max(0, Math.min(end, all) - start));
    if (last <= first) continue;
    terms.push(`${slice.split}[${first}:${last}]`);
    left -= last - first;
  }
  return { text: terms.length === 0 ? text : terms.join('+'), rows: count - left };
}

/** `validation[:50]` where the dataset has that split, else the 50 rows after the training slice. */
export async function defaultValidation(dataset: OpenDataset, training: string): Promise<string> {
  if (dataset.splits.includes('validation')) return `validation[:${DEFAULT_VALIDATION_ROWS}]`;
  const last = parseSlices(training).at(-1)!;
  const rows = await dataset.count(last.split);
  const { end } = await resolveSlice(last, () => Promise.resolve(rows));
  if (end >= rows) {
    const fewer = Math.max(1, rows - Math.min(DEFAULT_VALIDATION_ROWS, Math.ceil(rows / 5)));
    throw fault(
      dataset.name,
      `no row is left for validation: ${training} takes the last of the ${rows} rows of "${last.split}"; set training_split to fewer rows, such as ${last.split}[:${fewer}], or give validation_split`,
    );
  }
  return `${last.split}[${end}:${end + DEFAULT_VALIDATION_ROWS}]`;
}

/** Columns have the types of the first file, whatever split it belongs to. */
function typedByFirst(groups: SplitFiles): SplitFiles {
  const [first] = [...groups.values()].flat();
  const typed = (file: DataFile): DataFile => (file.format === first?.format ? { ...file, typedBy: first.path } : file);
  return new Map([...groups].map(([split, files]) => [split, files.map(typed)]));
}

interface Source {
  splits: string[];
  count(split: string): Promise<number>;
  rows(split: string, range: Range): AsyncGenerator<Row, void, undefined>;
}

function byFiles(groups: SplitFiles): Source {
  const filesOf = (split: string): DataFile[] => groups.get(split) ?? [];
  return {
    splits: [...groups.keys()],
    async count(split) {
      let total = 0;
      for (const file of filesOf(split)) total += await countRows(file);
      return total;
    },
    async *rows(split, { start, end }) {
      let before = 0;
      for (const [i, file] of filesOf(split).entries()) {
        if (before >= end) return;
        // The last file's rows need not be counted: reading stops where they end.
        const count = i === filesOf(split).length - 1 ? Infinity : await countRows(file);
        if (before + count > start) yield* readRows(file, Math.max(0, start - before), end - before);
        before += count;
      }
    },
  };
}

async function byColumn(name: string, column: string, groups: SplitFiles, stored: string[]): Promise<Source> {
  if (!stored.includes(column)) {
    throw fault(
      name,
      `split_column "${column}" is not a column; columns: ${listed(stored)}${didYouMean(column, stored)}`,
    );
  }
  const files = [...groups.values()].flat();
  const splitOf = (row: Row): string => {
    const value = row.values[column];
    if (value === undefined || value === null || value === '') {
      throw new LayerifError('badData', `row ${row.row} has no value in the split_column "${column}"`, {
        place: placeOf(row),
      });
    }
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  const counts = new Map<string, number>();
  for (const file of files) {
    for await (const row of readRows(file)) counts.set(splitOf(row), (counts.get(splitOf(row)) ?? 0) + 1);
  }
  return {
    splits: [...counts.keys()],
    count: (split) => Promise.resolve(counts.get(split) ?? 0),
    async *rows(split, { start, end }) {
      let position = 0;
      for (const file of files) {
        for await (const row of readRows(file)) {
          if (splitOf(row) !== split) continue;
          if (position >= end) return;
          if (position >= start) yield row;
          position += 1;
        }
      }
    },
  };
}

/** Where a row stands, for error messages and links. */
export function placeOf(row: Row): { file: string; line?: number } {
  return row.line === null ? { file: row.file } : { file: row.file, line: row.line };
}

/**
 * A row as a dataset gives it: null for a column that only other rows have (a JSON object may leave it out, as Alpaca
 * files do with `input`), and the further names of `field_mapping`.
 */
export function asRead(row: Row, columns: Iterable<string>, mapping: Record<string, string>): Row {
  const added: [string, unknown][] = [];
  for (const name of columns) if (!Object.hasOwn(row.values, name)) added.push([name, null]);
  for (const [name, column] of Object.entries(mapping)) added.push([name, row.values[column] ?? null]);
  return added.length === 0 ? row : { ...row, values: { ...row.values, ...Object.fromEntries(added) } };
}

function unusedSplitColumn(name: string, dataset: Dataset, stored: string[], splits: string[]): string[] {
  if (dataset.split_column !== undefined || !stored.includes('split')) return [];
  return [
    `dataset "${name}" has a column "split" that is not used: its rows count as ${listed(splits)}; write split_column: split to take the splits from it`,
  ];
}

async function emptySlice(dataset: OpenDataset, text: string): Promise<LayerifError> {
  const sizes: string[] = [];
  for (const split of new Set(parseSlices(text).map((slice: Slice) => slice.split))) {
    sizes.push(`"${split}" has ${await dataset.count(split)} rows`);
  }
  return fault(dataset.name, `the split ${text} is empty: ${sizes.join(', ')}; choose a slice inside that`);
}

function fault(name: string, message: string): LayerifError {
  return new LayerifError('badData', `dataset "${name}": ${message}`);
}
