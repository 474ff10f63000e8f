/** The page of predictions: one panel for each model, and one for numbers by hand. */
import * as vscode from 'vscode';
import type { ServerClient } from './client.ts';
import { answer, copy } from './pageRequests.ts';
import { assertNever, openPage } from './webviewPage.ts';

export class PredictView implements vscode.Disposable {
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.extensionUri = extensionUri;
    this.client = client;
  }

  /** @param file absolute path of a model or its config.json; empty for numbers by hand */
  open(file: string): void {
    const known = this.panels.get(file);
    if (known) {
      known.reveal();
      return;
    }
    // Kept while hidden: what was set would be lost.
    const panel = vscode.window.createWebviewPanel('layerif.predict', 'Predicted Score', vscode.ViewColumn.Active, {
      retainContextWhenHidden: true,
    });
    this.panels.set(file, panel);
    const page = openPage(panel.webview, this.extensionUri, 'predict', 'LayerIF prediction', (message) => {
      switch (message.type) {
        case 'ready':
          return page.post({ type: 'predicting', file });
        case 'ask':
          return void answer(this.client, { path: file }, message).then((reply) => page.post(reply));
        case 'copy':
          return void copy(message);
        default:
          return assertNever(message);
      }
    });
    panel.onDidDispose(() => {
      this.panels.delete(file);
      page.dispose();
    });
  }

  dispose(): void {
    for (const panel of [...this.panels.values()]) panel.dispose();
  }
}
