/**
 * Probe Layers and Show Claimed Weights: one score of an experiment's layers, for one task or several beside each
 * other, and the tab that shows it.
 */
import * as vscode from 'vscode';
import { pickMany } from '../ask.ts';
import type { AskedScore } from '../../../protocol/experiment.ts';
import type { ScoreAnswer } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { experimentName } from '../experimentFiles.ts';
import type { RunTracker } from '../runTracker.ts';
import { resultBeside } from '../scoresFile.ts';
import { mayRun, saveExperiment } from './guard.ts';
import { experimentOf } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';
import { failed, refuse } from './trust.ts';

interface LayerScore {
  score: string;
  /** What is done, in messages. */
  what: string;
  /** Above the names of tasks. */
  tasks: string;
}

const probe: LayerScore = {
  score: 'probe',
  what: 'Probing the layers',
  tasks: 'Tasks whose labels are looked for in each layer',
};
const claimed: LayerScore = {
  score: 'spider',
  what: 'Looking for claimed weights',
  tasks: 'Tasks whose claims on the weights are looked for',
};

export interface LayerScoreParts extends TargetParts {
  client: ServerClient;
  runs: RunTracker;
  output: vscode.LogOutputChannel;
}

export function registerLayerScoreCommands(parts: LayerScoreParts): vscode.Disposable {
  const run = (row: LayerScore) => async (source: Source) => {
    const asked = await experimentOf(parts, source, 'score');
    if (asked && (await mayRun(parts.runs, asked, row.what))) await measure(parts, asked, row);
  };
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.probeLayers', run(probe)),
    vscode.commands.registerCommand('layerif.claimedWeights', run(claimed)),
  );
}

async function measure(parts: LayerScoreParts, asked: vscode.Uri, row: LayerScore): Promise<void> {
  const experiment = await saveExperiment(asked);
  if (!experiment) return;
  const uri = experiment.toString();
  const { tasks } = await parts.client.request(requests.outline, { uri });
  const names = [...new Set(tasks.map(({ task }) => task))];
  const scores = await chosen(names, row);
  if (!scores) return;
  const { resultFile, error } = await parts.client
    .request(requests.score, { uri, scores })
    .catch((cause: Error): ScoreAnswer => ({ resultFile: null, error: failed(cause) }));
  if (error || resultFile === null) return refuse(parts, `${row.what} of ${experimentName(experiment.path)}`, error);
  const result = resultBeside(resultFile);
  const file = (await exists(result)) ? result : resultFile;
  await parts.results.open(file, { preserveFocus: false, tab: 'scores', score: row.score });
}

/** Of one task alone there is nothing to choose: its score is as the file declares it. */
async function chosen(
  tasks: readonly string[],
  { score, tasks: placeHolder }: LayerScore,
): Promise<AskedScore[] | null> {
  if (tasks.length < 2) return [{ id: score, options: {} }];
  const items = tasks.map((label) => ({ label, picked: true }));
  const picked = await pickMany(items, { placeHolder });
  return picked && picked.map(({ label }) => ({ id: score, options: {}, task: label }));
}

const exists = (file: string) =>
  vscode.workspace.fs.stat(vscode.Uri.file(file)).then(
    () => true,
    () => false,
  );
