/** Open Results and Create Experiment File: the two ends of a run that are files. */
import * as vscode from 'vscode';
import type { ResultsEditor } from '../resultsEditor.ts';
import type { RunList } from '../runList.ts';
import type { RunNode } from '../runsView.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';
import { experimentTemplate } from '../experimentTemplate.ts';

export function registerResultCommands(results: ResultsEditor, list: RunList, runs: RunTracker): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.openResult', async (node?: RunNode) => {
      const running = isRunning(runs.current) ? runs.current.resultFile : null;
      const file = node ? fileOf(node) : (running ?? (await list.newest()));
      if (file) await results.open(file, { preserveFocus: false });
      else
        void vscode.window.showInformationMessage(
          'There are no results in this workspace yet. Score an experiment first.',
        );
    }),
    vscode.commands.registerCommand('layerif.createExperiment', async () => {
      const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
      const file = folder
        ? vscode.Uri.joinPath(folder, await freeName(folder))
        : vscode.Uri.parse('experiment.layerif.yaml');
      const document = await vscode.workspace.openTextDocument(file.with({ scheme: 'untitled' }));
      const editor = await vscode.window.showTextDocument(document);
      if (document.getText() === '')
        await editor.insertSnippet(new vscode.SnippetString(experimentTemplate), new vscode.Position(0, 0));
    }),
  );
}

const fileOf = (node: RunNode) => (node.kind === 'running' ? node.run.resultFile : node.entry.uri.fsPath);

/** `experiment.layerif.yaml`, or with a number when that is taken. */
async function freeName(folder: vscode.Uri): Promise<string> {
  const taken = new Set((await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name));
  for (let i = 1; ; i++) {
    const name = i === 1 ? 'experiment.layerif.yaml' : `experiment-${i}.layerif.yaml`;
    if (!taken.has(name)) return name;
  }
}
