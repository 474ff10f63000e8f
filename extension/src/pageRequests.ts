/**
 * What a results page asks beside its snapshot: questions to the language server about its result, texts to copy,
 * allocations and exports to write. The result or model file is added here, so a page can reach no other file.
 */
import * as vscode from 'vscode';
import type { FromWebview, ToWebview } from '../../protocol/webview.ts';
import type { SelectRowsAnswer, WrittenRowsAnswer } from '../../protocol/rowRequests.ts';
import { requests } from '../../protocol/requests.ts';
import type { RequestRow } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';

export async function answer(
  client: ServerClient,
  subject: { resultFile: string; path?: undefined } | { path: string; resultFile?: undefined },
  { requestId, what, params }: FromWebview & { type: 'ask' },
): Promise<ToWebview & { type: 'answer' }> {
  if (what === 'measureScores' && !vscode.workspace.isTrusted) {
    const failure = 'Measuring loads a model and starts a process, so it needs a trusted workspace.';
    return { type: 'answer', requestId, answer: null, failure };
  }
  try {
    const asked: RequestRow<object, unknown> = requests[what];
    return { type: 'answer', requestId, answer: await client.request(asked, { ...params, ...subject }), failure: null };
  } catch (error) {
    return { type: 'answer', requestId, answer: null, failure: (error as Error).message };
  }
}

export async function copy({ text, what }: FromWebview & { type: 'copy' }): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(`$(clippy) ${what} copied`, 3000);
}

export async function saveAllocation(
  client: ServerClient,
  resultFile: string,
  { params }: FromWebview & { type: 'saveAllocation' },
): Promise<void> {
  const { file, error } = await client.request(requests.allocate, { ...params, resultFile, save: true });
  if (error || !file) void vscode.window.showErrorMessage(`The allocation was not saved: ${error?.message ?? ''}`);
  else await offerToOpen(`The allocation is saved as ${vscode.workspace.asRelativePath(file)}.`, file);
}

export async function saveExport(
  client: ServerClient,
  resultFile: string,
  { params }: FromWebview & { type: 'saveExport' },
): Promise<void> {
  const dry = await client.request(requests.export, { ...params, resultFile });
  if (dry.error || !dry.file) {
    void vscode.window.showErrorMessage(`The export is not possible: ${dry.error?.message ?? ''}`);
    return;
  }
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(dry.file),
    title: `Export for ${params.to}`,
  });
  if (!target) return;
  const written = await client.request(requests.export, { ...params, resultFile, output: target.fsPath });
  if (written.error) void vscode.window.showErrorMessage(`The export was not written: ${written.error.message}`);
  else await offerToOpen(`Exported for ${params.to}: ${vscode.workspace.asRelativePath(target)}.`, target.fsPath);
}

/** Where it goes is asked for once it is known that it can be written. */
export async function writeRows(
  client: ServerClient,
  resultFile: string,
  message: FromWebview & { type: 'writeRows' },
): Promise<void> {
  const ask = async (output?: string) => {
    const params = { ...message.params, resultFile, ...(output === undefined ? {} : { output }) };
    const asked: RequestRow<object, SelectRowsAnswer | WrittenRowsAnswer> = requests[message.what];
    const answer = await client.request(asked, params);
    return { rows: 'selected' in answer ? answer.selected : answer.written, error: answer.error };
  };
  const dry = await ask();
  if (!dry.rows) {
    void vscode.window.showErrorMessage(`The dataset cannot be written: ${dry.error?.message ?? ''}`);
    return;
  }
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(dry.rows.file),
    title: `Write ${dry.rows.rows} of ${dry.rows.of} rows to a new file`,
  });
  if (!target) return;
  const { rows, error } = await ask(target.fsPath);
  if (!rows) void vscode.window.showErrorMessage(`The dataset was not written: ${error?.message ?? ''}`);
  else
    await offerToOpen(
      `${rows.rows} of ${rows.of} rows are written to ${vscode.workspace.asRelativePath(target)}.`,
      target.fsPath,
    );
}

/** A table in the words of the page, written where the user wants it. */
export async function saveText(
  shown: vscode.Uri,
  { text, name, ending }: FromWebview & { type: 'saveText' },
): Promise<void> {
  const base = shown.path.slice(shown.path.lastIndexOf('/') + 1).replace(/\.layerif-\w+\.json$|\.(json|csv|tsv)$/, '');
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(shown, '..', `${base}.${name}.${ending}`),
    filters: ending === 'csv' ? { CSV: ['csv'] } : { Markdown: ['md'] },
  });
  if (!target) return;
  try {
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
  } catch (error) {
    void vscode.window.showErrorMessage(`The table was not written: ${(error as Error).message}`);
    return;
  }
  await offerToOpen(`The table is saved as ${vscode.workspace.asRelativePath(target)}.`, target.fsPath);
}

export async function offerToOpen(message: string, file: string): Promise<void> {
  const choice = await vscode.window.showInformationMessage(message, 'Open');
  if (choice) await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
}
