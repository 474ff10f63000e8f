/** Which experiment or result a command is about: a file from a menu, a tree node, the page in front, or a choice. */
import * as vscode from 'vscode';
import { pickOne } from '../ask.ts';
import { RESULT_SUFFIX } from '../../../protocol/result.ts';
import { isExperimentFile } from '../experimentFiles.ts';
import type { ExperimentNode } from '../experimentsView.ts';
import type { ResultsEditor } from '../resultsEditor.ts';
import type { RunEntry, RunList } from '../runList.ts';
import type { RunNode } from '../runsView.ts';
import { groupRuns, runDescription } from '../runTree.ts';
import { chooseExperiment } from './score.ts';

/** What VS Code hands to a command of a menu, a tree or a page; nothing from the palette. */
export type Source = vscode.Uri | ExperimentNode | RunNode | undefined;

export interface TargetParts {
  results: ResultsEditor;
  list: RunList;
}

const isResult = (uri: vscode.Uri) => uri.path.endsWith(RESULT_SUFFIX);

export function resultIn(source: Source): vscode.Uri | null {
  if (!source) return null;
  if (source instanceof vscode.Uri) return isResult(source) ? source : null;
  if (source.kind === 'running') return vscode.Uri.file(source.run.resultFile);
  return 'entry' in source && source.entry.kind === 'result' ? source.entry.uri : null;
}

/**
 * The experiment of a result, the file itself, that of the page or text in front, or a choice. `what` for the choice.
 */
export async function experimentOf(
  { results }: TargetParts,
  source: Source,
  what: string,
): Promise<vscode.Uri | undefined> {
  const result = resultIn(source) ?? (source ? null : frontResult(results));
  if (result) {
    const file = await results.experimentFile(result);
    if (file !== null) return vscode.Uri.file(file);
  }
  if (source instanceof vscode.Uri) return source;
  if (source && 'uri' in source) return source.uri;
  return chooseExperiment(what);
}

/** The result of a menu or tree entry, that in front, the only one, or a choice. */
export async function resultOf(
  { results, list }: TargetParts,
  source: Source,
  placeHolder: string,
): Promise<vscode.Uri | undefined> {
  const known = resultIn(source) ?? frontResult(results);
  if (known) return known;
  const items = await resultItems(list);
  if (items.length === 0) {
    void vscode.window.showInformationMessage('There are no results in this workspace yet. Score an experiment first.');
    return undefined;
  }
  if (items.length === 1) return items[0]!.uri;
  return (await pickOne(items, { placeHolder, matchOnDescription: true }))?.uri;
}

/** A text editor in front wins over a page beside it. */
function frontResult(results: ResultsEditor): vscode.Uri | null {
  const text = vscode.window.activeTextEditor?.document.uri;
  return text && isExperimentFile(text.path) ? null : results.active;
}

/** A result or scores: of the menu or tree entry, in front, the only ones with scores beside them, or a choice. */
export async function scoredOf(
  { results, list }: TargetParts,
  source: Source,
  placeHolder: string,
): Promise<vscode.Uri | undefined> {
  if (source instanceof vscode.Uri) return source;
  if (source?.kind === 'run') return source.entry.uri;
  if (results.front) return results.front.uri;
  const scored = (await list.entries()).filter(
    ({ kind, beside }) => kind === 'scores' || beside.some((file) => file.kind === 'scores'),
  );
  const items = itemsOf(scored);
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      'There are no scores of rows in this workspace yet. Name some under data_scores in an experiment and score it.',
    );
    return undefined;
  }
  if (items.length === 1) return items[0]!.uri;
  return (await pickOne(items, { placeHolder, matchOnDescription: true }))?.uri;
}

export type ResultItem = vscode.QuickPickItem & { uri: vscode.Uri };

/** Readable results. */
export const resultItems = async (list: RunList): Promise<ResultItem[]> =>
  itemsOf((await list.entries()).filter(({ summary }) => summary));

/** By experiment, each told from the others of its experiment as in the view Runs. */
function itemsOf(entries: readonly RunEntry[]): ResultItem[] {
  return groupRuns(entries).flatMap(({ name, runs }) =>
    runs.map(({ run: { summary, ...run }, title }) => {
      const path = vscode.workspace.asRelativePath(run.uri);
      return {
        label: name,
        description: [title, runDescription({ summary, ...run }, Date.now())].join(' \u00b7 '),
        detail: summary ? `${summary.model}, ${summary.estimator} (${path})` : path,
        uri: run.uri,
      };
    }),
  );
}
