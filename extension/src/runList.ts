/**
 * The runs of the workspace with what lists show of them. A result is read again only when its modification time
 * changes.
 */
import * as vscode from 'vscode';
import { EXCLUDE_GLOB } from './experimentFiles.ts';
import { readFileOf, whyNot } from './ourFiles.ts';
import { summarise } from './resultFile.ts';
import type { ResultSummary } from './resultFile.ts';
import type { RunMarks } from './runMarks.ts';
import { RUN_FILE_GLOB, newestShown, runsOf } from './runTree.ts';
import type { RunFacts, RunFileKind, RunFiles } from './runTree.ts';

export interface RunEntry extends RunFacts {
  /** Of the file that stands for the run: the result where there is one. */
  uri: vscode.Uri;
  /** Null for other files than results, and where the result cannot be read; then `fault` says why. */
  summary: ResultSummary | null;
  fault: string;
  /** What else lies in the run's folder. */
  beside: { kind: RunFileKind; uri: vscode.Uri }[];
}

/** More runs than this are not listed: the newest by modification time win. */
const LISTED = 200;

type Read = Pick<RunEntry, 'time' | 'summary' | 'fault'>;

export class RunList implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  private readonly cache = new Map<string, { mtime: number; read: Read }>();
  private readonly watcher = vscode.workspace.createFileSystemWatcher(RUN_FILE_GLOB);
  private readonly marks: RunMarks;
  private pending: Promise<RunEntry[]> | null = null;

  constructor(marks: RunMarks) {
    this.marks = marks;
    this.watcher.onDidChange(() => this.refresh());
    this.watcher.onDidCreate(() => this.refresh());
    this.watcher.onDidDelete(() => this.refresh());
    marks.onChange(() => this.refresh());
  }

  /** Looks at the disk again. A watcher may miss the first file of a folder that is new itself. */
  refresh(): void {
    this.pending = null;
    this.changes.fire();
  }

  /** Newest first. */
  entries(): Promise<RunEntry[]> {
    this.pending ??= this.read();
    return this.pending;
  }

  /** Path of the newest readable result, one with a finished layer where there is any. */
  async newest(): Promise<string | null> {
    return newestShown(await this.entries())?.uri.fsPath ?? null;
  }

  private async read(): Promise<RunEntry[]> {
    const uris = await vscode.workspace.findFiles(RUN_FILE_GLOB, EXCLUDE_GLOB);
    const byPath = new Map(uris.map((uri) => [uri.path, uri]));
    const files = await Promise.all(uris.map(async (uri) => ({ path: uri.path, mtime: await modified(uri) })));
    const runs = runsOf(files.filter((file): file is { path: string; mtime: number } => file.mtime !== null));
    const entries: RunEntry[] = [];
    for (const run of runs.slice(0, LISTED)) {
      const uri = byPath.get(run.main.path);
      if (uri) entries.push(await this.entryOf(uri, run, byPath));
    }
    return entries.sort((a, b) => b.time - a.time);
  }

  private async entryOf(
    uri: vscode.Uri,
    { main, beside }: RunFiles,
    byPath: ReadonlyMap<string, vscode.Uri>,
  ): Promise<RunEntry> {
    const read = main.kind === 'result' ? await this.readResult(uri, main.mtime) : unread(main.mtime);
    const others = beside.flatMap(({ kind, path }) => {
      const found = byPath.get(path);
      return found ? [{ kind, uri: found }] : [];
    });
    return { uri, path: uri.path, kind: main.kind, beside: others, ...read, ...this.marks.of(uri) };
  }

  private async readResult(uri: vscode.Uri, mtime: number): Promise<Read> {
    const key = uri.toString();
    const cached = this.cache.get(key);
    if (cached?.mtime === mtime) return cached.read;
    let read: Read;
    try {
      const summary = summarise(await readFileOf('result', uri));
      read = { time: Date.parse(summary.date) || mtime, summary, fault: '' };
    } catch (error) {
      read = { ...unread(mtime), fault: whyNot(uri, error, 'This result file is not there any more.') };
    }
    this.cache.set(key, { mtime, read });
    return read;
  }

  dispose(): void {
    this.watcher.dispose();
    this.changes.dispose();
  }
}

const unread = (mtime: number): Read => ({ time: mtime, summary: null, fault: '' });

/** Null where the file went away meanwhile. */
const modified = (uri: vscode.Uri): Promise<number | null> =>
  Promise.resolve(vscode.workspace.fs.stat(uri)).then(
    ({ mtime }) => mtime,
    () => null,
  );
