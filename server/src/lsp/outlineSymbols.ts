/** The outline of an experiment file, for the editor's breadcrumb and list of symbols; and its paths as links. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { SymbolKind } from 'vscode-languageserver/node';
import type { DocumentLink, DocumentSymbol, Position } from 'vscode-languageserver/node';
import type { Path } from '../config/experiment.ts';
import type { OpenExperiment } from './documents.ts';
import { outlineOf } from './locate.ts';
import { lspRange } from './ranges.ts';
import { nth } from '../lists/nth.ts';
import { lookup } from '../text/lookup.ts';

interface Entry {
  name: string;
  detail: string;
  kind: SymbolKind;
  path: Path;
  children: Entry[];
}

export function symbolsOf(open: OpenExperiment): DocumentSymbol[] {
  const raw = (typeof open.raw === 'object' && open.raw !== null ? open.raw : {}) as Record<string, unknown>;
  const { tasks, datasets } = outlineOf(open);
  const below: Record<string, Entry[]> = {
    datasets: datasets.map(({ dataset, path: place }) => ({
      name: dataset,
      detail: '',
      kind: SymbolKind.Array,
      path: place,
      children: [],
    })),
    tasks: tasks.map(({ task, dataset, path: place }) => ({
      name: task,
      detail: dataset,
      kind: SymbolKind.Function,
      path: place,
      children: [],
    })),
  };
  const sections = Object.keys(raw).map((name): Entry => {
    const value = raw[name];
    const plain = typeof value === 'string' || typeof value === 'number';
    return {
      name,
      detail: plain ? String(value) : '',
      kind: plain ? SymbolKind.String : SymbolKind.Module,
      path: [name],
      children: lookup(below, name) ?? [],
    };
  });
  const end = open.document.positionAt(open.document.getText().length);
  return withRanges(open, sections, end);
}

/** An entry reaches to where the next begins. */
function withRanges(open: OpenExperiment, entries: Entry[], end: Position): DocumentSymbol[] {
  const { positions, file } = open;
  const own = entries.filter((entry) => positions.key(entry.path).file === file);
  const starts = own.map((entry) => lspRange(positions.key(entry.path)));
  return own.map(({ name, detail, kind, children }, i) => {
    const selectionRange = nth(starts, i);
    const next = starts.slice(i + 1).find(({ start }) => isAfter(start, selectionRange.end))?.start ?? end;
    const until = isAfter(next, selectionRange.end) ? next : selectionRange.end;
    return {
      name,
      detail,
      kind,
      range: { start: selectionRange.start, end: until },
      selectionRange,
      children: withRanges(open, children, until),
    };
  });
}

const isAfter = (a: Position, b: Position) => a.line > b.line || (a.line === b.line && a.character > b.character);

/** Places of paths, as patterns over the keys: `*` is any. */
const paths = [
  ['datasets', '*', 'path'],
  ['datasets', '*', 'data_files', '*'],
  ['datasets', '*', 'data_files', '*', '*'],
  ['prune', 'map'],
];

/** Files that are there; what is a folder, a glob or a hub id is not a link. */
export function linksOf(open: OpenExperiment): DocumentLink[] {
  const { positions, file, baseDir, raw } = open;
  const links: DocumentLink[] = [];
  const add = (value: string, at: Path): void => {
    const range = positions.value(at);
    const target = path.resolve(baseDir, value);
    if (range.file !== file || !fs.statSync(target, { throwIfNoEntry: false })?.isFile()) return;
    links.push({ range: lspRange(range), target: pathToFileURL(target).href });
  };
  const follow = (value: unknown, pattern: readonly string[], at: Path): void => {
    const [key, ...rest] = pattern;
    if (key === undefined) {
      if (typeof value === 'string') add(value, at);
    } else if (typeof value === 'object' && value !== null)
      for (const [name, part] of Array.isArray(value) ? value.entries() : Object.entries(value))
        if (key === '*' || key === String(name)) follow(part, rest, [...at, name]);
  };
  for (const pattern of paths) follow(raw, pattern, []);
  // What is included stands in place of the key, which only the text has.
  const { tasks } = (raw ?? {}) as { tasks?: unknown };
  for (const index of Array.isArray(tasks) ? tasks.keys() : []) {
    const at: Path = ['tasks', index, 'include'];
    if (positions.has(at))
      add(open.document.getText(lspRange(positions.value(at))).replace(/^(["'])(.*)\1$/, '$2'), at);
  }
  return links;
}
