/**
 * Names of tasks and datasets in an experiment file: where each is defined and used; definition, references and rename
 * follow from it.
 */
import { ResponseError, LSPErrorCodes } from 'vscode-languageserver/node';
import type { Location, Position, Range, TextEdit, WorkspaceEdit } from 'vscode-languageserver/node';
import type { Path } from '../config/experiment.ts';
import type { OpenExperiment } from './documents.ts';
import { outlineOf } from './locate.ts';
import { lspRange } from './ranges.ts';

export interface NamePlace {
  kind: 'task' | 'dataset';
  name: string;
  defines: boolean;
  /** Without quotes. */
  range: Range;
}

/** In the file's own text, definitions first; names that an included file brings are left out. */
export function namesIn(open: OpenExperiment): NamePlace[] {
  const { positions, file, raw } = open;
  const { tasks, datasets } = outlineOf(open);
  const places: NamePlace[] = [];
  const add = (kind: NamePlace['kind'], name: string, path: Path, on: 'key' | 'value', defines: boolean) => {
    const range = positions[on](path);
    if (positions.has(path) && range.file === file)
      places.push({ kind, name, defines, range: withoutQuotes(open, lspRange(range)) });
  };
  for (const { dataset, path } of datasets) add('dataset', dataset, path, 'key', true);
  for (const { task, path } of tasks) add('task', task, [...path, 'task'], 'value', true);
  const known = {
    task: new Set(tasks.map(({ task }) => task)),
    dataset: new Set(datasets.map(({ dataset }) => dataset)),
  };
  visit(raw, [], (path, value) => {
    const kind = kindAt(path);
    if (kind && typeof value === 'string' && known[kind].has(value)) add(kind, value, path, 'value', false);
  });
  return places;
}

/**
 * What a text at a path names: `dataset: x` wherever it stands but among the datasets' own keys, and the tasks of
 * `evaluate` and of scores.
 */
function kindAt(path: Path): NamePlace['kind'] | null {
  if (path.at(-1) === 'dataset' && path[0] !== 'datasets') return 'dataset';
  if (path.length === 3 && path[0] === 'evaluate' && path[1] === 'tasks') return 'task';
  if (path.length === 4 && path[0] === 'scores' && path[3] === 'task') return 'task';
  return null;
}

function visit(value: unknown, path: Path, see: (path: Path, value: unknown) => void): void {
  see(path, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Array.isArray(value) ? value.entries() : Object.entries(value))
    visit(part, [...path, key], see);
}

function withoutQuotes({ document }: OpenExperiment, range: Range): Range {
  const text = document.getText(range);
  if (!/^(["']).*\1$/s.test(text)) return range;
  return {
    start: { ...range.start, character: range.start.character + 1 },
    end: { ...range.end, character: range.end.character - 1 },
  };
}

const holds = ({ start, end }: Range, { line, character }: Position) =>
  start.line === line && end.line === line && start.character <= character && character <= end.character;

function sameAs(open: OpenExperiment, position: Position): NamePlace[] {
  const all = namesIn(open);
  const here = all.find(({ range }) => holds(range, position));
  return here ? all.filter(({ kind, name }) => kind === here.kind && name === here.name) : [];
}

export function definitionAt(open: OpenExperiment, position: Position): Location[] {
  return sameAs(open, position).flatMap(({ defines, range }) => (defines ? [{ uri: open.uri, range }] : []));
}

export function referencesAt(open: OpenExperiment, position: Position, withDefinition: boolean): Location[] {
  return sameAs(open, position).flatMap(({ defines, range }) =>
    withDefinition || !defines ? [{ uri: open.uri, range }] : [],
  );
}

/** Null where no name stands. */
export function renameRangeAt(open: OpenExperiment, position: Position): Range | null {
  return namesIn(open).find(({ range }) => holds(range, position))?.range ?? null;
}

/** @throws ResponseError for a name that YAML would read as something else, or that another task or dataset has */
export function renameAt(open: OpenExperiment, position: Position, newName: string): WorkspaceEdit | null {
  const places = sameAs(open, position);
  const [first] = places;
  if (!first) return null;
  if (!/^(?!(?:true|false|null|yes|no|on|off)$)[A-Za-z_][\w.-]*$/i.test(newName))
    throw refused(`"${newName}" is no name for a ${first.kind}: use letters, digits, "_", "-" and "."`);
  if (namesIn(open).some(({ kind, name, defines }) => defines && kind === first.kind && name === newName))
    throw refused(`there is a ${first.kind} "${newName}" already`);
  return { changes: { [open.uri]: places.map(({ range }): TextEdit => ({ range, newText: newName })) } };
}

const refused = (message: string) => new ResponseError(LSPErrorCodes.RequestFailed, message);
