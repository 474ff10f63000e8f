/**
 * A file as lines. Only `\n` ends a line (a `\r` before it is dropped): JSON strings may hold U+2028, which Node's `readline`
 * takes for a line end.
 */
import { textBytes } from './bytes.ts';
import { broken } from './reader.ts';

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
  const finish = (end: Buffer): Buffer => {
    const line = rest.length === 0 ? end : Buffer.concat([...rest, end]);
    rest = [];
    return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
  };
  for await (const chunk of textBytes(file)) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      yield finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield finish(Buffer.alloc(0));
}

export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== CARRIAGE_RETURN) return false;
  return true;
}

export function decode(bytes: Uint8Array, file: string, line: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw broken(file, line, 'the text is not UTF-8; save the file in that encoding', error);
  }
}
