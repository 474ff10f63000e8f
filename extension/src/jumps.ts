/**
 * From a chart back to the text: a task's or dataset's line in the experiment file, a sample's line in its data file.
 */
import * as vscode from 'vscode';
import type { LocateAnswer, LocateParams } from '../../protocol/lsp.ts';
import { requests } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import { EXCLUDE_GLOB, experimentName } from './experimentFiles.ts';
import { isOutside, mayOpen } from './outside.ts';

/** The group to open a text in, so that it does not cover the page it was asked from. */
export type OpenColumn = vscode.ViewColumn | undefined;
export function columnBeside(page: vscode.ViewColumn | undefined): OpenColumn {
  if (page === undefined) return undefined;
  return page > vscode.ViewColumn.One ? vscode.ViewColumn.One : vscode.ViewColumn.Beside;
}

/** Opens the experiment file at the line of a task or dataset. Says what is wrong when that is not possible. */
export async function revealInExperiment(
  client: ServerClient,
  experimentFile: string,
  what: Pick<LocateParams, 'task' | 'dataset'>,
  column: OpenColumn,
): Promise<void> {
  const uri = await findExperiment(experimentFile);
  if (!uri) {
    void vscode.window.showWarningMessage(
      `The experiment file ${experimentFile} is not there any more. Open the folder that contains it and try again.`,
    );
    return;
  }
  let place: LocateAnswer = { line: 0, character: 0 };
  try {
    const params: LocateParams = { uri: uri.toString(), ...what };
    place = (await client.request(requests.locate, params)) ?? place;
  } catch {
    // Without the server the file still opens, at its top.
  }
  await openAt(uri, place.line, place.character, column);
}

/**
 * The file where the run recorded it, else a file of the same name in the workspace (a result that came from another
 * machine).
 */
async function findExperiment(experimentFile: string): Promise<vscode.Uri | null> {
  const recorded = vscode.Uri.file(experimentFile);
  if (!isOutside(experimentFile, folders()) && (await exists(recorded))) return recorded;
  const base = recorded.path.slice(recorded.path.lastIndexOf('/') + 1);
  if (base === '') return null;
  const candidates = await vscode.workspace.findFiles(`**/${base}`, EXCLUDE_GLOB, 20);
  const name = experimentName(recorded.path);
  const own = candidates.find((uri) => experimentName(uri.path) === name);
  if (own) return own;
  return isOutside(experimentFile, folders()) && (await agreed(experimentFile)) && (await exists(recorded))
    ? recorded
    : null;
}

const folders = () => (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);

/** Whether a file that a result names may be opened: one outside the workspace only after a question. */
function agreed(file: string): Promise<boolean> {
  return mayOpen(file, folders(), async (question, detail) => {
    const open = 'Open';
    return (await vscode.window.showWarningMessage(question, { modal: true, detail }, open)) === open;
  });
}

/** Opens a data file at a line (from 1). Files without lines are shown in the file explorer, with a word why. */
export async function openSample(file: string, line: number | null, column: OpenColumn): Promise<void> {
  if (!(await agreed(file))) return;
  const uri = vscode.Uri.file(file);
  if (!(await exists(uri))) {
    void vscode.window.showWarningMessage(`The data file ${file} is not there any more.`);
    return;
  }
  if (line === null) {
    await vscode.commands.executeCommand('revealInExplorer', uri);
    void vscode.window.showInformationMessage(
      'This format has no text lines to jump to; the file is selected in the Explorer and the row number stands in the table.',
    );
    return;
  }
  await openAt(uri, line - 1, 0, column);
}

async function openAt(uri: vscode.Uri, line: number, character: number, column: OpenColumn): Promise<void> {
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    const end = document.lineAt(Math.min(line, document.lineCount - 1)).range.end;
    const start = new vscode.Position(Math.min(line, document.lineCount - 1), character);
    const editor = await vscode.window.showTextDocument(document, {
      viewColumn: column,
      selection: new vscode.Range(start, start.isBefore(end) ? end : start),
    });
    editor.revealRange(new vscode.Range(start, end), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  } catch (error) {
    void vscode.window.showErrorMessage(`${uri.fsPath} could not be opened: ${(error as Error).message}`);
  }
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );
}
