/**
 * Allocate LoRA Experts from Scores…: the Allocation tab of a result, where rule and totals are chosen with their
 * effect in sight.
 */
import * as vscode from 'vscode';
import { resultOf } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';

export function registerDecisionCommands(parts: TargetParts): vscode.Disposable {
  const openTab = async (source: Source, tab: string, placeHolder: string) => {
    const result = await resultOf(parts, source, placeHolder);
    if (result) await parts.results.open(result.fsPath, { preserveFocus: false, tab });
  };
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.allocateExperts', (source: Source) =>
      openTab(source, 'allocation', 'Result whose scores are shared out'),
    ),
    vscode.commands.registerCommand('layerif.planSparsity', (source: Source) =>
      openTab(source, 'sparsity', 'Result whose scores become sparsities'),
    ),
  );
}
