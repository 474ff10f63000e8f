/**
 * Jinja source -> tokens, by the rules of Jinja 3.1: `{% %}`, `{{ }}`, `{# #}`, `raw`, white space control by `-`, `+`,
 * `trim_blocks` and `lstrip_blocks`. Line breaks become `\n`.
 */
import type { LexerForm } from './dialects.ts';
import { float, whole } from './numbers.ts';
import { lookup } from '../../text/lookup.ts';

export type TokenType =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'string'
  | 'number'
  | 'operator'
  | 'end';

export interface Token {
  type: TokenType;
  /** Text of data, names and operators. */
  text: string;
  /** Of strings and numbers. */
  value?: unknown;
  /** Offset in the source. */
  at: number;
}

/** The source is no template; the message ends with its place. */
export class TemplateSyntaxError extends Error {}

export function failAt(source: string, at: number, message: string): never {
  const before = source.slice(0, at).split('\n');
  const place = before.length === 1 ? `column ${at + 1}` : `line ${before.length}, column ${before.at(-1)!.length + 1}`;
  throw new TemplateSyntaxError(`${message}, at ${place}`);
}

const NAME = /[\p{XID_Start}_][\p{XID_Continue}]*/uy;
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy;
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy;
const STRING = /'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const OPERATOR = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y;
const SPACE = /\s+/y;
const OPENING = /\{%|\{\{|\{#/g;
const RAW = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y;
const END_VARIABLE = /-\}\}\s*|\}\}/y;
/** Ends of block tags and comments; with `trim_blocks` they take one line break along. */
const endsOf = (newline: '' | '\\n?') => ({
  raw: new RegExp(`\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}${newline})`, 'g'),
  comment: new RegExp(`\\+#\\}|-#\\}\\s*|#\\}${newline}`, 'g'),
  block: new RegExp(`\\+%\\}|-%\\}\\s*|%\\}${newline}`, 'y'),
});
const kept = endsOf('');
const trimmed = endsOf('\\n?');
const pairs: Record<string, string> = { '{': '}', '(': ')', '[': ']' };

export function normalised(source: string, { keepTrailingNewline }: LexerForm): string {
  const lines = source.replace(/\r\n?/g, '\n');
  return keepTrailingNewline ? lines : lines.replace(/\n$/, '');
}

/** @param source with `\n` as line breaks @throws TemplateSyntaxError */
export function tokenize(source: string, { trimBlocks, lstripBlocks }: LexerForm): Token[] {
  const ends = trimBlocks ? trimmed : kept;
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  /** @param sign of the tag behind it; `block` for a tag that `lstrip_blocks` looks at */
  const data = (text: string, start: number, sign: string | undefined, block: boolean): void => {
    let shown = sign === '-' ? text.trimEnd() : text;
    if (block && lstripBlocks && sign !== '-' && sign !== '+') {
      const line = text.lastIndexOf('\n') + 1;
      const starts = line > 0 || start === 0 || source[start - 1] === '\n';
      if (starts && /^\s+$/.test(text.slice(line))) shown = text.slice(0, line);
    }
    if (shown !== '') tokens.push({ type: 'data', text: shown, at: start });
  };
  while (at < source.length) {
    const opening = match(OPENING);
    const start = opening?.index ?? source.length;
    const sign = source[start + 2];
    data(source.slice(at, start), at, opening ? sign : undefined, opening !== null && opening[0] !== '{{');
    if (!opening) break;
    at = start;
    const raw = match(RAW);
    if (raw) {
      at += raw[0].length;
      const end = match(ends.raw);
      if (!end) failAt(source, start, 'missing {% endraw %}');
      data(source.slice(at, end.index), at, end[1], true);
      at = end.index + end[0].length;
      continue;
    }
    at += 2 + (sign === '-' || sign === '+' ? 1 : 0);
    if (opening[0] === '{#') {
      const end = match(ends.comment);
      if (!end) failAt(source, start, 'missing end of comment tag #}');
      at = end.index + end[0].length;
      continue;
    }
    const kind = opening[0] === '{{' ? 'variable' : 'block';
    tokens.push({ type: `${kind}_begin`, text: opening[0], at: start });
    inside(kind, start);
  }
  tokens.push({ type: 'end', text: 'end of the template', at: source.length });
  return tokens;

  /** Tokens of one tag. */
  function inside(kind: 'variable' | 'block', start: number): void {
    const open: string[] = [];
    for (;;) {
      const end = open.length === 0 ? match(kind === 'variable' ? END_VARIABLE : ends.block) : null;
      if (end) {
        tokens.push({ type: `${kind}_end`, text: end[0].trim(), at });
        at += end[0].length;
        return;
      }
      if (at >= source.length) failAt(source, start, `${kind === 'variable' ? '{{' : '{%'} is never closed`);
      const space = match(SPACE);
      if (space) at += space[0].length;
      else token(open);
    }
  }

  function token(open: string[]): void {
    const push = (type: TokenType, text: string, value?: unknown): void => {
      tokens.push({ type, text, at, ...(value === undefined ? {} : { value }) });
      at += text.length;
    };
    const number = source[at - 1] === '.' ? null : match(FLOAT);
    if (number) return push('number', number[0], float(Number(number[0].replaceAll('_', ''))));
    const integer = match(INTEGER);
    if (integer)
      return push('number', integer[0], whole(BigInt(integer[0].replaceAll('_', '').replace(/^0+(?=\d)/, ''))));
    const name = match(NAME);
    if (name) return push('name', name[0]);
    const string = match(STRING);
    if (string) return push('string', string[0], unescaped(string[0].slice(1, -1), at));
    const operator = match(OPERATOR)?.[0];
    if (operator === undefined)
      failAt(source, at, `unexpected character ${JSON.stringify(String.fromCodePoint(source.codePointAt(at)!))}`);
    const closing = lookup(pairs, operator);
    if (closing !== undefined) open.push(closing);
    else if ('})]'.includes(operator)) {
      const expected = open.pop();
      if (expected !== operator)
        failAt(source, at, `unexpected '${operator}'${expected === undefined ? '' : `, expected '${expected}'`}`);
    }
    push('operator', operator);
  }

  function unescaped(body: string, where: number): string {
    try {
      return pythonUnescaped(body);
    } catch (error) {
      return failAt(source, where, (error as Error).message);
    }
  }
}

const escapes: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The body of a Python string literal -> its text.
 * @throws Error for an escape that is cut off, or names a character
 */
export function pythonUnescaped(body: string): string {
  return body.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|[^])/g, (found, escape: string) => {
    const [kind] = escape;
    if (/^[xuU].+/s.test(escape)) return String.fromCodePoint(parseInt(escape.slice(1), 16));
    if (/^[0-7]/.test(escape)) return String.fromCodePoint(parseInt(escape, 8));
    const meant = lookup(escapes, kind);
    if (meant !== undefined) return meant;
    if (kind === 'x' || kind === 'u' || kind === 'U') throw new Error(`truncated \\${kind} escape`);
    if (kind === 'N') throw new Error('\\N{...} escapes are not read: write the character itself');
    return found;
  });
}
