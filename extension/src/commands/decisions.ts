/**
 * Allocate LoRA Experts from Scores…, Plan Layer-Wise Sparsity from Scores…, Select Rows by Score…: the tab of a result
 * where the choices are made with their effect in sight.
 */
import * as vscode from 'vscode';
import { resultOf, scoredOf } from './targets.ts';
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
    vscode.commands.registerCommand('layerif.selectRows', async (source: Source) => {
      const scored = await scoredOf(parts, source, 'Scores that choose rows of a dataset');
      if (scored) await parts.results.open(scored.fsPath, { preserveFocus: false, tab: 'data' });
    }),
  );
}
