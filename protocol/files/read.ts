/**
 * The one way in which a text becomes one of our files. A file may come from a newer LayerIF, another tool or a
 * half-finished copy, or be made to do harm: everything that a reader relies on is checked first, and a fault is one
 * clause that can stand in a sentence with the file's name.
 */
import type * as z from 'zod/mini';
import { fileKinds } from './kinds.ts';
import type { FileContents, FileKind } from './kinds.ts';
import { misfit } from './parts.ts';
import type { Schema } from './parts.ts';

/** What is wrong with a text: `it is empty`, without capital and full stop. */
export interface FileFault {
  /** Whether the text is of this kind and version at all. */
  kind: 'unreadable' | 'other' | 'damaged';
  words: string;
}

export type FileRead<K extends FileKind> = { value: FileContents[K]; fault: null } | { value: null; fault: FileFault };

/** Deeper than any of our files; what recurses over a value is safe below it. */
const DEEPEST = 64;
const NEWER = 'it is of a newer LayerIF';
/** As many characters of a value stand in a message. */
const SHOWN = 40;

/** What the editor reads at most: its extension host holds the text, the value and a copy for the page. */
export const largestFile = 256 * 2 ** 20;

/** @param schema of a part, for a reader that needs no more of the file */
export function parseFile<K extends FileKind>(
  kind: K,
  text: string,
  schema: Schema<unknown> = fileKinds[kind].schema,
): FileRead<K> {
  const { format } = fileKinds[kind];
  const wrong = (what: FileFault['kind'], words: string): FileRead<K> => ({
    value: null,
    fault: { kind: what, words },
  });
  if (text.trim() === '') return wrong('unreadable', 'it is empty');
  if (nestedTooDeep(text)) return wrong('unreadable', `it is nested more than ${DEEPEST} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return wrong('unreadable', 'it is not JSON, perhaps cut off');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong('unreadable', 'it is no JSON object');
  const { format: found, version } = value as Record<string, unknown>;
  if (found !== format || version !== 1)
    return wrong('other', `(format ${shown(found)}, version ${shown(version)})${otherKind(found, version, kind)}`);
  const checked = schema.safeParse(value, { reportInput: true });
  // The value itself, with fields that a newer version of the program may have added.
  if (checked.success) return { value: value as FileContents[K], fault: null };
  return wrong('damaged', issueWords(checked.error.issues[0]!));
}

/** The whole sentence about a file. @param what to do where it cannot be read; a command by default */
export function faultSentence(kind: FileKind, file: string, fault: FileFault, advice?: string): string {
  const { name, one, command, suffix } = fileKinds[kind];
  switch (fault.kind) {
    case 'unreadable':
      return `cannot read the ${name} ${file}: ${fault.words}; ${advice ?? `write it again with ${command}`}`;
    case 'other':
      return `${file} is not a ${one} of version 1 ${fault.words}; ${fault.words.includes(NEWER) ? 'update this one' : (advice ?? `give a file *${suffix}`)}`;
    case 'damaged':
      return `the ${name} ${file} is damaged: ${fault.words}; restore it or run ${command} again`;
  }
}

function otherKind(format: unknown, version: unknown, kind: FileKind): string {
  if (format === fileKinds[kind].format) return typeof version === 'number' && version > 1 ? `: ${NEWER}` : '';
  const other = Object.values(fileKinds).find((row) => row.format === format);
  return other ? `: it is a ${other.one}` : '';
}

const shown = (value: unknown) => {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}..."` : text;
};

/** JSON may nest without end, and what walks over it may not. */
function nestedTooDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inText) {
      if (code === 92) i++;
      else if (code === 34) inText = false;
    } else if (code === 34) inText = true;
    else if (code === 91 || code === 123) {
      if (++depth > DEEPEST) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}

/** What a value of a type is called. */
const typeWords = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['tuple', 'a list'],
  ['object', 'an object'],
  ['record', 'an object'],
]);

type Issue = z.core.$ZodIssue;

/** `tasks[0].layers is missing; it should be a list` */
function issueWords(issue: Issue): string {
  const place = issue.path.length === 0 ? 'it' : placeOf(issue.path);
  if (issue.code === 'too_small' && Array.isArray(issue.input))
    return `${place} has ${issue.input.length} entries; it should have ${String(issue.minimum)} or more`;
  return `${place} ${issue.code === 'custom' ? issue.message : misfit(issue.input, expectedWords(issue))}`;
}

function expectedWords(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeWords.get(issue.expected) ?? 'of another type';
  if (issue.code === 'invalid_value')
    return issue.values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' or ');
  if (issue.code === 'invalid_union')
    return [...new Set(issue.errors.flatMap((issues) => issues.slice(0, 1).map(expectedWords)))].join(' or ');
  if (issue.code === 'too_small') return `at least ${String(issue.minimum)}`;
  if (issue.code === 'too_big') return `at most ${String(issue.maximum)}`;
  return issue.message.replace(/^.*it should be /, '');
}

const NAME = /^[A-Za-z_][\w.-]*$/;

function placeOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = String(key);
    if (!NAME.test(name) || name.length > SHOWN) return `${text}[${shown(name)}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');
}
