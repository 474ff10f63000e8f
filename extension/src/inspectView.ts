/**
 * The page of an inspected model: one panel for each model. It asks the language server what the layers are, again
 * whenever the file changes, and starts an experiment that says what stands in the fields.
 */
import * as vscode from 'vscode';
import type { InspectParams } from '../../protocol/lsp.ts';
import type { FromPage } from '../../protocol/webview.ts';
import { requests } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import { FilePanels, revised, watcherOfFile } from './filePanels.ts';
import { freeUri } from './freeName.ts';
import { inspectedExperiment } from './inspectedExperiment.ts';
import { answer } from './pageRequests.ts';
import { assertNever, openPage } from './webviewPage.ts';

const VIEW_TYPE = 'layerif.inspect';
/** An export writes its file in many pieces. */
const CHANGE_MS = 1000;

export class InspectView implements vscode.Disposable {
  private readonly client: ServerClient;
  private readonly serializer: vscode.Disposable;
  private readonly panels: FilePanels;

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.client = client;
    this.panels = new FilePanels(VIEW_TYPE, (panel, file) => {
      const uri = vscode.Uri.file(file);
      const { show, parts } = revised(watcherOf(uri), CHANGE_MS, (revision) =>
        page.post({ type: 'inspecting', file, revision }),
      );
      const page = openPage(panel.webview, extensionUri, 'inspect', 'LayerIF model layers', (message) => {
        switch (message.type) {
          case 'ready':
            return show();
          case 'ask':
            return void answer(client, { path: file }, message).then((reply) => page.post(reply));
          case 'createExperiment':
            return void this.createExperiment(uri, message);
          default:
            return assertNever(message);
        }
      });
      return [page, ...parts];
    });
    // After a reload of the window: the page remembers its model.
    this.serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
      deserializeWebviewPanel: (panel, state: { file?: unknown } | undefined) => {
        if (typeof state?.file === 'string') this.panels.adopt(panel, state.file);
        else panel.dispose();
        return Promise.resolve();
      },
    });
  }

  /** @param uri of a checkpoint folder, a .gguf or a .onnx file on a disk */
  open(uri: vscode.Uri): void {
    this.panels.open(uri.fsPath, `Layers of ${nameOf(uri)}`);
  }

  dispose(): void {
    this.serializer.dispose();
    this.panels.dispose();
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
const watcherOf = (uri: vscode.Uri): vscode.FileSystemWatcher =>
  /\.(onnx|gguf)$/i.test(uri.path)
    ? watcherOfFile(uri)
    : vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(uri, '*'));

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
