/** What is written where the user wants it: asked for, written, and offered to be opened. */
import * as vscode from 'vscode';

export interface Saving {
  proposed: vscode.Uri;
  title?: string;
  filters?: Record<string, string[]>;
  /** Begins the message when it fails: "The table was not written". */
  failure: string;
  /** Writes it. @returns what is said then @throws Error with the reason */
  write: (target: vscode.Uri) => Promise<string>;
}

export async function saveAs({ proposed, title, filters, failure, write }: Saving): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: proposed,
    ...(title === undefined ? {} : { title }),
    ...(filters ? { filters } : {}),
  });
  if (!target) return;
  let said: string;
  try {
    said = await write(target);
  } catch (error) {
    void vscode.window.showErrorMessage(`${failure}: ${(error as Error).message}`);
    return;
  }
  await offerToOpen(said, target.fsPath);
}

export async function offerToOpen(message: string, file: string): Promise<void> {
  const choice = await vscode.window.showInformationMessage(message, 'Open');
  if (choice) await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
}
