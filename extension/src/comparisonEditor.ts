/**
 * The read-only custom editor on `*.layerif-pruning-comparison.json`; drawn again whenever a comparison under way
 * writes its file.
 */
import * as vscode from 'vscode';
import type { ToPage } from '../../protocol/webview.ts';
import { readFileOf, whyNot } from './ourFiles.ts';
import { openPage, throttled } from './webviewPage.ts';

export const COMPARISON_EDITOR = 'layerif.comparison';

export class ComparisonEditor implements vscode.CustomReadonlyEditorProvider, vscode.Disposable {
  private readonly registration: vscode.Disposable;
  private readonly extensionUri: vscode.Uri;

  constructor(extensionUri: vscode.Uri) {
    this.extensionUri = extensionUri;
    this.registration = vscode.window.registerCustomEditorProvider(COMPARISON_EDITOR, this, {
      supportsMultipleEditorsPerDocument: true,
    });
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const page = openPage(panel.webview, this.extensionUri, 'comparison', 'LayerIF comparison', () => update.request());
    const update = throttled(250, () => void snapshot(uri).then((message) => page.post(message)));
    const base = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), base),
    );
    const parts = [watcher, watcher.onDidChange(update.request), watcher.onDidCreate(update.request), page, update];
    panel.onDidDispose(() => {
      for (const part of parts) part.dispose();
    });
  }

  dispose(): void {
    this.registration.dispose();
  }
}

async function snapshot(uri: vscode.Uri): Promise<ToPage<'comparison'>> {
  try {
    return { type: 'pruningComparison', comparison: await readFileOf('comparison', uri) };
  } catch (error) {
    return { type: 'failed', message: whyNot(uri, error, 'This file is not there any more.') };
  }
}
