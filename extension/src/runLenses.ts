/**
 * Lenses on the first line of an experiment that follow its runs: Cancel with how far the run is, else the last result
 * and an estimate. Those of the language server, which say what can be scored, stand before them.
 */
import * as vscode from 'vscode';
import { EXPERIMENT_GLOBS } from './experimentFiles.ts';
import type { RunList } from './runList.ts';
import { runLensesOf } from './runLensTitles.ts';
import { newestShown } from './runTree.ts';
import type { RunTracker } from './runTracker.ts';
import { throttled } from './webviewPage.ts';

/** A percentage that changes more often makes the editor draw without need. */
const CHANGE_MS = 1000;

export class RunLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changes.event;
  private readonly runs: RunTracker;
  private readonly list: RunList;
  private readonly parts: vscode.Disposable[];

  constructor(runs: RunTracker, list: RunList) {
    this.runs = runs;
    this.list = list;
    const changed = throttled(CHANGE_MS, () => this.changes.fire());
    this.parts = [
      this.changes,
      changed,
      runs.onChange(changed.request),
      list.onChange(changed.request),
      vscode.languages.registerCodeLensProvider(
        EXPERIMENT_GLOBS.map((pattern) => ({ scheme: 'file', pattern })),
        this,
      ),
    ];
  }

  async provideCodeLenses({ uri }: vscode.TextDocument): Promise<vscode.CodeLens[]> {
    const own = (await this.list.entries()).filter(({ summary }) => summary?.experimentFile === uri.fsPath);
    const last = newestShown(own)?.uri;
    const line = new vscode.Range(0, 0, 0, 0);
    return runLensesOf(uri.fsPath, this.runs.current, last !== undefined).map(({ title, command }) => {
      const subject = { 'layerif.cancelRun': [], 'layerif.openResult': [last], 'layerif.estimate': [uri] }[command];
      return new vscode.CodeLens(line, { title, command, arguments: subject });
    });
  }

  dispose(): void {
    for (const part of this.parts) part.dispose();
  }
}
