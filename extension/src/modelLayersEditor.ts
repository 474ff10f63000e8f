/**
 * The read-only custom editor *Model Layers* on .gguf, .safetensors and .onnx files, and on models of the hub, whose
 * headers alone are fetched. It asks the language server, again whenever the file changes; VS Code brings it back after
 * a reload.
 */
import * as vscode from 'vscode';
import type { ServerClient } from './client.ts';
import { revised, watcherOfFile } from './filePanels.ts';
import { answer } from './pageRequests.ts';
import { assertNever, openPage } from './webviewPage.ts';

export const MODEL_LAYERS_EDITOR = 'layerif.modelLayers';
/** The path is `/org/name`, perhaps with `@revision` and `/FILE` behind it. */
const HUB = 'layerif-hub';
/** A download writes its file in many pieces. */
const CHANGE_MS = 1000;

export class ModelLayersEditor implements vscode.CustomReadonlyEditorProvider, vscode.Disposable {
  private readonly registration: vscode.Disposable;
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;

  constructor(extensionUri: vscode.Uri, client: ServerClient) {
    this.extensionUri = extensionUri;
    this.client = client;
    this.registration = vscode.window.registerCustomEditorProvider(MODEL_LAYERS_EDITOR, this, {
      supportsMultipleEditorsPerDocument: true,
    });
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { client } = this;
    const file = uri.scheme === HUB ? uri.path.slice(1) : uri.fsPath;
    const { show, parts } =
      uri.scheme === 'file' ? revised(watcherOfFile(uri), CHANGE_MS, shown) : { show: () => shown(0), parts: [] };
    const page = openPage(panel.webview, this.extensionUri, 'header', 'LayerIF model header', (message) => {
      switch (message.type) {
        case 'ready':
          return uri.scheme === 'file' || uri.scheme === HUB ? show() : page.post(notOnADisk(uri));
        case 'ask':
          return void answer(client, { path: file }, message).then((reply) => page.post(reply));
        case 'inspectWhole':
          return void vscode.commands.executeCommand('layerif.inspectModel', uri);
        default:
          return assertNever(message);
      }
    });
    panel.onDidDispose(() => {
      for (const part of [page, ...parts]) part.dispose();
    });

    function shown(revision: number): void {
      page.post({ type: 'inspecting', file, revision });
    }
  }

  dispose(): void {
    this.registration.dispose();
  }
}

const notOnADisk = (uri: vscode.Uri) => ({
  type: 'failed' as const,
  message: `${uri.toString()} is not on a disk; a model is read from files on a disk.`,
});

/** @param target `org/name`, `org/name@revision` or `org/name/FILE` */
export async function openHubModel(target: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: HUB, path: `/${target}` });
  await vscode.commands.executeCommand('vscode.openWith', uri, MODEL_LAYERS_EDITOR);
}
