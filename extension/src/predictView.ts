/** The page of predictions: one panel for each model, and one for numbers by hand. */
import type * as vscode from 'vscode';
import type { ServerClient } from './client.ts';
import { FilePanels } from './filePanels.ts';
import { answer, copy } from './pageRequests.ts';
import { assertNever, openPage } from './webviewPage.ts';

export class PredictView implements vscode.Disposable {
  private readonly panels: FilePanels;

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.panels = new FilePanels('layerif.predict', (panel, file) => {
      const page = openPage(panel.webview, extensionUri, 'predict', 'LayerIF prediction', (message) => {
        switch (message.type) {
          case 'ready':
            return page.post({ type: 'predicting', file });
          case 'ask':
            return void answer(client, { path: file }, message).then((reply) => page.post(reply));
          case 'copy':
            return void copy(message);
          default:
            return assertNever(message);
        }
      });
      return [page];
    });
  }

  /** @param file absolute path of a model or its config.json; empty for numbers by hand */
  open(file: string): void {
    this.panels.open(file, 'Predicted Score');
  }

  dispose(): void {
    this.panels.dispose();
  }
}
