/**
 * The values of a stream of JSON, one after the other, without holding more than one of them: what stands at the top
 * (`{...} {...}`, with line breaks wherever), or the elements of one array. Only brackets, quotes and commas are looked
 * at; the value's own text is for the caller to parse. `\n`, `\r\n` and a lone `\r` end a line.
 */
import { broken, LARGEST_VALUE_BYTES } from './reader.ts';

export interface JsonValue {
  bytes: Buffer;
  /** Where it begins, from 1. */
  line: number;
}

const [NEWLINE, RETURN, QUOTE, COMMA, BACKSLASH, END_BRACKET] = [...'\n\r",\\]'].map((c) => c.charCodeAt(0));

/** What a byte is for JSON. */
const [OTHER, BLANK, OPEN, CLOSE, SEPARATOR, QUOTES] = [0, 1, 2, 3, 4, 5];
const kinds = new Uint8Array(256).fill(OTHER);
for (const [characters, kind] of [
  [' \t\n\r', BLANK],
  ['{[', OPEN],
  ['}]', CLOSE],
  [',', SEPARATOR],
  ['"', QUOTES],
] as const)
  for (const c of characters) kinds[c.charCodeAt(0)] = kind;

/** Before the array, at a place for an element (or its end), within a value, behind an element, behind the array. */
type State = 'start' | 'element' | 'value' | 'comma' | 'end';

/**
 * @param inside `stream`: values at the top; `array`: the elements of the one array there
 * @throws LayerifError `badData` with the line: a bracket or string that is never closed, a missing or spare comma
 */
export async function* jsonValues(
  chunks: AsyncIterable<Buffer>,
  inside: 'stream' | 'array',
  file: string,
): AsyncGenerator<JsonValue, void, undefined> {
  const isArray = inside === 'array';
  let state: State = isArray ? 'start' : 'element';
  let elements = 0;
  let line = 1;
  let afterReturn = false;
  let depth = 0;
  let string = false;
  let escaped = false;
  let begin = { line: 1, parts: [] as Buffer[], size: 0 };

  for await (const chunk of chunks) {
    let from = 0; // of the open value, in this chunk
    const finish = (end: number): JsonValue => {
      const value = { bytes: Buffer.concat([...begin.parts, chunk.subarray(from, end)]), line: begin.line };
      begin = { line, parts: [], size: 0 };
      state = isArray ? 'comma' : 'element';
      elements += 1;
      return value;
    };
    for (let i = 0, c = chunk[i]; c !== undefined; c = chunk[++i]) {
      const kind = kinds[c];
      if (c === NEWLINE || c === RETURN) {
        if (string)
          throw broken(
            file,
            line,
            'the file is not JSON: a line ends inside a string; close the quotes, or write \\n in it',
          );
        if (c === RETURN || !afterReturn) line += 1;
      }
      afterReturn = c === RETURN;
      if (state === 'value') {
        if (string) {
          if (escaped) escaped = false;
          else if (c === BACKSLASH) escaped = true;
          else if (c === QUOTE) {
            string = false;
            if (depth === 0) yield finish(i + 1);
          }
          continue;
        }
        if (depth > 0) {
          if (c === QUOTE) string = true;
          else if (kind === OPEN) depth += 1;
          else if (kind === CLOSE) {
            depth -= 1;
            if (depth === 0) yield finish(i + 1);
          }
          continue;
        }
        // A number or a word ends before what cannot be part of it.
        if (kind === OTHER) continue;
        yield finish(i);
      }
      if (kind === BLANK) continue;
      const here = state as State;
      if (here === 'start') {
        state = 'element';
      } else if (here !== 'end' && isArray && c === END_BRACKET) {
        if (here === 'element' && elements > 0)
          throw broken(file, line, 'the file is not JSON: a comma stands before the closing ]; remove it');
        state = 'end';
      } else if (here === 'comma') {
        if (c !== COMMA)
          throw broken(
            file,
            line,
            `the file is not JSON: expected ',' or ']' after row ${elements - 1}, found ${shown(c)}`,
          );
        state = 'element';
      } else if (here === 'end') {
        throw broken(file, line, `the file is not JSON: ${shown(c)} stands behind the array's closing ]; remove it`);
      } else if (c === COMMA || kind === CLOSE) {
        throw broken(file, line, `the file is not JSON: expected row ${elements}, found ${shown(c)}`);
      } else {
        state = 'value';
        begin = { line, parts: [], size: 0 };
        from = i;
        string = c === QUOTE;
        depth = kind === OPEN ? 1 : 0;
      }
    }
    if (state === 'value') {
      begin.parts.push(chunk.subarray(from));
      begin.size += chunk.length - from;
      if (begin.size > LARGEST_VALUE_BYTES)
        throw broken(
          file,
          begin.line,
          `the JSON value that begins here has more than the ${LARGEST_VALUE_BYTES / 1e6} MB that are read at once; write one object a line (.jsonl)`,
        );
    }
  }
  if (state === 'value' && depth === 0 && !string) {
    if (!isArray) yield { bytes: Buffer.concat(begin.parts), line: begin.line };
    state = 'comma';
  } else if (state === 'value') {
    throw broken(
      file,
      begin.line,
      'the file is not JSON: it ends before the value that begins here is closed; it is cut off: copy or download it again',
    );
  }
  if (isArray && (state as State) !== 'end')
    throw broken(
      file,
      line,
      'the file is not JSON: it ends before the array is closed with ]; it is cut off: copy or download it again',
    );
}

function shown(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `the byte 0x${byte.toString(16)}`;
}
