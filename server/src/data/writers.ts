/**
 * Rows as texts of the formats that a dataset can be written in. JSON keeps whole floats and large whole numbers; CSV
 * is RFC 4180 with a header, lists and mappings as JSON. To add one: a row here.
 */
import type { DataFormat } from '../../../protocol/experiment.ts';
import { isFloat, floatText } from './jinja/numbers.ts';
import { jsonLine } from './jsonLine.ts';
import type { Row } from './types.ts';

type Values = Record<string, unknown>;

export interface Writer {
  /** With the dot. */
  ending: string;
  /** Before the first row, between two rows, and behind the last one. */
  start(columns: readonly string[]): string;
  between: string;
  row(values: Values, columns: readonly string[]): string;
  end: string;
}

/** Whether the rows of a JSON file stand in a list of their own, as `datasets` writes one. */
export type WrittenFormat = 'jsonl' | 'json' | 'csv' | 'tsv';

const separated = (ending: string, separator: string): Writer => ({
  ending,
  start: (columns) => `${columns.map((name) => cell(name, separator)).join(separator)}\n`,
  between: '',
  row: (values, columns) => `${columns.map((name) => cell(values[name], separator)).join(separator)}\n`,
  end: '',
});

export const writers: Record<WrittenFormat, Writer> = {
  jsonl: { ending: '.jsonl', start: () => '', between: '', row: (values) => `${jsonLine(values)}\n`, end: '' },
  json: { ending: '.json', start: () => '[\n', between: ',\n', row: (values) => jsonLine(values), end: '\n]\n' },
  csv: separated('.csv', ','),
  tsv: separated('.tsv', '\t'),
};

/** What a file of this format is written as: itself, or JSON lines where it cannot be written. */
export function writtenFormat(format: DataFormat | null, file: string): WrittenFormat {
  if (format === 'csv' || format === 'tsv') return format;
  return format === 'json' && /\.json(\.\w+)?$/i.test(file) ? 'json' : 'jsonl';
}

const separatedFormats: ReadonlySet<string> = new Set<WrittenFormat>(['csv', 'tsv']);

/**
 * What is written of a row: the cells as they stand in its file, or, between CSV and JSON, the values of their columns'
 * types, so that reading the new file gives the same values.
 * @param from format of its file
 */
export function cellsOf({ values, given }: Row, from: DataFormat | null, to: WrittenFormat): Values {
  return given && separatedFormats.has(from ?? '') === separatedFormats.has(to) ? given : values;
}

function cell(value: unknown, separator: string): string {
  if (value === null || value === undefined) return '';
  const text =
    typeof value === 'string'
      ? value
      : isFloat(value)
        ? floatText(Number(value))
        : jsonLine(value).replace(/^"|"$/g, '');
  return /["\r\n]/.test(text) || text.includes(separator) || text.trim() !== text
    ? `"${text.replaceAll('"', '""')}"`
    : text;
}
