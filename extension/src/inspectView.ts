/**
 * The page of an inspected model: one panel for each model. It asks the language server what the layers are, again
 * whenever the file changes, and starts an experiment that says what stands in the fields.
 */
import * as vscode from 'vscode';
import type { InspectParams } from '../../protocol/lsp.ts';
import type { FromPage } from '../../protocol/webview.ts';
import { requests } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import { freeUri } from './freeName.ts';
import { inspectedExperiment } from './inspectedExperiment.ts';
import { answer } from './pageRequests.ts';
import { assertNever, openPage, throttled } from './webviewPage.ts';

const VIEW_TYPE = 'layerif.inspect';
/** An export writes its file in many pieces. */
const CHANGE_MS = 1000;

export class InspectView implements vscode.Disposable {
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;
  private readonly serializer: vscode.Disposable;
  private readonly panels = new Map<string, vscode.WebviewPanel>();

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.extensionUri = extensionUri;
    this.client = client;
    // After a reload of the window: the page remembers its model.
    this.serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: (panel, state: { file?: unknown } | undefined) => {
        if (typeof state?.file === 'string') this.fill(panel, vscode.Uri.file(state.file));
        else panel.dispose();
        return Promise.resolve();
      },
    });
  }

  /** @param uri of a checkpoint folder, a .gguf or a .onnx file on a disk */
  open(uri: vscode.Uri): void {
    const known = this.panels.get(uri.fsPath);
    if (known) {
      known.reveal();
      return;
    }
    const name = nameOf(uri);
    // Kept while hidden: what was typed would be lost, and a large graph read again.
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, `Layers of ${name}`, vscode.ViewColumn.Active, {
      retainContextWhenHidden: true,
    });
    this.fill(panel, uri);
  }

  private fill(panel: vscode.WebviewPanel, uri: vscode.Uri): void {
    this.panels.set(uri.fsPath, panel);
    let revision = 0;
    const show = () => page.post({ type: 'inspecting', file: uri.fsPath, revision });
    const page = openPage(panel.webview, this.extensionUri, 'inspect', 'LayerIF model layers', (message) => {
      switch (message.type) {
        case 'ready':
          return show();
        case 'ask':
          return void answer(this.client, { path: uri.fsPath }, message).then((reply) => page.post(reply));
        case 'createExperiment':
          return void this.createExperiment(uri, message);
        default:
          return assertNever(message);
      }
    });
    const changed = throttled(CHANGE_MS, () => {
      revision += 1;
      show();
    });
    const watcher = watcherOf(uri);
    const parts: vscode.Disposable[] = [page, changed, watcher];
    parts.push(watcher.onDidChange(changed.request), watcher.onDidCreate(changed.request));
    parts.push(watcher.onDidDelete(changed.request));
    panel.onDidDispose(() => {
      this.panels.delete(uri.fsPath);
      for (const part of parts) part.dispose();
    });
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of [...this.panels.values()]) panel.dispose();
  }

  private async createExperiment(
    uri: vscode.Uri,
    { layersPattern, output }: FromPage<'inspect'> & { type: 'createExperiment' },
  ): Promise<void> {
    try {
      const params: InspectParams = { path: uri.fsPath, layersPattern, output };
      const { model, error } = await this.client.request(requests.inspectModel, params);
      if (!model) throw new Error(error?.message ?? 'no answer');
      const { file, modelPath } = await placeOf(uri);
      const document = await vscode.workspace.openTextDocument(file.with({ scheme: 'untitled' }));
      const editor = await vscode.window.showTextDocument(document);
      const text = inspectedExperiment({ model, modelPath, layersPattern, output });
      await editor.insertSnippet(new vscode.SnippetString(text), new vscode.Position(0, 0));
    } catch (error) {
      void vscode.window.showErrorMessage(`No experiment was created: ${(error as Error).message}`);
    }
  }
}

const nameOf = ({ path }: vscode.Uri) => path.slice(path.lastIndexOf('/') + 1);

/** Of the file itself, or of what lies in the folder. */
function watcherOf(uri: vscode.Uri): vscode.FileSystemWatcher {
  const pattern = /\.(onnx|gguf)$/i.test(uri.path)
    ? new vscode.RelativePattern(vscode.Uri.joinPath(uri, '..'), nameOf(uri).replace(/[[\]{}*?]/g, '[$&]'))
    : new vscode.RelativePattern(uri, '*');
  return vscode.workspace.createFileSystemWatcher(pattern);
}

/**
 * NAME.layerif.yaml in the workspace folder that holds the model, else beside it; with a number where that is taken.
 */
async function placeOf(model: vscode.Uri): Promise<{ file: vscode.Uri; modelPath: string }> {
  const owner = vscode.workspace.getWorkspaceFolder(model)?.uri;
  // The folder may itself be the model.
  const folder = owner && owner.path !== model.path ? owner : vscode.Uri.joinPath(model, '..');
  const modelPath = `./${model.path.slice(folder.path.replace(/\/$/, '').length + 1)}`;
  const stem = nameOf(model).replace(/\.(onnx|gguf)$/i, '');
  return { file: await freeUri(folder, stem, '.layerif.yaml'), modelPath };
}
