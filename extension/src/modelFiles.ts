/** Models of the workspace: .gguf and .onnx files, and folders with weights; not what LayerIF's own runs wrote. */
import * as vscode from 'vscode';
import { EXCLUDE_GLOB, isInRun } from './experimentFiles.ts';

const MODELS = '**/*.{onnx,gguf,safetensors}';
/** More are not offered; a file dialog is. */
const MOST = 500;

/** Shards and adapters belong to their folder. */
export const modelOf = (uri: vscode.Uri) => (/\.safetensors$/i.test(uri.path) ? vscode.Uri.joinPath(uri, '..') : uri);

/** By path. */
export async function findModels(): Promise<vscode.Uri[]> {
  const files = (await vscode.workspace.findFiles(MODELS, EXCLUDE_GLOB, MOST)).filter(({ path }) => !isInRun(path));
  const found = new Map(files.map(modelOf).map((uri) => [uri.toString(), uri]));
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }));
}
