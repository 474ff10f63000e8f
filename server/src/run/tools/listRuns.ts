/** `list_runs`: the results below the folders, newest first. */
import fs from 'node:fs';
import path from 'node:path';
import { badgeNames, badgeOf } from '../../../../protocol/readability.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import type { Result } from '../../../../protocol/result.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { readResult } from '../files/results.ts';
import type { ToolValues } from './input.ts';
import type { ToolContext } from './types.ts';

/** Newest runs that are listed. */
const LISTED = 30;
/** Folders that are looked into: those of a large workspace, in about a second. */
const MOST_FOLDERS = 20_000;
const left = new Set(['node_modules', '.git', '.venv', '__pycache__']);

export function listRuns({ folder }: ToolValues, { folders, signal }: ToolContext): ToolAnswer {
  const roots = folder === undefined ? folders.paths : [folders.inside(String(folder))];
  const found = roots.flatMap((root) => resultsBelow(root, signal)).filter(({ file }) => folders.holds(file));
  found.sort((a, b) => b.time - a.time || a.file.localeCompare(b.file));
  const runs = found.slice(0, LISTED).map(({ file }) => entry(file));
  const more = found.length > runs.length ? [`${found.length - runs.length} older runs are not listed.`] : [];
  if (runs.length === 0)
    return { text: `There are no runs below ${roots.join(', ')}. The tool score makes one.`, data: { runs: [] } };
  return {
    text: [...runs.map(({ words }) => words), ...more].join('\n'),
    data: { runs: runs.map(({ data }) => data) },
  };
}

function resultsBelow(root: string, signal?: AbortSignal): { file: string; time: number }[] {
  const found: { file: string; time: number }[] = [];
  const open = [root];
  for (let visited = 0; open.length > 0 && visited < MOST_FOLDERS; visited++) {
    signal?.throwIfAborted();
    const folder = open.pop()!;
    for (const entry of entriesOf(folder)) {
      const place = path.join(folder, entry.name);
      if (entry.isDirectory() && !left.has(entry.name)) open.push(place);
      else if (entry.isFile() && entry.name.endsWith(RESULT_SUFFIX))
        found.push({ file: place, time: fs.statSync(place).mtimeMs });
    }
  }
  return found;
}

function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // a folder that may not be read holds nothing that may be listed
  }
}

function entry(file: string): { words: string; data: Record<string, unknown> } {
  let result: Result;
  try {
    result = readResult(file);
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    const fault = error.message;
    return { words: `${file}: ${fault}`, data: { file, fault } };
  }
  const { model, score, status, provenance, tasks } = result;
  const listed = tasks.map((task) => {
    const top = [...task.layers].sort((a, b) => b.score - a.score).slice(0, 3);
    return { task: task.task, highest: top.map(({ index }) => index), order: badgeOf(task) };
  });
  const said = listed.map(({ task, highest, order }) =>
    highest.length === 0
      ? `${task} (no layer yet)`
      : `${task} (highest layers ${highest.join(', ')}; order ${order === null ? 'not known' : badgeNames[order]})`,
  );
  return {
    words: `${file}: ${provenance.date}, ${model.name}, ${score.estimator}${status === 'partial' ? ', not finished' : ''}: ${said.join(', ')}`,
    data: { file, date: provenance.date, model: model.name, estimator: score.estimator, status, tasks: listed },
  };
}
