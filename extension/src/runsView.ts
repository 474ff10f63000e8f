/**
 * The tree `layerif.runs`: the run under way, then every experiment with its runs; under a run its tasks with their top
 * layers and what else lies beside its result.
 */
import * as vscode from 'vscode';
import { COMPARISON_EDITOR } from './comparisonEditor.ts';
import { experimentName } from './experimentFiles.ts';
import type { ResultSummary } from './resultFile.ts';
import { RESULTS_EDITOR, sameFile } from './resultsEditor.ts';
import type { RunEntry, RunList } from './runList.ts';
import { isRunning, percentage } from './runState.ts';
import type { RunState } from './runState.ts';
import { badgeTitle, groupRuns, kindTitles, runDescription } from './runTree.ts';
import type { ExperimentGroup, RunFileKind } from './runTree.ts';
import type { RunTracker } from './runTracker.ts';
import { throttled } from './webviewPage.ts';

export type RunNode =
  | { kind: 'running'; run: RunState }
  | { kind: 'runs'; group: ExperimentGroup<RunEntry> }
  | { kind: 'run'; entry: RunEntry; title: string }
  | { kind: 'task'; entry: RunEntry; task: ResultSummary['tasks'][number] }
  | { kind: 'beside'; entry: RunEntry; file: RunEntry['beside'][number] };

/** Ages tick. */
const MINUTE_MS = 60_000;

export class RunsView implements vscode.TreeDataProvider<RunNode>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changes.event;
  private readonly update = throttled(500, () => this.changes.fire());
  private readonly subscriptions: vscode.Disposable[];
  private readonly runs: RunTracker;
  private readonly list: RunList;

  constructor(runs: RunTracker, list: RunList) {
    this.runs = runs;
    this.list = list;
    const tree = vscode.window.createTreeView('layerif.runs', { treeDataProvider: this, canSelectMany: true });
    const clock = setInterval(() => {
      if (tree.visible) this.update.request();
    }, MINUTE_MS);
    this.subscriptions = [
      tree,
      { dispose: () => clearInterval(clock) },
      runs.onChange(() => this.update.request()),
      list.onChange(() => this.update.request()),
    ];
  }

  async getChildren(node?: RunNode): Promise<RunNode[]> {
    switch (node?.kind) {
      case undefined: {
        const run = this.runs.current;
        const entries = (await this.list.entries()).filter(
          (entry) => !(isRunning(run) && sameFile(entry.uri, run.resultFile)),
        );
        const groups = groupRuns(entries).map((group): RunNode => ({ kind: 'runs', group }));
        return isRunning(run) ? [{ kind: 'running', run }, ...groups] : groups;
      }
      case 'runs':
        return node.group.runs.map(({ run, title }) => ({ kind: 'run', entry: run, title }));
      case 'run': {
        const { entry } = node;
        const tasks = (entry.summary?.tasks ?? []).map((task): RunNode => ({ kind: 'task', entry, task }));
        return [...tasks, ...entry.beside.map((file): RunNode => ({ kind: 'beside', entry, file }))];
      }
      case 'running':
      case 'task':
      case 'beside':
        return [];
    }
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    switch (node.kind) {
      case 'running':
        return runningItem(node.run);
      case 'runs':
        return groupItem(node.group);
      case 'run':
        return runItem(node.entry, node.title);
      case 'task':
        return taskItem(node.entry, node.task);
      case 'beside': {
        const item = new vscode.TreeItem(kindTitles[node.file.kind]);
        item.id = node.file.uri.toString();
        item.iconPath = new vscode.ThemeIcon(kindIcons[node.file.kind]);
        item.tooltip = node.file.uri.fsPath;
        item.command = openCommand(node.file.kind, node.file.uri, node.entry.uri);
        item.contextValue = 'beside';
        return item;
      }
    }
  }

  dispose(): void {
    this.update.dispose();
    for (const part of [...this.subscriptions, this.changes]) part.dispose();
  }
}

const kindIcons: Readonly<Record<RunFileKind, string>> = {
  result: 'pass',
  scores: 'graph-line',
  validation: 'verified',
  comparison: 'diff',
  evaluation: 'checklist',
  experts: 'organization',
  allocation: 'layout',
};

function runningItem(run: RunState): vscode.TreeItem {
  const item = new vscode.TreeItem(experimentName(run.experimentFile));
  item.id = `running:${run.runId}`;
  const percent = percentage(run);
  item.description = percent === null ? run.message : `${percent} % · ${run.message}`;
  item.tooltip = run.message;
  item.iconPath = new vscode.ThemeIcon('loading~spin');
  item.contextValue = 'running';
  if (run.result) {
    const uri = vscode.Uri.file(run.resultFile);
    item.command = openCommand('result', uri, uri);
  }
  return item;
}

function groupItem({ name, folder, runs }: ExperimentGroup<RunEntry>): vscode.TreeItem {
  const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `runs:${folder}/${name}`;
  item.description = `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`;
  item.tooltip = `${name}: runs in ${folder}`;
  item.iconPath = new vscode.ThemeIcon('beaker');
  item.contextValue = 'experimentRuns';
  return item;
}

function runItem(entry: RunEntry, title: string): vscode.TreeItem {
  const { uri, kind, time, summary, fault, beside, pinned } = entry;
  const item = new vscode.TreeItem(title);
  item.id = uri.toString();
  item.command = openCommand(kind, uri, uri);
  const pin = pinned ? 'Pinned' : '';
  if (fault !== '') {
    item.iconPath = new vscode.ThemeIcon('warning');
    item.description = 'cannot be read';
    item.tooltip = fault;
    item.contextValue = `unreadable${pin}`;
    return item;
  }
  const partial = summary?.status === 'partial';
  if (summary && summary.tasks.length + beside.length > 0)
    item.collapsibleState = vscode.TreeItemCollapsibleState.Collapsed;
  item.iconPath = new vscode.ThemeIcon(pinned ? 'pinned' : partial ? 'circle-large-outline' : kindIcons[kind]);
  item.description = runDescription(entry, Date.now());
  item.contextValue = `${!summary ? 'other' : partial ? 'runPartial' : 'run'}${pin}`;
  const about = summary ? `${summary.model}, ${summary.estimator}${partial ? '; partial: it can be resumed' : ''}` : '';
  item.tooltip = [title, about, new Date(time).toLocaleString(), uri.fsPath].filter(Boolean).join('\n');
  return item;
}

function taskItem({ uri }: RunEntry, task: ResultSummary['tasks'][number]): vscode.TreeItem {
  const item = new vscode.TreeItem(task.task);
  const top = task.topLayers.length === 0 ? 'no layer finished' : `top layers ${task.topLayers.join(', ')}`;
  item.description = [badgeTitle([task]), top].filter(Boolean).join(' \u00b7 ');
  item.iconPath = new vscode.ThemeIcon('graph');
  item.command = openCommand('result', uri, uri);
  item.contextValue = 'task';
  return item;
}

/** A validation is shown by its result's page; what has no page of its own opens as text. */
function openCommand(kind: RunFileKind, uri: vscode.Uri, result: vscode.Uri): vscode.Command {
  const title = `Open ${kindTitles[kind]}`;
  const editor = kind === 'comparison' ? COMPARISON_EDITOR : RESULTS_EDITOR;
  if (kind === 'result' || kind === 'comparison' || (kind === 'scores' && sameFile(uri, result.fsPath)))
    return { command: 'vscode.openWith', title, arguments: [uri, editor] };
  if (kind === 'scores') return { command: 'vscode.openWith', title, arguments: [result, editor] };
  return { command: 'vscode.open', title, arguments: [uri] };
}
