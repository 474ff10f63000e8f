/**
 * JSON: one object a line (`.jsonl`, `.ndjson`), or one document (`.json`): an array of objects, or an object with one property
 * that is such an array. A `.json` file with one object a line is read as lines, as Hugging Face does.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Row } from '../types.ts';
import { broken, columnsOfFirstRows, readError, type Reader } from './reader.ts';
import { decode, isBlank, lineBytes, withoutMark } from './lines.ts';

/** A document must fit into one string of V8. */
const LARGEST_DOCUMENT_BYTES = 500e6;

export const json: Reader = {
  format: 'json',
  endings: ['.jsonl', '.ndjson', '.json'],
  async *rows(file, start, end) {
    if (end <= start) return;
    if (await isLines(file)) yield* lineRows(file, start, end);
    else for (const row of (await documentRows(file)).slice(start, end)) yield row;
  },
  async count(file) {
    if (!(await isLines(file))) return (await documentRows(file)).length;
    let count = 0;
    for await (const bytes of lineBytes(file)) if (!isBlank(bytes)) count += 1;
    return count;
  },
  columns: (file) => columnsOfFirstRows(json, file),
};

async function* lineRows(file: string, start: number, end: number): AsyncGenerator<Row, void, undefined> {
  let line = 0;
  let row = -1;
  for await (const bytes of lineBytes(file)) {
    line += 1;
    if (isBlank(bytes)) continue;
    row += 1;
    if (row < start) continue;
    const text = decode(bytes, file, line);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw broken(
        file,
        line,
        `row ${row} is not JSON: ${reason(error)}; write one complete JSON object a line`,
        error,
      );
    }
    if (!isObject(value))
      throw broken(file, line, `row ${row} is ${kind(value)}, not a JSON object with named columns`);
    yield { values: value, file, row, line };
    if (row + 1 >= end) return;
  }
}

async function isLines(file: string): Promise<boolean> {
  if (!file.toLowerCase().endsWith('.json')) return true;
  for await (const bytes of lineBytes(file)) {
    if (isBlank(bytes)) continue;
    if (bytes.subarray(0, 64).toString().trimStart().startsWith('[')) return false;
    try {
      const value: unknown = JSON.parse(bytes.toString());
      // A whole document on one line, {"data": [...]}, against a first row.
      return isObject(value) && arrayProperties(value).length !== 1;
    } catch {
      return false;
    }
  }
  return true;
}

async function documentRows(file: string): Promise<Row[]> {
  const text = await readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const line = failureLine(error, text);
    throw broken(file, line, `the file is not JSON: ${reason(error)}`, error);
  }
  let depth = 1;
  if (isObject(value)) {
    const names = arrayProperties(value);
    if (names.length !== 1) {
      throw broken(
        file,
        1,
        `the file holds one object with ${names.length === 0 ? 'no array' : `${names.length} arrays (${names.join(', ')})`} of rows; write an array of objects, or one object a line`,
      );
    }
    value = value[names[0]];
    depth = 2;
  }
  if (!Array.isArray(value))
    throw broken(file, 1, `the file holds ${kind(value)}; write an array of objects, or one object a line`);
  const lines = elementLines(text, depth);
  return value.map((values: unknown, row) => {
    if (!isObject(values))
      throw broken(file, lines[row], `row ${row} is ${kind(values)}, not a JSON object with named columns`);
    return { values, file, row, line: lines[row] ?? null };
  });
}

/** The line, from 1, of each element of the array that stands at `depth` brackets in valid JSON (the first array of objects there). */
function elementLines(text: string, depth: number): number[] {
  const lines: number[] = [];
  let line = 1;
  let level = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (c === '\n') line += 1;
    else if (inString) {
      if (c === '\\') i += 1;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === '{' || c === '[') {
      if (c === '{' && level === depth) lines.push(line);
      level += 1;
    } else if (c === '}' || c === ']') level -= 1;
  }
  return lines;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_DOCUMENT_BYTES) {
      throw broken(
        file,
        undefined,
        `the JSON document has ${Math.round(size / 1e6)} MB, more than the 500 MB that are read at once; write one object a line (.jsonl)`,
      );
    }
    return decode(withoutMark(await readFile(file), file), file, 1);
  } catch (error) {
    throw readError(error, file);
  }
}

function arrayProperties(value: Record<string, unknown>): string[] {
  return Object.keys(value).filter((name) => {
    const rows = value[name];
    return Array.isArray(rows) && rows.length > 0 && rows.every(isObject);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return { string: 'a string', number: 'a number', boolean: 'a truth value' }[typeof value as string] ?? 'an object';
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
}

function failureLine(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(reason(error))?.[1];
  return text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length;
}
