/**
 * Questions in the quick input. They stay when a page that loads takes the focus: what was ticked or typed is not lost;
 * Escape closes them.
 */
import * as vscode from 'vscode';

const stays = { ignoreFocusOut: true };

/** @returns undefined when the user leaves */
export async function pickOne<T extends vscode.QuickPickItem>(
  items: readonly T[],
  options: Pick<vscode.QuickPickOptions, 'matchOnDescription' | 'matchOnDetail'> & { placeHolder: string },
): Promise<T | undefined> {
  return vscode.window.showQuickPick(items, { ...options, ...stays });
}

/** @returns undefined when the user leaves */
export async function pickName(names: readonly string[], placeHolder: string): Promise<string | undefined> {
  return vscode.window.showQuickPick(names, { placeHolder, ...stays });
}

/** @returns null when the user leaves or ticks nothing */
export async function pickMany<T extends vscode.QuickPickItem>(
  items: readonly T[],
  options: Pick<vscode.QuickPickOptions, 'matchOnDescription'> & { placeHolder: string },
): Promise<T[] | null> {
  const picked = await vscode.window.showQuickPick(items, { ...options, ...stays, canPickMany: true });
  return picked?.length ? picked : null;
}

/** @returns undefined when the user leaves */
export async function typeText(
  options: Pick<vscode.InputBoxOptions, 'title' | 'prompt' | 'placeHolder' | 'value'> & {
    validateInput?: (text: string) => string | null;
  },
): Promise<string | undefined> {
  return vscode.window.showInputBox({ ...options, ...stays });
}
