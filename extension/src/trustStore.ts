/**
 * What says how far a result can be trusted: the last self-check of its experiment (kept in the workspace's state,
 * because no file holds it) and the newest validation among the runs of the same name. Fires when any of it changes.
 */
import * as vscode from 'vscode';
import type { GradientCheckReport } from '../../protocol/check.ts';
import { RESULT_SUFFIX } from '../../protocol/result.ts';
import { VALIDATION_SUFFIX } from '../../protocol/validation.ts';
import type { Trust } from '../../protocol/webview.ts';
import { readFileOf, whyNot } from './ourFiles.ts';

const KEY = 'layerif.gradientChecks';
type Check = NonNullable<Trust['check']>;

export class TrustStore implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  private readonly watcher = vscode.workspace.createFileSystemWatcher(`**/*${VALIDATION_SUFFIX}`);
  private readonly memento: vscode.Memento;
  /** Experiment file -> what runs on it. */
  private readonly busy = new Map<string, string>();

  constructor(memento: vscode.Memento) {
    this.memento = memento;
    for (const event of [this.watcher.onDidChange, this.watcher.onDidCreate, this.watcher.onDidDelete])
      event(() => this.refresh());
  }

  refresh(): void {
    this.changes.fire();
  }

  async setCheck(report: GradientCheckReport): Promise<void> {
    const check: Check = { report, date: new Date().toISOString() };
    await this.memento.update(KEY, { ...this.checks(), [vscode.Uri.file(report.file).fsPath]: check });
    this.changes.fire();
  }

  /** Runs work under these words, which every page of the experiment shows. */
  async during<T>(experimentFile: string, words: string, work: () => Promise<T>): Promise<T> {
    const key = vscode.Uri.file(experimentFile).fsPath;
    this.busy.set(key, words);
    this.changes.fire();
    try {
      return await work();
    } finally {
      this.busy.delete(key);
      this.changes.fire();
    }
  }

  async of(result: vscode.Uri, experimentFile: string): Promise<Trust> {
    const key = vscode.Uri.file(experimentFile).fsPath;
    return {
      check: this.checks()[key] ?? null,
      ...(await newestValidation(result)),
      busy: this.busy.get(key) ?? null,
    };
  }

  private checks(): Record<string, Check> {
    return this.memento.get<Record<string, Check>>(KEY, {});
  }

  dispose(): void {
    this.watcher.dispose();
    this.changes.dispose();
  }
}

/** Runs of one experiment lie beside each other: `NAME/<run id>/NAME.layerif-validation.json`. */
async function newestValidation(result: vscode.Uri): Promise<Pick<Trust, 'validation' | 'fault'>> {
  const base = result.path.slice(result.path.lastIndexOf('/') + 1);
  const name = base.replace(RESULT_SUFFIX, VALIDATION_SUFFIX);
  const runs = vscode.Uri.joinPath(result, '..', '..');
  let newest: Trust['validation'] = null;
  let fault: string | null = null;
  for (const uri of [vscode.Uri.joinPath(result, '..', name), ...(await filesIn(runs, name))]) {
    try {
      const found = await readFileOf('validation', uri);
      if (!newest || found.provenance.date > newest.result.provenance.date)
        newest = { result: found, file: uri.fsPath };
    } catch (error) {
      fault = whyNot(uri, error, '') || fault;
    }
  }
  return { validation: newest, fault: newest ? null : fault };
}

async function filesIn(runs: vscode.Uri, name: string): Promise<vscode.Uri[]> {
  const entries = await vscode.workspace.fs.readDirectory(runs).then(
    (all) => all,
    () => [],
  );
  return entries
    .filter(([, type]) => type === vscode.FileType.Directory)
    .map(([folder]) => vscode.Uri.joinPath(runs, folder, name));
}
