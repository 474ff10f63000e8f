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
import { offerToOpen, saveAs } from './saving.ts';

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
  await saveAs({
    proposed: vscode.Uri.file(dry.file),
    title: `Export for ${params.to}`,
    failure: 'The export was not written',
    write: async (target) => {
      const { error } = await client.request(requests.export, { ...params, resultFile, output: target.fsPath });
      if (error) throw new Error(error.message);
      return `Exported for ${params.to}: ${vscode.workspace.asRelativePath(target)}.`;
    },
  });
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
  await saveRows(dry.rows, 'The dataset was not written', async (output) => {
    const { rows, error } = await ask(output);
    if (!rows) throw new Error(error?.message ?? '');
    return rows;
  });
}

interface RowsOfFile {
  file: string;
  rows: number;
  of: number;
}

/** @param planned where they would be written, and how many @param write throws an Error with the reason */
export async function saveRows(
  planned: RowsOfFile,
  failure: string,
  write: (output: string) => Promise<RowsOfFile>,
): Promise<void> {
  await saveAs({
    proposed: vscode.Uri.file(planned.file),
    title: `Write ${planned.rows} of ${planned.of} rows to a new file`,
    failure,
    write: async (target) => {
      const { rows, of } = await write(target.fsPath);
      return `${rows} of ${of} rows are written to ${vscode.workspace.asRelativePath(target)}.`;
    },
  });
}

/** A table in the words of the page, written where the user wants it. */
export async function saveText(
  shown: vscode.Uri,
  { text, name, ending }: FromWebview & { type: 'saveText' },
): Promise<void> {
  const base = shown.path.slice(shown.path.lastIndexOf('/') + 1).replace(/\.layerif-\w+\.json$|\.(json|csv|tsv)$/, '');
  await saveAs({
    proposed: vscode.Uri.joinPath(shown, '..', `${base}.${name}.${ending}`),
    filters: ending === 'csv' ? { CSV: ['csv'] } : { Markdown: ['md'] },
    failure: 'The table was not written',
    write: async (target) => {
      await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(text));
      return `The table is saved as ${vscode.workspace.asRelativePath(target)}.`;
    },
  });
}
