/**
 * Inspect Model Layers: on a file or folder of the explorer, on a model of the workspace that is chosen, or on a model
 * of the hub, of which the headers are shown.
 */
import * as vscode from 'vscode';
import { pickOne, typeText } from '../ask.ts';
import type { InspectView } from '../inspectView.ts';
import { findModels, modelOf } from '../modelFiles.ts';
import { openHubModel } from '../modelLayersEditor.ts';

export function registerInspectCommand(view: InspectView): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.inspectModel', async (source?: vscode.Uri) => {
    const uri = source instanceof vscode.Uri ? source : await chooseModel();
    if (typeof uri === 'string') return openHubModel(uri);
    if (!uri) return;
    if (uri.scheme === 'file') view.open(modelOf(uri));
    else
      void vscode.window.showErrorMessage(`${uri.toString()} is not on a disk; a model is read from files on a disk.`);
  });
}

interface Item extends vscode.QuickPickItem {
  uri?: vscode.Uri;
  browse?: 'file' | 'folder' | 'hub';
}

/** A path, or what to show of the hub. */
async function chooseModel(): Promise<vscode.Uri | string | undefined> {
  const items: Item[] = (await findModels()).map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  const dialogs: Item[] = [
    { label: '$(file) Browse for a File...', browse: 'file' },
    { label: '$(folder) Browse for a Folder...', browse: 'folder' },
    { label: '$(cloud) Model of the Hugging Face Hub...', browse: 'hub' },
  ];
  const separator: Item[] = items.length > 0 ? [{ label: '', kind: vscode.QuickPickItemKind.Separator }] : [];
  const choice = await pickOne([...items, ...separator, ...dialogs], {
    placeHolder: 'Model to inspect: a .onnx or .gguf file, or a folder with *.safetensors',
  });
  if (!choice?.browse) return choice?.uri;
  if (choice.browse === 'hub') return askHubModel();
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

/** Of the hub the headers alone are fetched: some hundred kilobytes of the largest models. */
async function askHubModel(): Promise<string | undefined> {
  const target = await typeText({
    title: 'Model of the Hugging Face hub',
    prompt: 'org/name, org/name@revision, or org/name/FILE; its headers are fetched, no weights',
    placeHolder: 'HuggingFaceTB/SmolLM2-135M-Instruct',
    validateInput: (text) =>
      /^[\w.-]+\/[\w.-]+(@[^/@\s]+)?(\/\S+)?$/.test(text.trim()) ? null : 'Write org/name, with / between them.',
  });
  return target?.trim();
}
