/**
 * A file as lines. Only `\n` ends a line (a `\r` before it is dropped): JSON strings may hold U+2028, which Node's
 * `readline` takes for a line end.
 */
import type { LayerifError } from '../../../../protocol/errors.ts';
import { toUtf8 } from '../../files/utf8.ts';
import { textBytes } from './bytes.ts';
import { broken, LARGEST_VALUE_BYTES } from './reader.ts';

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface Line {
  text: string;
  /** From 1. */
  line: number;
}

/**
 * Lines from number `from` on (lines before it are not decoded). A last line break makes no empty last line.
 * @throws LayerifError `badData` with the line where the text is not UTF-8.
 */
export async function* readLines(file: string, from = 1): AsyncGenerator<Line, void, undefined> {
  let line = 0;
  for await (const bytes of lineBytes(file)) {
    line += 1;
    if (line >= from) yield { text: decode(bytes, file, line), line };
  }
}

/** The bytes of each line, without the line end and without a byte order mark. */
export async function* lineBytes(file: string): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = [];
  let held = 0; // bytes of rest
  let line = 1;
  const finish = (end: Buffer): Buffer => {
    const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  };
  for await (const chunk of textBytes(file)) {
    let start = 0;
    let count = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield finish(chunk.subarray(start, end));
      start = end + 1;
      count += 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
    held = start === 0 ? held + chunk.length : chunk.length - start;
    line += count;
    if (held > LARGEST_VALUE_BYTES) throw tooLong(file, line);
  }
  if (rest.length > 0) yield finish(Buffer.alloc(0));
}

export function tooLong(file: string, line: number | undefined): LayerifError {
  return broken(
    file,
    line,
    `the line has more than the ${LARGEST_VALUE_BYTES / 1e6} MB that are read at once; is it text with a row a line?`,
  );
}

export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== CARRIAGE_RETURN) return false;
  return true;
}

/** @throws LayerifError `badData` with the line: no UTF-8, or a NUL byte, which no text holds */
export function decode(bytes: Uint8Array, file: string, line: number): string {
  if (bytes.includes(0))
    throw broken(
      file,
      line,
      'the line holds a NUL byte: the file is no text, or damaged, or UTF-16 without its mark; save it as UTF-8 text',
    );
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw broken(
      file,
      line,
      `the text is not UTF-8, perhaps Latin-1 or Windows-1252; ${toUtf8('WINDOWS-1252')}`,
      error,
    );
  }
}
