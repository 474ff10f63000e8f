/** Names that nothing in a folder has yet. */
import * as vscode from 'vscode';

/** STEM + ending, or STEM-2 + ending and so on where that is taken, by a file or by a draft that is not saved yet. */
export async function freeUri(folder: vscode.Uri, stem: string, ending = ''): Promise<vscode.Uri> {
  const entries = await vscode.workspace.fs.readDirectory(folder).then(undefined, () => []);
  const taken = new Set(entries.map(([name]) => name));
  const drafts = new Set(vscode.workspace.textDocuments.map(({ uri }) => uri.path));
  for (let i = 1; ; i++) {
    const name = `${stem}${i === 1 ? '' : `-${i}`}${ending}`;
    const uri = vscode.Uri.joinPath(folder, name);
    if (!taken.has(name) && !drafts.has(uri.path)) return uri;
  }
}
