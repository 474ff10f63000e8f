/**
 * From zod's issues to one-line messages: what is wrong, the value that was found, what is allowed, what was probably
 * meant.
 */
import type { z } from 'zod';
import { allowedWords, expectation, knownKeys, offeredKeys, schemaAt } from './jsonSchema.ts';
import { nearest as nearestWord } from '../text/nearest.ts';
import { isMapping } from './words.ts';
import type { Path } from './yamlSource.ts';

/** A problem of the content: where, by path, and whether the key or the value is at fault. */
export interface Finding {
  path: Path;
  at: 'key' | 'value';
  message: string;
  severity: 'error' | 'warning' | 'information';
  /** Of an unknown key: the key that was probably meant. */
  meant?: string;
}

export function findingsOf(issue: z.core.$ZodIssue, root: unknown): Finding[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key]));
  if (issue.code === 'invalid_key') {
    return [{ path, at: 'key', severity: 'error', message: `${dotted(path)}: a name may not be empty` }];
  }
  const value = at(root, path);
  if (value === undefined) return [missing(path)];
  // Of a mapping that may stand here, what is wrong within it says more than that it is none of the alternatives.
  const within = issue.code === 'invalid_union' && isMapping(value) ? inMapping(issue, root) : [];
  if (within.length > 0) return within;
  if (issue.code === 'custom') {
    return [{ path, at: 'value', severity: 'error', message: `${dotted(path)} is ${shown(value)}: ${issue.message}` }];
  }
  return [{ path, at: 'value', severity: 'error', message: wrongValue(path, value) }];
}

function inMapping(issue: z.core.$ZodIssueInvalidUnion, root: unknown): Finding[] {
  const branch = issue.errors.find((issues) => !issues.some(({ path, code }) => path.length === 0 && atRoot.has(code)));
  return (branch ?? []).flatMap((inner) => findingsOf({ ...inner, path: [...issue.path, ...inner.path] }, root));
}

/** What a value that is no mapping at all is accused of. */
const atRoot = new Set(['invalid_type', 'invalid_value']);

export function missing(path: Path): Finding {
  const schema = schemaAt(path);
  const expected = schema ? `: expected ${expectation(schema)}` : '';
  return { path, at: 'key', severity: 'error', message: `${dotted(path)} is missing${expected}` };
}

function wrongValue(path: Path, value: unknown): string {
  const schema = schemaAt(path);
  if (path.length === 1 && path[0] === 'version') return `version is ${shown(value)}: this program reads version 1`;
  const expected = schema ? `: expected ${expectation(schema)}` : '';
  const name = path.length === 0 ? 'the experiment' : dotted(path);
  if (value === null && path.length === 0)
    return 'the file is empty: an experiment needs version, model, datasets and tasks';
  if (value === null) return `${name} has no value${expected}`;
  const hint = schema && typeof value === 'string' ? didYouMean(value, allowedWords(schema).map(String)) : '';
  return `${name} is ${shown(value)}${expected}${hint}`;
}

function unknownKey(path: Path): Finding {
  const parent = schemaAt(path.slice(0, -1));
  const key = String(path.at(-1));
  const where = path.length > 1 ? ` in ${dotted(path.slice(0, -1))}` : '';
  const meant = parent ? (nearest(key, knownKeys(parent)) ?? undefined) : undefined;
  const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
  const allowed = parent ? `: allowed are ${offeredKeys(parent).join(', ')}` : '';
  return {
    path,
    at: 'key',
    severity: 'error',
    message: `unknown key ${JSON.stringify(key)}${where}${hint || allowed}`,
    meant,
  };
}

/** `; did you mean "label"?` for a slip of the pen, else nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  return best === null ? '' : `; did you mean ${JSON.stringify(best)}?`;
}

/** Keys and words of the file are snake_case; a hyphen is a slip too. */
function nearest(word: string, known: readonly string[]): string | null {
  return nearestWord(word.toLowerCase().replaceAll('-', '_'), known);
}

/** `tasks[0].doc_to_text` */
export function dotted(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** A value as it may stand in a message: short, on one line. */
export function shown(value: unknown): string {
  if (Array.isArray(value) && value.length > 6) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'a mapping';
  // JSON has no NaN and no infinity.
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

export function at(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
