/** Open Results: of a run of the tree, else of the run under way, else the newest. */
import * as vscode from 'vscode';
import type { ResultsEditor } from '../resultsEditor.ts';
import type { RunList } from '../runList.ts';
import type { RunNode } from '../runsView.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';
import { resultIn } from './targets.ts';

export function registerResultCommands(results: ResultsEditor, list: RunList, runs: RunTracker): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.openResult', async (node?: RunNode) => {
    const running = isRunning(runs.current) ? runs.current.resultFile : null;
    const file = resultIn(node)?.fsPath ?? running ?? (await list.newest());
    if (file) await results.open(file, { preserveFocus: false });
    else
      void vscode.window.showInformationMessage(
        'There are no results in this workspace yet. Score an experiment first.',
      );
  });
}
