/**
 * What can be done with runs of the view Runs: label, pin, delete, run again, resume, reveal, copy the path, open the
 * experiment.
 */
import * as vscode from 'vscode';
import { pickOne, typeText } from '../ask.ts';
import { sameFile } from '../resultsEditor.ts';
import type { RunEntry, RunList } from '../runList.ts';
import type { RunMarks } from '../runMarks.ts';
import type { RunNode } from '../runsView.ts';
import { isRunning } from '../runState.ts';
import { nameOf } from '../runTree.ts';
import { score } from './score.ts';
import type { ScoreParts } from './score.ts';
import { experimentOf } from './targets.ts';
import type { Source } from './targets.ts';

export interface RunParts extends ScoreParts {
  list: RunList;
  marks: RunMarks;
}

/** From the menu of the tree: the node clicked, and all that are selected. From the palette: nothing. */
type OnRuns = (entries: [RunEntry, ...RunEntry[]]) => Promise<unknown> | Thenable<unknown>;

export function registerRunCommands(parts: RunParts): vscode.Disposable {
  const { list, marks } = parts;
  const on = (what: string, work: OnRuns) => async (node?: RunNode, selected?: RunNode[]) => {
    const [first, ...more] = entriesOf(selected?.length ? selected : node ? [node] : []);
    const entry = first ?? (await chooseRun(list, what));
    if (entry) await work([entry, ...more]);
  };
  const pin =
    (pinned: boolean): OnRuns =>
    (entries) =>
      Promise.all(entries.map(({ uri, label }) => marks.set(uri, { label, pinned })));
  const { registerCommand } = vscode.commands;
  return vscode.Disposable.from(
    registerCommand(
      'layerif.labelRun',
      on('label', ([entry]) => label(marks, entry)),
    ),
    registerCommand('layerif.pinRun', on('pin', pin(true))),
    registerCommand('layerif.unpinRun', on('unpin', pin(false))),
    registerCommand(
      'layerif.deleteRun',
      on('delete', (entries) => remove(parts, entries)),
    ),
    registerCommand(
      'layerif.runAgain',
      on('run again', ([entry]) => again(parts, entry)),
    ),
    registerCommand(
      'layerif.resumeRun',
      on('resume', ([entry]) => resume(parts, entry)),
    ),
    registerCommand(
      'layerif.revealRun',
      on('reveal', ([{ uri }]) => vscode.commands.executeCommand('revealFileInOS', uri)),
    ),
    registerCommand(
      'layerif.copyRunPath',
      on('copy the path of', (entries) =>
        vscode.env.clipboard.writeText(entries.map(({ uri }) => uri.fsPath).join('\n')),
      ),
    ),
    registerCommand('layerif.openExperiment', async (source: Source) => {
      const uri = await experimentOf(parts, source, 'open');
      if (uri) await openExperiment(uri);
    }),
  );
}

/** Each run once, whichever of its nodes was clicked. */
function entriesOf(nodes: readonly RunNode[]): RunEntry[] {
  const entries = nodes.flatMap((node) => ('entry' in node ? [node.entry] : []));
  return entries.filter((entry, i) => entries.findIndex(({ path }) => path === entry.path) === i);
}

async function chooseRun(list: RunList, what: string): Promise<RunEntry | undefined> {
  const entries = await list.entries();
  if (entries.length === 0) {
    void vscode.window.showInformationMessage('There are no runs in this workspace yet. Score an experiment first.');
    return undefined;
  }
  const items = entries.map((entry) => ({
    label: entry.label || nameOf(entry),
    description: new Date(entry.time).toLocaleString(),
    detail: vscode.workspace.asRelativePath(entry.uri),
    entry,
  }));
  return (await pickOne(items, { placeHolder: `Run to ${what}`, matchOnDetail: true }))?.entry;
}

async function label(marks: RunMarks, entry: RunEntry): Promise<void> {
  const text = await typeText({
    title: `Label of a run of ${nameOf(entry)}`,
    prompt: 'Shown in Runs in place of what differs from the run before; empty takes it away',
    value: entry.label,
  });
  if (text !== undefined) await marks.set(entry.uri, { label: text.trim(), pinned: entry.pinned });
}

