/** Inspect Model Layers: on a file or folder of the explorer, or on a model of the workspace that is chosen. */
import * as vscode from 'vscode';
import type { InspectView } from '../inspectView.ts';
import { findModels, modelOf } from '../modelFiles.ts';

export function registerInspectCommand(view: InspectView): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.inspectModel', async (source?: vscode.Uri) => {
    const uri = source instanceof vscode.Uri ? source : await chooseModel();
    if (!uri) return;
    if (uri.scheme === 'file') view.open(modelOf(uri));
    else
      void vscode.window.showErrorMessage(`${uri.toString()} is not on a disk; a model is read from files on a disk.`);
  });
}

interface Item extends vscode.QuickPickItem {
  uri?: vscode.Uri;
  browse?: 'file' | 'folder';
}

async function chooseModel(): Promise<vscode.Uri | undefined> {
  const items: Item[] = (await findModels()).map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
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
