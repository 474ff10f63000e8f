/** Predict Benchmark Score and Analyse Table: on a file of the explorer, or on one that is chosen. */
import * as vscode from 'vscode';
import { pickOne } from '../ask.ts';
import type { AnalysisView } from '../analysisView.ts';
import { EXCLUDE_GLOB } from '../experimentFiles.ts';
import { findModels, modelOf } from '../modelFiles.ts';
import type { PredictView } from '../predictView.ts';

interface Item extends vscode.QuickPickItem {
  uri?: vscode.Uri;
  /** Opens a file dialog. */
  browse?: true;
}
const separator: Item = { label: '', kind: vscode.QuickPickItemKind.Separator };
const browse: Item = { label: '$(file) Browse for a File...', browse: true };

export function registerStatisticsCommands(predictions: PredictView, analyses: AnalysisView): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.predict', async (source?: vscode.Uri) => {
      const chosen = source instanceof vscode.Uri ? source : await choosePredicted();
      if (chosen === undefined) return;
      if (chosen === null) predictions.open('');
      else if (onDisk(chosen)) predictions.open(modelOf(chosen).fsPath);
    }),
    vscode.commands.registerCommand('layerif.analyse', async (source?: vscode.Uri) => {
      const chosen = source instanceof vscode.Uri ? source : await chooseTable();
      if (chosen && onDisk(chosen)) analyses.open(chosen);
    }),
  );
}

function onDisk(uri: vscode.Uri): boolean {
  if (uri.scheme === 'file') return true;
  void vscode.window.showErrorMessage(`${uri.toString()} is not on a disk; files on a disk are read.`);
  return false;
}

/** Null for numbers by hand; undefined where nothing was chosen. */
async function choosePredicted(): Promise<vscode.Uri | null | undefined> {
  const models = (await findModels()).filter(({ path }) => !/\.onnx$/i.test(path));
  const items: Item[] = models.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  const byHand: Item = { label: '$(settings) Numbers by Hand', description: 'a slider for each' };
  const choice = await pickOne([byHand, ...items, separator, browse], {
    placeHolder: 'Model whose benchmark score is predicted from its shape and training tokens',
  });
  if (choice === byHand) return null;
  if (!choice?.browse) return choice?.uri;
  return openDialog('Model to predict', { Models: ['json', 'gguf', 'safetensors'] });
}

const MOST = 500;

async function chooseTable(): Promise<vscode.Uri | undefined> {
  const found = await vscode.workspace.findFiles('**/*.{csv,tsv}', EXCLUDE_GLOB, MOST);
  const items: Item[] = found
    .sort((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true }))
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  const choice = await pickOne([...items, ...(items.length > 0 ? [separator] : []), browse], {
    placeHolder: 'Table to analyse: a .csv or .tsv file with a header and one row for each model or run',
  });
  return choice?.browse ? openDialog('Table to analyse', { Tables: ['csv', 'tsv'] }) : choice?.uri;
}

async function openDialog(title: string, filters: Record<string, string[]>): Promise<vscode.Uri | undefined> {
  return (await vscode.window.showOpenDialog({ title, filters }))?.[0];
}
