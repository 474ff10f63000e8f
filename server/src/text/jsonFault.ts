/**
 * Where a text stops to be JSON (RFC 8259), in words of ours: a parser's own words name neither line nor what to do,
 * and differ between versions of Node.
 */
export interface JsonFault {
  /** Without capital and full stop: `"x" stands where a value is expected`. */
  what: string;
  /** Both from 1. */
  line: number;
  column: number;
}

/** A text that is no JSON; the message is its fault with line and column. */
export class NotJson extends SyntaxError {
  readonly fault: JsonFault;
  constructor(fault: JsonFault, cause: unknown) {
    super(`line ${fault.line}, column ${fault.column}: ${fault.what}`, { cause });
    this.fault = fault;
  }
}

/** Values within values; files of models have some ten. */
const DEEPEST = 1000;
/** Characters from which on depth is looked at before the parser, which takes a hundred bytes for each open bracket. */
const LARGE = 1_000_000;

/** `JSON.parse` with an error in words. @throws NotJson */
export function parsedJson(text: string): unknown {
  const deep = text.length < LARGE ? null : tooDeep(text);
  if (deep !== null) throw new NotJson(deep, undefined);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const fault = jsonFault(text);
    if (fault === null) throw error;
    throw new NotJson(fault, error);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The first bracket that stands too deep, whatever else is wrong. */
function tooDeep(text: string): JsonFault | null {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      for (at++; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
    } else if (CLOSING.has(code)) {
      depth--;
    } else if (OPENING.has(code) && ++depth > DEEPEST) {
      return { ...placeOf(text, at), what: `more than ${DEEPEST} lists and objects stand within each other` };
    }
  }
  return null;
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"[^"\\\p{Cc}]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\p{Cc}]*)*"/uy;
/** Control characters that JSON takes within texts as they are. */
const HARMLESS = /[\x7f-\x9f]/g;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.+-])/y;
/** As many characters of what is wrong are shown. */
const SHOWN = 20;

type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | 'colon' | 'comma or end' | 'nothing';

const wanted: Readonly<Record<Exclude<Expected, 'comma or end'>, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  name: 'a name in double quotes',
  'name or }': 'a name in double quotes or }',
  colon: 'a colon',
  nothing: 'the end of the text',
};

/** What is wrong first; null for a text that is JSON. */
export function jsonFault(given: string): JsonFault | null {
  const text = given.replace(HARMLESS, '\ufffd');
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  const afterValue = (): Expected => (open.length === 0 ? 'nothing' : 'comma or end');

  for (;;) {
    at += match(SPACE)!.length;
    if (at === text.length) return expected === 'nothing' ? null : cutOff(text, expected === 'value' && at === 0);
    const character = text.charAt(at);
    const closes = character === (open.at(-1) === '[' ? ']' : '}');
    let taken: string | null = null;
    if (expected === 'comma or end') {
      if (character === ',') {
        taken = ',';
        expected = open.at(-1) === '[' ? 'value' : 'name';
      } else if (closes) {
        taken = character;
        open.pop();
        expected = afterValue();
      }
    } else if (expected === 'colon') {
      if (character === ':') {
        taken = ':';
        expected = 'value';
      }
    } else if ((expected === 'value or ]' || expected === 'name or }') && closes) {
      taken = character;
      open.pop();
      expected = afterValue();
    } else if (expected === 'name' || expected === 'name or }') {
      taken = match(STRING);
      if (taken !== null) expected = 'colon';
    } else if (expected !== 'nothing') {
      if (character === '[' || character === '{') {
        taken = character;
        open.push(character);
        expected = character === '[' ? 'value or ]' : 'name or }';
      } else {
        taken = match(STRING) ?? match(SCALAR);
        if (taken !== null) expected = afterValue();
      }
    }
    if (taken === null) return faultAt(text, at, expected, open.at(-1));
    at += taken.length;
  }
}

function faultAt(text: string, at: number, expected: Expected, inside: '[' | '{' | undefined): JsonFault {
  const takesText = expected !== 'colon' && expected !== 'comma or end' && expected !== 'nothing';
  // A text that is never closed, with nothing wrong in it.
  if (takesText && text[at] === '"' && !/[^\\](?:\\\\)*"/.test(text.slice(at))) return cutOff(text);
  const place = placeOf(text, at);
  const [rest] = /^(?:[\w.+-]+|.)/su.exec(text.slice(at, at + 2 * SHOWN))!;
  const shown = JSON.stringify(rest.length > SHOWN ? `${rest.slice(0, SHOWN)}...` : rest);
  const words = expected === 'comma or end' ? `a comma or ${inside === '[' ? ']' : '}'}` : wanted[expected];
  const isText = takesText && text[at] === '"';
  const what = isText ? 'a text that is not closed, or with a line break or a wrong escape in it,' : shown;
  return { ...place, what: `${what} stands where ${words} is expected` };
}

function cutOff(text: string, empty = false): JsonFault {
  const place = placeOf(text, text.length);
  return { ...place, what: empty ? 'it is empty' : 'it ends before its value is complete: it is cut off' };
}

function placeOf(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return { line: before.length, column: before.at(-1)!.length + 1 };
}
