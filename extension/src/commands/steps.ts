/** Questions one after the other, with a way back: what VS Code calls a multi-step quick pick. */
import * as vscode from 'vscode';

export const BACK = Symbol('back');

export interface Choice<T> extends vscode.QuickPickItem {
  value?: T;
}

export interface Step<T> {
  title: string;
  /** From 1. */
  step: number;
  steps: number;
  placeholder: string;
  items: readonly Choice<T>[];
}

/** The chosen item; `BACK`; undefined when the user leaves. */
export function askStep<T>(options: Step<T>): Promise<Choice<T> | typeof BACK | undefined> {
  const pick = vscode.window.createQuickPick<Choice<T>>();
  pick.title = options.title;
  pick.step = options.step;
  pick.totalSteps = options.steps;
  pick.placeholder = options.placeholder;
  pick.items = options.items;
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  if (options.step > 1) pick.buttons = [vscode.QuickInputButtons.Back];
  return new Promise<Choice<T> | typeof BACK | undefined>((resolve) => {
    pick.onDidAccept(() => {
      if (pick.selectedItems[0]) resolve(pick.selectedItems[0]);
    });
    pick.onDidTriggerButton(() => resolve(BACK));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  }).finally(() => pick.dispose());
}
