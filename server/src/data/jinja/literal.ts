/** Python's `ast.literal_eval`: a literal in a rendered text -> its value. */
import { MOST_WHOLE_DIGITS, float, whole } from './numbers.ts';
import { pythonUnescaped } from './lexer.ts';
import { Dict, Tuple, isNumeric } from './objects.ts';
import { negated } from './operators.ts';
import { lookup } from '../../text/lookup.ts';

const STRING =
  /(?:[uU]|[rR])?(?:'''(?:[^\\]|\\[^])*?'''|"""(?:[^\\]|\\[^])*?"""|'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*")/y;
const NUMBER = /0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?/y;
const WORD = /[A-Za-z_]\w*/y;
/** Of a literal on several lines, white space inside brackets; a comment ends its line. */
const SPACE = /(?:[ \t\n\r\f]|#[^\n]*)+/y;

class NoLiteral extends Error {}

/** The value, or undefined where the text is no literal. Lists are arrays. */
export function literal(source: string): { value: unknown } | null {
  const reader = new Reader(source);
  try {
    return { value: reader.whole() };
  } catch (error) {
    if (error instanceof NoLiteral) return null;
    return null;
  }
}

class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source.replace(/^[ \t]+/, '').trimEnd();
  }

  whole(): unknown {
    const value = this.#tuple('');
    this.#space();
    if (this.#at < this.#source.length) throw new NoLiteral();
    return value;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0] ?? null;
    if (found !== null) this.#at += found.length;
    return found;
  }

  #space(): void {
    this.#match(SPACE);
  }

  #skip(text: string): boolean {
    this.#space();
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #peek(text: string): boolean {
    this.#space();
    return text === '' ? this.#at >= this.#source.length : this.#source.startsWith(text, this.#at);
  }

  /** One value, or several with commas. */
  #tuple(end: string): unknown {
    const items = [this.#value()];
    let comma = false;
    while (this.#skip(',')) {
      comma = true;
      if (this.#peek(end)) break;
      items.push(this.#value());
    }
    return comma ? new Tuple(items) : items[0];
  }

  #value(): unknown {
    this.#space();
    if (this.#skip('(')) {
      if (this.#skip(')')) return new Tuple([]);
      const value = this.#tuple(')');
      if (!this.#skip(')')) throw new NoLiteral();
      return value;
    }
    if (this.#skip('[')) return this.#list(']', () => this.#value());
    if (this.#skip('{')) {
      const pairs = this.#list('}', (): [unknown, unknown] => {
        const key = this.#value();
        if (!this.#skip(':')) throw new NoLiteral();
        return [key, this.#value()];
      });
      return new Dict(pairs);
    }
    if (this.#skip('-') || this.#skip('+')) {
      const minus = this.#source[this.#at - 1] === '-';
      const value = this.#value();
      if (!isNumeric(value) || typeof value === 'boolean') throw new NoLiteral();
      return minus ? negated(value) : value;
    }
    const string = this.#match(STRING);
    if (string !== null) return this.#strings(string);
    const number = this.#match(NUMBER);
    if (number !== null) return numberOf(number);
    const constants: Record<string, unknown> = { None: null, True: true, False: false };
    const word = this.#match(WORD);
    if (word === null || !Object.hasOwn(constants, word)) throw new NoLiteral();
    return lookup(constants, word);
  }

  #list<T>(end: string, one: () => T): T[] {
    const items: T[] = [];
    for (;;) {
      if (this.#skip(end)) return items;
      if (items.length > 0 && !this.#skip(',')) throw new NoLiteral();
      if (items.length > 0 && this.#skip(end)) return items;
      items.push(one());
    }
  }

  /** Literals beside each other are one. */
  #strings(first: string): string {
    let text = stringOf(first);
    for (;;) {
      this.#space();
      const next = this.#match(STRING);
      if (next === null) return text;
      text += stringOf(next);
    }
  }
}

function stringOf(source: string): string {
  const [, prefix = '', rest = ''] = /^([uUrR]?)([^]*)$/.exec(source) ?? [];
  const width = /^('''|""")/.test(rest) ? 3 : 1;
  const body = rest.slice(width, -width);
  if (prefix.toLowerCase() === 'r') return body;
  return pythonUnescaped(body);
}

function numberOf(source: string): unknown {
  const digits = source.replaceAll('_', '');
  if (/^0[xob]/i.test(digits)) return whole(BigInt(digits.toLowerCase()));
  if (/^\d+$/.test(digits)) {
    if (/^0+[1-9]/.test(digits) || digits.length > MOST_WHOLE_DIGITS) throw new NoLiteral();
    return whole(BigInt(digits));
  }
  return float(Number(digits));
}

/** `['no', "yes"]` -> the list; null where the text is no list. */
export function literalList(source: string): unknown[] | null {
  const found = literal(source);
  return found && Array.isArray(found.value) ? (found.value as unknown[]) : null;
}
