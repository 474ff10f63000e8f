/**
 * The result files of the workspace with what lists show of them. Read again only when a file's modification time
 * changes.
 */
import * as vscode from 'vscode';
import { EXCLUDE_GLOB, RESULT_GLOB } from './experimentFiles.ts';
import { readFileOf, whyNot } from './ourFiles.ts';
import { summarise } from './resultFile.ts';
import type { ResultSummary } from './resultFile.ts';

export interface RunEntry {
  uri: vscode.Uri;
  /** Milliseconds: the run's date, else the file's modification time. */
  time: number;
  /** Null when the file cannot be read; `fault` says why. */
  summary: ResultSummary | null;
  fault: string;
}

/** More files than this are not listed: the newest by modification time win. */
const LISTED = 100;

export class RunList implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  private readonly cache = new Map<string, { mtime: number; entry: RunEntry }>();
  private readonly watcher = vscode.workspace.createFileSystemWatcher(RESULT_GLOB);
  private pending: Promise<RunEntry[]> | null = null;

  constructor() {
    this.watcher.onDidChange(() => this.refresh());
    this.watcher.onDidCreate(() => this.refresh());
    this.watcher.onDidDelete(() => this.refresh());
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

  /** Path of the newest readable result. */
  async newest(): Promise<string | null> {
    return (await this.entries()).find((entry) => entry.summary)?.uri.fsPath ?? null;
  }

  private async read(): Promise<RunEntry[]> {
    const uris = await vscode.workspace.findFiles(RESULT_GLOB, EXCLUDE_GLOB);
    const stats = await Promise.all(
      uris.map(async (uri) => {
        const stat = await vscode.workspace.fs.stat(uri).then(
          (value) => value,
          () => null,
        );
        return stat ? { uri, mtime: stat.mtime } : null;
      }),
    );
    const files = stats
      .filter((file) => file !== null)
      .sort((a, b) => b.mtime - a.mtime)
      .slice(0, LISTED);
    const entries: RunEntry[] = [];
    for (const { uri, mtime } of files) entries.push(await this.readOne(uri, mtime));
    return entries.sort((a, b) => b.time - a.time);
  }

  private async readOne(uri: vscode.Uri, mtime: number): Promise<RunEntry> {
    const key = uri.toString();
    const cached = this.cache.get(key);
    if (cached?.mtime === mtime) return cached.entry;
    let entry: RunEntry;
    try {
      const summary = summarise(await readFileOf('result', uri));
      entry = { uri, time: Date.parse(summary.date) || mtime, summary, fault: '' };
    } catch (error) {
      entry = { uri, time: mtime, summary: null, fault: whyNot(uri, error, 'This result file is not there any more.') };
    }
    this.cache.set(key, { mtime, entry });
    return entry;
  }

  dispose(): void {
    this.watcher.dispose();
    this.changes.dispose();
  }
}
