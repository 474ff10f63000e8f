/**
 * Where the cursor is in a YAML text that is being typed, and so is often broken: told by indentation, dashes and open
 * brackets alone, from the top of the text down to the cursor.
 */
import type { Path } from '../config/experiment.ts';
import { flowIn, unquoted } from './flow.ts';
import { nth } from '../lists/nth.ts';

export interface Cursor {
  /** To the mapping or the list item around the cursor. */
  path: Path;
  /** The key whose value is being typed; null while a key or a list item is. */
  key: string | null;
  /** Keys that the mapping around the cursor has already. */
  siblings: string[];
  /** Inside `{ }` or `[ ]`. */
  flow: boolean;
  /** What has been typed of the word, without an opening quote. */
  word: string;
  /** Columns of the word, which may go on behind the cursor. */
  wordStart: number;
  wordEnd: number;
  /** The quote that is open before the word, or ''. */
  quote: string;
  /** Inside `{{ }}` of a template: what has been typed of a name; else null. */
  template: string | null;
}

interface Line {
  /** Columns of the dashes before the content. */
  dashes: number[];
  /** Column where key or value begins. */
  content: number;
  key: string | null;
  /** The value, or what there is when there is no key. */
  rest: string;
}

/** A collection that is open at some line. */
type Level =
  { kind: 'list'; column: number; index: number } | { kind: 'map'; column: number; keys: string[]; rest: string };

const keyed = /^("[^"]*"|'[^']*'|[^\s#"'{}[\],&*!|>%@`-][^#:{}[\],]*)\s*:(?=\s|$)\s*/;

function readLine(text: string): Line | null {
  let content = text.length - text.trimStart().length;
  if (text.trim() === '' || text[content] === '#') return null;
  const dashes: number[] = [];
  while (text[content] === '-' && /\s|$/.test(text[content + 1] ?? '')) {
    dashes.push(content++);
    content += text.slice(content).length - text.slice(content).trimStart().length;
  }
  const match = keyed.exec(text.slice(content));
  const rest = text.slice(content + (match?.[0].length ?? 0));
  return { dashes, content, key: match ? unquoted(nth(match, 1).trimEnd()) : null, rest };
}

/** Line and character from 0. */
export function cursorAt(text: string, lineNumber: number, character: number): Cursor {
  const lines = text.split(/\r?\n/);
  const whole = lines[lineNumber] ?? '';
  const before = whole.slice(0, character);
  const template = /\{\{[-+]?(?:[^{}]*[^\w{}.])?(\w*)$/.exec(before)?.[1] ?? null;
  const { levels, scalar } = levelsAbove(lines, lineNumber);
  const current = readLine(before);
  const column = current?.content ?? before.length;
  if (scalar && column > scalar.column)
    return { ...word(whole, before), path: pathOf(levels, true), key: scalar.key, siblings: [], flow: false, template };

  for (const dash of current?.dashes ?? []) openItem(levels, dash);
  while (levels.length > 0 && levels.at(-1)!.column > column) levels.pop();
  // On the column of a list that stands at the column of its key, a key goes on with the mapping around it.
  if (levels.at(-1)?.kind === 'list' && levels.at(-1)!.column === column && levels.at(-2)?.column === column)
    levels.pop();

  const top = levels.at(-1);
  const inMapping = top?.kind === 'map' && top.column === column;
  const path = pathOf(levels, inMapping);
  const siblings = inMapping
    ? [...top.keys, ...keysBelow(lines, lineNumber, column)]
    : keysBelow(lines, lineNumber, column);
  const base = { path, siblings, flow: false, template };
  if (!current) return { ...base, ...word(whole, before), key: null };

  const flow = flowIn(current.rest);
  if (flow) {
    const outer = current.key === null ? path : [...path, current.key];
    return {
      ...word(whole, before, flow.rest),
      path: [...outer, ...flow.path],
      key: flow.key,
      siblings: flow.siblings,
      flow: true,
      template,
    };
  }
  return { ...base, ...word(whole, before, current.rest), key: current.key };
}

/** The collections that are open above a line, and the block scalar (`key: |`) whose text goes on there. */
function levelsAbove(
  lines: string[],
  end: number,
): { levels: Level[]; scalar: { key: string; column: number } | null } {
  const levels: Level[] = [];
  let scalar: { key: string; column: number } | null = null;
  for (const text of lines.slice(0, end)) {
    const line = readLine(text);
    if (!line) continue;
    const first = line.dashes[0] ?? line.content;
    if (scalar && first > scalar.column) continue;
    scalar = null;
    for (const dash of line.dashes) openItem(levels, dash);
    if (line.key === null) continue;
    openKey(levels, line.content, line.key, line.rest);
    if (/^[|>][-+\d]*\s*(#.*)?$/.test(line.rest)) scalar = { key: line.key, column: line.content };
  }
  return { levels, scalar };
}

function openItem(levels: Level[], column: number): void {
  while (levels.length > 0 && levels.at(-1)!.column > column) levels.pop();
  const top = levels.at(-1);
  if (top?.kind === 'list' && top.column === column) top.index += 1;
  else levels.push({ kind: 'list', column, index: 0 });
}

function openKey(levels: Level[], column: number, key: string, rest: string): void {
  while (levels.length > 0 && levels.at(-1)!.column > column) levels.pop();
  if (levels.at(-1)?.kind === 'list' && levels.at(-1)!.column === column) levels.pop();
  const top = levels.at(-1);
  if (top?.kind === 'map' && top.column === column) {
    top.keys.push(key);
    top.rest = rest;
  } else levels.push({ kind: 'map', column, keys: [key], rest });
}

/** @param inMapping the last level is the mapping around the cursor: its newest key does not lead there */
function pathOf(levels: Level[], inMapping: boolean): Path {
  const parts = levels.map((level) => (level.kind === 'list' ? level.index : level.keys.at(-1)!));
  return inMapping ? parts.slice(0, -1) : parts;
}

function keysBelow(lines: string[], start: number, column: number): string[] {
  const found: string[] = [];
  for (const text of lines.slice(start + 1)) {
    const line = readLine(text);
    if (!line) continue;
    if ((line.dashes[0] ?? line.content) < column || (line.dashes.length > 0 && line.content <= column)) break;
    if (line.content === column && line.key !== null) found.push(line.key);
  }
  return found;
}

function word(whole: string, before: string, typed = ''): Pick<Cursor, 'word' | 'wordStart' | 'wordEnd' | 'quote'> {
  const trimmed = typed.trimStart();
  const quote = /^["']/.exec(trimmed)?.[0] ?? '';
  const text = trimmed.slice(quote.length);
  const behind = /^[\w./\\*-]*/.exec(whole.slice(before.length))![0];
  return { word: text, wordStart: before.length - text.length, wordEnd: before.length + behind.length, quote };
}
