/** The innermost open bracket of a YAML flow value (`{ a: 1, b: ` or `[x, `), for completion inside it. */
import { nth } from '../lists/nth.ts';

export interface Flow {
  /** From the value that begins the flow to the innermost bracket. */
  path: (string | number)[];
  /** Of a mapping: the key whose value is being typed, null while a key is. */
  key: string | null;
  inList: boolean;
  /** Keys that stand before. */
  siblings: string[];
  /** What has been typed of the key, value or item. */
  rest: string;
}

interface Bracket {
  kind: '{' | '[';
  keys: string[];
  key: string | null;
  index: number;
  /** Where the current key, value or item begins. */
  start: number;
}

/** @param text a value up to the cursor; null when no bracket is open, or brackets are mere characters of a text */
export function flowIn(text: string): Flow | null {
  const stack: Bracket[] = [];
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = nth(text, i);
    const top = stack.at(-1);
    if (quote) {
      if (char === quote) quote = '';
    } else if (!top && char !== '{' && char !== '[') {
      if (char.trim() !== '') return null;
    } else if ((char === '"' || char === "'") && /[\s{[,:]/.test(text[i - 1] ?? ' ')) quote = char;
    else if (char === '{' || char === '[') stack.push({ kind: char, keys: [], key: null, index: 0, start: i + 1 });
    else if (char === '}' || char === ']') stack.pop();
    else if (char === ',' && top) {
      if (top.key !== null) top.keys.push(top.key);
      Object.assign(top, { key: null, index: top.index + 1, start: i + 1 });
    } else if (char === ':' && top?.kind === '{' && /\s|$/.test(text[i + 1] ?? '')) {
      top.key = unquoted(text.slice(top.start, i).trim());
      top.start = i + 1;
    }
  }
  const top = stack.at(-1);
  if (!top) return null;
  const path = stack.slice(0, -1).map((bracket) => (bracket.kind === '{' ? (bracket.key ?? '') : bracket.index));
  return {
    path: top.kind === '[' ? [...path, top.index] : path,
    key: top.key,
    inList: top.kind === '[',
    siblings: top.keys,
    rest: text.slice(top.start),
  };
}

export function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}
