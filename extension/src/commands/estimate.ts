/** Estimate: what scoring an experiment will take, before it runs; it can be started from the answer. */
import * as vscode from 'vscode';
import type { EstimateAnswer } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import { experimentName } from '../experimentFiles.ts';
import { estimateWords } from '../../../protocol/estimateWords.ts';
import { mayRun, saveExperiment } from './guard.ts';
import { chooseExperiment } from './score.ts';
import type { ScoreParts } from './score.ts';

export function registerEstimateCommand(parts: ScoreParts): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.estimate', async (source?: vscode.Uri) => {
    const uri = source instanceof vscode.Uri ? source : await chooseExperiment('estimate');
    if (!uri || !(await mayRun(parts.runs, uri, 'The estimate'))) return;
    const file = await saveExperiment(uri);
    if (file) await estimate(parts, file);
  });
}

async function estimate({ client, output }: ScoreParts, file: vscode.Uri): Promise<void> {
  const name = experimentName(file.path);
  const { estimate: found, error } = await client
    .request(requests.estimate, { uri: file.toString() })
    .catch((cause: Error): EstimateAnswer => ({ estimate: null, error: { code: 'failed', message: cause.message } }));
  if (!found) {
    if (error?.code === 'cancelled') return;
    output.error(`${name}: ${error?.message ?? ''}`);
    void vscode.window.showErrorMessage(`${name} cannot be estimated: ${error?.message ?? 'no answer'}`);
    return;
  }
  for (const warning of found.warnings) output.warn(`${name}: ${warning}`);
  const words = estimateWords(name, found);
  const start = 'Score Layers';
  const choice =
    found.refusal === null
      ? await vscode.window.showInformationMessage(words, start)
      : await vscode.window.showWarningMessage(words);
  if (choice === start) await vscode.commands.executeCommand('layerif.scoreLayers', file);
}
