/**
 * Quoted texts and flow collections whose next lines are not indented more than their key: YAML 1.2 refuses them,
 * PyYAML, which reads harness task files, takes them. The lines get indented, which means nothing within quotes and
 * brackets, until the parser has nothing to say; where it still has, the text was broken in another way and stays as it
 * is.
 */
import type { Document, YAMLError } from 'yaml';

export interface Indented {
  text: string;
  /** Spaces put before a line, by its number from 1. */
  added: ReadonlyMap<number, number>;
}

/** Places that are mended before a text is taken for broken: each costs one more reading. */
const MOST_PLACES = 64;

/** @returns null where the text is fine, or broken otherwise */
export function indentedMore(text: string, parse: (text: string) => Document.Parsed): Indented | null {
  let errors = parse(text).errors.filter(isBroken);
  if (errors.length === 0) return null;
  const lines = text.split('\n');
  const added = new Map<number, number>();
  // More than the indentation of any key.
  const width = lines.reduce((most, line) => Math.max(most, line.search(/[^ -]|$/)), 0) + 1;
  for (let places = 0; ; places += 1) {
    const [error] = errors;
    if (error === undefined) break;
    const found = linesToIndent(error, lines);
    if (found === null || places >= MOST_PLACES || added.has(found.first + 1)) return null;
    for (let index = found.first; index <= found.last; index += 1) {
      // A document's end is one in quotes too, as for PyYAML.
      const line = lines[index] ?? '';
      if (/^(---|\.\.\.)(\s|$)/.test(line)) return null;
      if (added.has(index + 1)) continue;
      added.set(index + 1, width);
      lines[index] = ' '.repeat(width) + line;
    }
    errors = parse(lines.join('\n')).errors.filter(isBroken);
  }
  return { text: lines.join('\n'), added };
}

function isBroken({ code }: YAMLError): boolean {
  return code !== 'DUPLICATE_KEY';
}

interface Lines {
  /** From 0. */
  first: number;
  /** Inclusive. */
  last: number;
}

/** The lines that an error is about; null where it is not about indentation. */
function linesToIndent({ code, message, pos }: YAMLError, lines: readonly string[]): Lines | null {
  const quote = code === 'MISSING_CHAR' ? /^Missing closing (["'])/.exec(message)?.[1] : undefined;
  // Of a long text the parser may tell only what stands behind the place where it lost it.
  if (code === 'UNEXPECTED_TOKEN') return unclosedBefore(lines, lineOf(pos[0], lines));
  const flow = code === 'BAD_INDENT' && /flow/i.test(message);
  if (quote === undefined && !flow) return null;
  let start = 0;
  for (const [index, line] of lines.entries()) {
    const end = start + line.length;
    // An unclosed text is told at its last character, a bracket's line where it begins.
    if (quote !== undefined && pos[0] <= end) {
      const first = index + 1;
      return first < lines.length ? { first, last: closing(lines, first, quote) } : null;
    }
    if (flow && pos[0] <= end)
      return index > 0 && line.slice(0, pos[0] - start).trim() === '' ? { first: index, last: index } : null;
    start = end + 1;
  }
  return null;
}

/** From 0. */
function lineOf(place: number, lines: readonly string[]): number {
  let end = -1;
  return lines.findIndex((line) => place <= (end += line.length + 1));
}

/** A text in double quotes that begins as a value before the line `index` and goes on there. */
function unclosedBefore(lines: readonly string[], index: number): Lines | null {
  for (let open = index - 1; open >= 0; open -= 1) {
    const line = (lines[open] ?? '').replace(/\\./g, '');
    if (!line.includes('"')) continue;
    if (!/(?:[:\-,[{]|^)\s+"[^"]*$/.test(line)) return null;
    const last = closing(lines, open + 1, '"');
    return last >= index ? { first: open + 1, last } : null;
  }
  return null;
}

/** The line, from `first` on, that holds the quote which closes a text; `first` where none does. */
function closing(lines: readonly string[], first: number, quote: string): number {
  const escaped = quote === '"' ? /\\./g : /''/g;
  const last = lines.findIndex((line, index) => index >= first && line.replace(escaped, '').includes(quote));
  return last < 0 ? first : last;
}
