/**
 * Score Layers, Score This Task, Score Layers with This Dataset: from a lens, a tree, the editor's title or the
 * palette.
 */
import * as vscode from 'vscode';
import { pickName, pickOne } from '../ask.ts';
import type { LensArgument, ScoreAnswer, ScoreParams } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { experimentName, isExperimentFile } from '../experimentFiles.ts';
import { findExperiments } from '../experimentsView.ts';
import type { ExperimentNode } from '../experimentsView.ts';
import type { ResultsEditor } from '../resultsEditor.ts';
import type { RunTracker } from '../runTracker.ts';
import { mayRun, saveExperiment } from './guard.ts';

/** What VS Code hands to a command: a lens argument, a file from a menu, a tree node, or nothing (palette). */
type Source = LensArgument | vscode.Uri | ExperimentNode | undefined;

export interface ScoreParts {
  client: ServerClient;
  runs: RunTracker;
  results: ResultsEditor;
  output: vscode.LogOutputChannel;
}

export function registerScoreCommands(parts: ScoreParts): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.scoreLayers', async (source: Source) => {
      const { uri } = target(source);
      const experiment = uri ?? (await chooseExperiment());
      if (experiment) await score(parts, experiment, {});
    }),
    vscode.commands.registerCommand('layerif.scoreTask', async (source: Source) => {
      const { uri, task } = target(source);
      const experiment = uri ?? (await chooseExperiment());
      if (!experiment) return;
      const name = task ?? (await choose(parts.client, experiment, 'task'));
      if (name !== undefined) await score(parts, experiment, { task: name });
    }),
    vscode.commands.registerCommand('layerif.scoreDataset', async (source: Source) => {
      const { uri, dataset } = target(source);
      const experiment = uri ?? (await chooseExperiment());
      if (!experiment) return;
      const name = dataset ?? (await choose(parts.client, experiment, 'dataset'));
      if (name !== undefined) await score(parts, experiment, { dataset: name });
    }),
  );
}

function target(source: Source): { uri?: vscode.Uri; task?: string; dataset?: string } {
  if (!source) return {};
  if (source instanceof vscode.Uri) return { uri: source };
  if ('kind' in source) return source.kind === 'task' ? { uri: source.uri, task: source.task } : { uri: source.uri };
  return { uri: vscode.Uri.parse(source.uri), task: source.task, dataset: source.dataset };
}

/**
 * The active experiment file, else the only one of the workspace, else a choice; says what to do when there is none.
 */
export async function chooseExperiment(what = 'score'): Promise<vscode.Uri | undefined> {
  const active = vscode.window.activeTextEditor?.document.uri;
  if (active && isExperimentFile(active.path)) return active;
  const uris = await findExperiments();
  if (uris.length === 0) {
    const choice = await vscode.window.showInformationMessage(
      'There is no experiment file (*.layerif.yaml) in this workspace. It names a model, datasets and tasks.',
      'Create Experiment File',
    );
    if (choice) await vscode.commands.executeCommand('layerif.createExperiment');
    return undefined;
  }
  if (uris.length === 1) return uris[0];
  const items = uris.map((uri) => ({
    label: experimentName(uri.path),
    description: vscode.workspace.asRelativePath(uri),
    uri,
  }));
  return (await pickOne(items, { placeHolder: `Experiment to ${what}`, matchOnDescription: true }))?.uri;
}

async function choose(client: ServerClient, uri: vscode.Uri, what: 'task' | 'dataset'): Promise<string | undefined> {
  const outline = await client.request(requests.outline, { uri: uri.toString() });
  const names =
    what === 'task' ? outline.tasks.map((entry) => entry.task) : outline.datasets.map((entry) => entry.dataset);
  if (names.length === 0) {
    void vscode.window.showWarningMessage(`${experimentName(uri.path)} has no ${what} yet; add one under "${what}s:".`);
    return undefined;
  }
  return names.length === 1 ? names[0] : pickName(names, `${what === 'task' ? 'Task' : 'Dataset'} to score`);
}

/** @returns the result's path; null where there is none, which the user was told */
export async function score(
  parts: ScoreParts,
  uri: vscode.Uri,
  only: Pick<ScoreParams, 'task' | 'dataset' | 'until'>,
): Promise<string | null> {
  const { client, runs } = parts;
  if (!(await mayRun(runs, uri))) return null;
  const file = await saveExperiment(uri);
  if (!file) return null;
  const params: ScoreParams = { uri: file.toString(), ...only };
  let answer: ScoreAnswer;
  try {
    answer = await client.request(requests.score, params);
  } catch (error) {
    const ended = runs.current?.end?.kind === 'failed' ? runs.current.end.message : (error as Error).message;
    answer = { resultFile: null, error: { code: 'engineDied', message: ended } };
  }
  await report(parts, file, answer);
  return answer.error ? null : answer.resultFile;
}

/** One notification for a failure; none for a success that is in sight, none for a cancel that the user asked for. */
async function report(parts: ScoreParts, uri: vscode.Uri, { resultFile, error }: ScoreAnswer): Promise<void> {
  const { results, output } = parts;
  const name = experimentName(uri.path);
  if (!error) {
    // A short run may end before its page has opened.
    if (!resultFile || (await results.becomesVisible(resultFile, 2000))) return;
    const choice = await vscode.window.showInformationMessage(`Layers of ${name} are scored.`, 'Open Results');
    if (choice) await results.open(resultFile, { preserveFocus: false });
    return;
  }
  if (error.code === 'cancelled') {
    vscode.window.setStatusBarMessage(`$(circle-slash) Scoring ${name} was cancelled`, 5000);
    return;
  }
  output.error(`${name}: ${error.message}`);
  const choice = await vscode.window.showErrorMessage(
    `Scoring ${name} failed: ${error.message}`,
    'Show Output',
    'Open Experiment',
  );
  if (choice === 'Show Output') output.show(true);
  if (choice === 'Open Experiment') await vscode.window.showTextDocument(uri);
}
