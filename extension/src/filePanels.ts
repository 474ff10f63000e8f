/** Panels of pages about files: one for each file, brought to the front where it is there already. */
import * as vscode from 'vscode';
import { throttled } from './webviewPage.ts';

/** Parts that go with the panel. */
export type Fill = (panel: vscode.WebviewPanel, file: string) => readonly vscode.Disposable[];

export class FilePanels implements vscode.Disposable {
  private readonly viewType: string;
  private readonly fill: Fill;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(viewType: string, fill: Fill) {
    this.viewType = viewType;
    this.fill = fill;
  }

  /** Kept while hidden: what was typed or chosen would be lost. @param file absolute path; may be empty for none */
  open(file: string, title: string): void {
    const known = this.panels.get(file);
    if (known) known.reveal();
    else
      this.adopt(
        vscode.window.createWebviewPanel(this.viewType, title, vscode.ViewColumn.Active, {
          retainContextWhenHidden: true,
        }),
        file,
      );
  }

  /** A panel that VS Code brings back after a reload of the window. */
  adopt(panel: vscode.WebviewPanel, file: string): void {
    this.panels.set(file, panel);
    const parts = this.fill(panel, file);
    panel.onDidDispose(() => {
      this.panels.delete(file);
      for (const part of parts) part.dispose();
    });
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
  }
}

/** Calls `show` with 0, 1, 2 ... as often as `ready` is asked for or the watcher sees a change. */
export function revised(
  watcher: vscode.FileSystemWatcher,
  milliseconds: number,
  show: (revision: number) => void,
): { show: () => void; parts: readonly vscode.Disposable[] } {
  let revision = 0;
  const changed = throttled(milliseconds, () => show((revision += 1)));
  const events = [watcher.onDidChange, watcher.onDidCreate, watcher.onDidDelete];
  return {
    show: () => show(revision),
    parts: [changed, watcher, ...events.map((event) => event(changed.request))],
  };
}

/** Of one file, whatever characters its name has. */
export function watcherOfFile(uri: vscode.Uri): vscode.FileSystemWatcher {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1).replace(/[[\]{}*?]/g, '[$&]');
  return vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), name));
}
