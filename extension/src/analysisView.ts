/** The page of a table's statistics: one panel for each table, read again when the file changes. */
import * as vscode from 'vscode';
import type { ServerClient } from './client.ts';
import { FilePanels, revised, watcherOfFile } from './filePanels.ts';
import { answer, copy, saveText } from './pageRequests.ts';
import { assertNever, openPage } from './webviewPage.ts';

const CHANGE_MS = 500;

export class AnalysisView implements vscode.Disposable {
  private readonly panels: FilePanels;

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.panels = new FilePanels('layerif.analysis', (panel, file) => {
      const uri = vscode.Uri.file(file);
      const { show, parts } = revised(watcherOfFile(uri), CHANGE_MS, (revision) =>
        page.post({ type: 'analysing', file, revision }),
      );
      const page = openPage(panel.webview, extensionUri, 'analysis', 'LayerIF statistics', (message) => {
        switch (message.type) {
          case 'ready':
            return show();
          case 'ask':
            return void answer(client, { path: file }, message).then((reply) => page.post(reply));
          case 'copy':
            return void copy(message);
          case 'saveText':
            return void saveText(uri, message);
          default:
            return assertNever(message);
        }
      });
      return [page, ...parts];
    });
  }

  /** @param uri of a .csv or .tsv file on a disk */
  open(uri: vscode.Uri): void {
    this.panels.open(uri.fsPath, `Statistics of ${uri.path.slice(uri.path.lastIndexOf('/') + 1)}`);
  }

  dispose(): void {
    this.panels.dispose();
  }
}
