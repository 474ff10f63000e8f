/**
 * JSON in every form that Hugging Face `datasets` reads, told by the content and not by the ending: one object a line,
 * objects one after the other with line breaks wherever, an array of objects (or of texts: column `text`), or one
 * object whose array holds the rows: the property `field`, else the only one that is an array of objects. A
 * conversation, `{"messages": [{"role": ...}]}`, is a row.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Row } from '../types.ts';
import { textBytes } from './bytes.ts';
import { mistakenOr } from '../../files/mistaken.ts';
import { NotJson } from '../../text/jsonFault.ts';
import { parseJson } from './jsonText.ts';
import { elementLines } from './jsonMembers.ts';
import { anyColumn, jsonTyping, pandasDates } from './jsonTyping.ts';
import { jsonValues, type JsonValue } from './jsonValues.ts';
import { decode, isBlank, lineBytes } from './lines.ts';
import { broken, type ReadOptions, type Reader } from './reader.ts';

const MEND = 'mend it there, or copy the file again';

/** How much of a file is looked at for names and types of its columns: the first chunk, as in `datasets`. */
const COLUMN_SAMPLE_BYTES = 10 << 20;

/**
 * How a file is written. `lines` is `stream` with an object a line: read by lines, so that a broken one is named and
 * the rest of the file does not run into it.
 */
type Layout = { form: 'lines' | 'stream' | 'array' } | { form: 'document'; rows: Row[] };

export const json: Reader = {
  format: 'json',
  endings: ['.jsonl', '.ndjson', '.json'],
  async *rows(file, start, end, options) {
    if (end <= start) return;
    const layout = await layoutOf(file, options);
    if (layout.form === 'document') {
      yield* layout.rows.slice(start, end);
      return;
    }
    let row = -1;
    for await (const value of valuesOf(file, layout.form)) {
      row += 1;
      if (row < start) continue;
      yield rowOf(value, row, file, layout.form);
      if (row + 1 >= end) return;
    }
  },
  async count(file, options) {
    const layout = await layoutOf(file, options);
    if (layout.form === 'document') return layout.rows.length;
    const values = valuesOf(file, layout.form);
    let count = 0;
    while ((await values.next()).done !== true) count += 1;
    return count;
  },
  async columns(file, options) {
    const layout = await layoutOf(file, options);
    const names = new Set<string>();
    const note = ({ values }: Row): void => Object.keys(values).forEach((name) => names.add(name));
    if (layout.form === 'document') {
      layout.rows.forEach(note);
      return [...names];
    }
    let row = 0;
    let bytes = 0;
    for await (const value of valuesOf(file, layout.form)) {
      note(rowOf(value, row, file, layout.form));
      row += 1;
      bytes += value.bytes.length;
      if (bytes >= COLUMN_SAMPLE_BYTES) break;
    }
    return [...names];
  },
  async typing(file, options) {
    const rows: Record<string, unknown>[] = [];
    try {
      const layout = await layoutOf(file, options);
      if (layout.form === 'document') {
        const times = options.field === undefined ? anyColumn : pandasDates;
        return jsonTyping(
          layout.rows.map(({ values }) => values),
          times,
        );
      }
      let bytes = 0;
      for await (const value of valuesOf(file, layout.form)) {
        rows.push(rowOf(value, rows.length, file, layout.form).values);
        bytes += value.bytes.length;
        // An array is one chunk for `datasets`, however long.
        if (layout.form !== 'array' && bytes >= COLUMN_SAMPLE_BYTES) break;
      }
    } catch (error) {
      // Rows behind a broken one: said when they are read.
      if (!(error instanceof LayerifError)) throw error;
    }
    return jsonTyping(rows);
  },
};

function valuesOf(file: string, form: 'lines' | 'stream' | 'array'): AsyncGenerator<JsonValue, void, undefined> {
  return form === 'lines' ? filledLines(file) : jsonValues(textBytes(file), form, file);
}

async function* filledLines(file: string): AsyncGenerator<JsonValue, void, undefined> {
  let line = 0;
  for await (const bytes of lineBytes(file)) {
    line += 1;
    if (!isBlank(bytes)) yield { bytes, line };
  }
}

