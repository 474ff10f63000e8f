/**
 * Quoted texts and flow collections whose next lines are not indented more than their key: YAML 1.2 refuses them, PyYAML, which
 * reads harness task files, takes them. The lines get indented, which means nothing within quotes and brackets, until the parser
 * has nothing to say; where it still has, the text was broken in another way and stays as it is.
 */
import type { Document, YAMLError } from 'yaml';

export interface Indented {
  text: string;
  /** Spaces put before a line, by its number from 1. */
  added: ReadonlyMap<number, number>;
}

/** Lines that are indented before a text is taken for broken: each costs one more reading. */
const MOST_LINES = 64;

/** @returns null where the text is fine, or broken otherwise */
export function indentedMore(text: string, parse: (text: string) => Document.Parsed): Indented | null {
  let errors = parse(text).errors.filter(isBroken);
  if (errors.length === 0) return null;
  const lines = text.split('\n');
  const added = new Map<number, number>();
  // More than the indentation of any key.
  const width = lines.reduce((most, line) => Math.max(most, line.search(/[^ -]|$/)), 0) + 1;
  while (errors.length > 0) {
    const index = lineToIndent(errors[0], lines);
    // A document's end is one in quotes too, as for PyYAML.
    if (index === null || added.size >= MOST_LINES || /^(---|\.\.\.)(\s|$)/.test(lines[index])) return null;
    if (added.has(index + 1)) return null;
    added.set(index + 1, width);
    lines[index] = ' '.repeat(width) + lines[index];
    errors = parse(lines.join('\n')).errors.filter(isBroken);
  }
  return { text: lines.join('\n'), added };
}

function isBroken({ code }: YAMLError): boolean {
  return code !== 'DUPLICATE_KEY';
}

/** The line, from 0, that an error is about; null where it is not about indentation. */
function lineToIndent({ code, message, pos }: YAMLError, lines: readonly string[]): number | null {
  const quoted = code === 'MISSING_CHAR' && /^Missing closing ["']/.test(message);
  const flow = code === 'BAD_INDENT' && /flow/i.test(message);
  if (!quoted && !flow) return null;
  let start = 0;
  for (const [index, line] of lines.entries()) {
    const end = start + line.length;
    // An unclosed text is told at its last character, a bracket's line where it begins.
    if (quoted && pos[0] <= end) return index + 1 < lines.length ? index + 1 : null;
    if (flow && pos[0] <= end) return index > 0 && line.slice(0, pos[0] - start).trim() === '' ? index : null;
    start = end + 1;
  }
  return null;
}