/**
 * A run has a folder of its own, `NAME/<run>/NAME.layerif-result.json`, which goes as a whole; of a copy elsewhere only
 * the files of ours.
 */
function placesOf(entry: RunEntry): vscode.Uri[] {
  return entry.path.split('/').at(-3) === nameOf(entry)
    ? [vscode.Uri.joinPath(entry.uri, '..')]
    : [entry.uri, ...entry.beside.map(({ uri }) => uri)];
}

async function remove({ list, marks, runs }: RunParts, entries: RunEntry[]): Promise<void> {
  const busy = runs.current;
  if (isRunning(busy) && entries.some(({ uri }) => sameFile(uri, busy.resultFile))) {
    void vscode.window.showWarningMessage('This run is under way: cancel it before you delete it.');
    return;
  }
  const places = entries.flatMap(placesOf);
  const shown = places.map((uri) => vscode.workspace.asRelativePath(uri));
  const what = entries.length === 1 ? `this run of ${nameOf(entries[0]!)}` : `${entries.length} runs`;
  const choice = await vscode.window.showWarningMessage(
    `Delete ${what}?`,
    {
      modal: true,
      detail: `To the trash go, with all that lies in them (Grams, validations, exports):\n${shown.join('\n')}`,
    },
    'Delete',
  );
  if (choice !== 'Delete') return;
  for (const entry of entries)
    try {
      for (const place of placesOf(entry)) await discard(place);
      await marks.set(entry.uri, { label: '', pinned: false });
    } catch (error) {
      void vscode.window.showErrorMessage(
        `${vscode.workspace.asRelativePath(entry.uri)} was not deleted: ${(error as Error).message}`,
      );
    }
  list.refresh();
}

/** Where there is no trash, as on a remote machine, what was confirmed is deleted for good. */
async function discard(place: vscode.Uri): Promise<void> {
  const options = { recursive: true, useTrash: true };
  try {
    await vscode.workspace.fs.delete(place, options);
  } catch (error) {
    const choice = await vscode.window.showWarningMessage(
      `${vscode.workspace.asRelativePath(place)} cannot go to the trash (${(error as Error).message}). Delete it for good?`,
      { modal: true },
      'Delete Permanently',
    );
    if (choice === 'Delete Permanently') await vscode.workspace.fs.delete(place, { ...options, useTrash: false });
  }
}

/** @returns the experiment file of a run; undefined where the run names none or it is gone, which the user is told */
async function experimentFileOf({ uri, summary }: RunEntry): Promise<vscode.Uri | undefined> {
  const file = summary?.experimentFile ?? '';
  if (file === '') {
    void vscode.window.showWarningMessage(`${vscode.workspace.asRelativePath(uri)} names no experiment file.`);
    return undefined;
  }
  const experiment = vscode.Uri.file(file);
  if (await exists(experiment)) return experiment;
  void vscode.window.showWarningMessage(`The experiment file of this run is not there any more: ${file}`);
  return undefined;
}

const exists = (uri: vscode.Uri): Thenable<boolean> =>
  vscode.workspace.fs.stat(uri).then(
    () => true,
    () => false,
  );

async function openExperiment(uri: vscode.Uri): Promise<void> {
  if (await exists(uri)) await vscode.window.showTextDocument(uri);
  else void vscode.window.showWarningMessage(`The experiment file is not there any more: ${uri.fsPath}`);
}

/** Scores the experiment file as it stands now; a run of one of its tasks repeats that task alone. */
async function again(parts: RunParts, entry: RunEntry): Promise<string | null> {
  const experiment = await experimentFileOf(entry);
  const tasks = entry.summary?.tasks ?? [];
  const alone = tasks.length === 1 && tasks[0] ? { task: tasks[0].task } : {};
  return experiment ? score(parts, experiment, alone) : null;
}

async function resume(parts: RunParts, entry: RunEntry): Promise<void> {
  if (entry.summary?.status === 'complete') {
    void vscode.window.showInformationMessage('This run is complete. "Run Again" scores its experiment once more.');
    return;
  }
  const file = await again(parts, entry);
  if (file !== null && !sameFile(entry.uri, file))
    void vscode.window.showInformationMessage(
      'The experiment, its data or its model have changed since this run was interrupted, so a new run was made; the interrupted one is kept.',
    );
}
