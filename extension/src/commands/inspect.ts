/** Inspect Model Layers: on a file or folder of the explorer, or on a model of the workspace that is chosen. */
import * as vscode from 'vscode';
import { EXCLUDE_GLOB } from '../experimentFiles.ts';
import type { InspectView } from '../inspectView.ts';

const MODELS = '**/*.{onnx,gguf,safetensors}';
/** More are not offered; a file dialog is. */
const MOST = 500;

export function registerInspectCommand(view: InspectView): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.inspectModel', async (source?: vscode.Uri) => {
    const uri = source instanceof vscode.Uri ? source : await chooseModel();
    if (!uri) return;
    if (uri.scheme === 'file') view.open(modelOf(uri));
    else
      void vscode.window.showErrorMessage(`${uri.toString()} is not on a disk; a model is read from files on a disk.`);
  });
}

/** Shards and adapters belong to their folder. */
const modelOf = (uri: vscode.Uri) => (/\.safetensors$/i.test(uri.path) ? vscode.Uri.joinPath(uri, '..') : uri);

interface Item extends vscode.QuickPickItem {
  uri?: vscode.Uri;
  browse?: 'file' | 'folder';
}

async function chooseModel(): Promise<vscode.Uri | undefined> {
  const found = (await vscode.workspace.findFiles(MODELS, EXCLUDE_GLOB, MOST)).map(modelOf);
  const models = [...new Map(found.map((uri) => [uri.toString(), uri])).values()];
  const items: Item[] = models
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const dialogs: Item[] = [
    { label: '$(file) Browse for a File...', browse: 'file' },
    { label: '$(folder) Browse for a Folder...', browse: 'folder' },
  ];
  const separator: Item[] = items.length > 0 ? [{ label: '', kind: vscode.QuickPickItemKind.Separator }] : [];
  const choice = await vscode.window.showQuickPick([...items, ...separator, ...dialogs], {
    placeHolder: 'Model to inspect: a .onnx or .gguf file, or a folder with *.safetensors',
  });
  if (!choice?.browse) return choice?.uri;
  const folder = choice.browse === 'folder';
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: !folder,
    canSelectFolders: folder,
    title: 'Model to inspect',
    openLabel: 'Inspect',
    ...(folder ? {} : { filters: { Models: ['onnx', 'gguf', 'safetensors'] } }),
  });
  return chosen?.[0];
}
