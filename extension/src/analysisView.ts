/** The page of a table's statistics: one panel for each table, read again when the file changes. */
import * as vscode from 'vscode';
import type { ServerClient } from './client.ts';
import { answer, copy, saveText } from './pageRequests.ts';
import { assertNever, openPage, throttled } from './webviewPage.ts';

const CHANGE_MS = 500;

export class AnalysisView implements vscode.Disposable {
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.extensionUri = extensionUri;
    this.client = client;
  }

  /** @param uri of a .csv or .tsv file on a disk */
  open(uri: vscode.Uri): void {
    const known = this.panels.get(uri.fsPath);
    if (known) {
      known.reveal();
      return;
    }
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    // Kept while hidden: what was chosen would be lost, and projections drawn anew.
    const panel = vscode.window.createWebviewPanel(
      'layerif.analysis',
      `Statistics of ${name}`,
      vscode.ViewColumn.Active,
      {
        retainContextWhenHidden: true,
      },
    );
    this.panels.set(uri.fsPath, panel);
    let revision = 0;
    const show = () => page.post({ type: 'analysing', file: uri.fsPath, revision });
    const page = openPage(panel.webview, this.extensionUri, 'analysis', 'LayerIF statistics', (message) => {
      switch (message.type) {
        case 'ready':
          return show();
        case 'ask':
          return void answer(this.client, { path: uri.fsPath }, message).then((reply) => page.post(reply));
        case 'copy':
          return void copy(message);
        case 'saveText':
          return void saveText(uri, message);
        default:
          return assertNever(message);
      }
    });
    const changed = throttled(CHANGE_MS, () => {
      revision += 1;
      show();
    });
    const pattern = new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), name.replace(/[[\]{}*?]/g, '[$&]'));
    const watcher = vscode.workspace.createFileSystemWatcher(pattern);
    const parts = [page, changed, watcher, watcher.onDidChange(changed.request), watcher.onDidCreate(changed.request)];
    panel.onDidDispose(() => {
      this.panels.delete(uri.fsPath);
      for (const part of parts) part.dispose();
    });
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
  }
}