async function layoutOf(file: string, { field }: ReadOptions): Promise<Layout> {
  if (field !== undefined) return { form: 'document', rows: fieldRows(await onlyValue(file), field, file) };
  const [first, second] = await firstOf(filledLines(file), 2);
  if (first === undefined) return { form: 'lines' };
  const value = attempt(first);
  if (value === undefined) {
    const opening = String.fromCharCode(first.bytes.find((byte) => !isBlank(Buffer.of(byte)))!);
    if (opening === '[') return { form: 'array' };
    if (opening !== '{') return { form: 'lines' };
    // An object over several lines, by itself or before others.
    const [only, other] = await firstOf(jsonValues(textBytes(file), 'stream', file), 2);
    const alone = only !== undefined && other === undefined;
    return (alone && documentOf(only, attempt(only), file)) || { form: 'stream' };
  }
  if (second !== undefined) return { form: Array.isArray(value) && value.length === 0 ? 'array' : 'lines' };
  const isDocument = !/\.(jsonl|ndjson)(\.|$)/i.test(file);
  if (Array.isArray(value)) {
    const rows = value.every((one) => isObject(one) || typeof one === 'string');
    return { form: isDocument || rows ? 'array' : 'lines' };
  }
  if (isDocument && !isObject(value))
    throw broken(file, first.line, `the file holds ${kindOf(value)}; write an array of objects, or one object a line`);
  return (isDocument && documentOf(first, value, file)) || { form: 'lines' };
}

/** The rows of `{"data": [...]}`; null where the object is a row itself. */
function documentOf(source: JsonValue, value: unknown, file: string): Layout | null {
  if (!isObject(value)) return null;
  const names = Object.keys(value).filter((name) => isRows(value[name]));
  const [name, ...others] = names;
  if (name === undefined) return null;
  if (others.length > 0) {
    throw broken(
      file,
      source.line,
      `the file holds one object with ${names.length} arrays (${names.join(', ')}) of rows; name one of them with field: ${name}, or write an array of objects, or one object a line`,
    );
  }
  return { form: 'document', rows: fieldRows({ source, value }, name, file) };
}

/** The file as one value. */
async function onlyValue(file: string): Promise<{ source: JsonValue; value: unknown }> {
  const [source, other] = await firstOf(jsonValues(textBytes(file), 'stream', file), 2);
  if (source === undefined)
    throw broken(file, undefined, 'the file is empty; field names a property of one JSON object');
  if (other !== undefined)
    throw broken(
      file,
      other.line,
      'field names a property of one JSON object, but a second value begins here; leave field out to read one row for each',
    );
  return { source, value: parsed(source, file, 'the file') };
}

function fieldRows({ source, value }: { source: JsonValue; value: unknown }, field: string, file: string): Row[] {
  if (!isObject(value) || !Object.hasOwn(value, field)) {
    const found = isObject(value) ? `properties: ${Object.keys(value).join(', ')}` : `the file holds ${kindOf(value)}`;
    throw broken(file, source.line, `the file has no property "${field}" (field: ${field}); ${found}`);
  }
  const rows = value[field];
  if (!Array.isArray(rows))
    throw broken(file, source.line, `the property "${field}" is ${kindOf(rows)}, not an array of rows`);
  const lines = elementLines(source, field);
  return rows.map((values: unknown, row) => ({
    values: valuesOfRow(values, row, file, lines[row]),
    file,
    row,
    line: lines[row] ?? null,
  }));
}

function rowOf(value: JsonValue, row: number, file: string, form: 'lines' | 'stream' | 'array'): Row {
  const what = form === 'array' ? 'the file' : `row ${row}`;
  const values = parsed(value, file, what, form === 'lines' ? 'write one complete JSON object a line' : MEND);
  return { values: valuesOfRow(values, row, file, value.line, form === 'array'), file, row, line: value.line };
}

function valuesOfRow(
  value: unknown,
  row: number,
  file: string,
  line: number | undefined,
  inArray = true,
): Record<string, unknown> {
  if (isObject(value)) return value;
  if (inArray && typeof value === 'string') return { text: value };
  throw broken(
    file,
    line,
    `row ${row} is ${kindOf(value)}, not a JSON object with named columns; write {"name": value, ...} for every row`,
  );
}

/** @param what of the file, for the message */
function parsed(source: JsonValue, file: string, what: string, advice = MEND): unknown {
  const text = decode(source.bytes, file, source.line);
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const { line, column, what: fault } = error.fault;
    const words = mistakenOr(source.bytes, `column ${column}: ${fault}`, advice);
    throw broken(file, source.line + line - 1, `${what} is not JSON: ${words}`, error);
  }
}

/** The value, or undefined where the text is not a complete one. */
function attempt({ bytes }: JsonValue): unknown {
  try {
    return parseJson(bytes.toString());
  } catch {
    return undefined;
  }
}

async function firstOf<T>(items: AsyncGenerator<T, void, undefined>, limit: number): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) {
    found.push(item);
    if (found.length === limit) break;
  }
  return found;
}

/** An array of objects that are no turns of a conversation. */
function isRows(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isObject) && !value.every(isTurn);
}

/** `role` and `content`, or ShareGPT's `from` and `value`. */
function isTurn(value: Record<string, unknown>): boolean {
  return 'role' in value || ('from' in value && 'value' in value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return { string: 'a string', number: 'a number', boolean: 'a truth value' }[typeof value as string] ?? 'an object';
}
