/**
 * The tree `layerif.runs`: the run under way first, then result files by time; under each its tasks with their top
 * layers.
 */
import * as vscode from 'vscode';
import { RESULT_SUFFIX } from '../../protocol/result.ts';
import { experimentName } from './experimentFiles.ts';
import { RESULTS_EDITOR, sameFile } from './resultsEditor.ts';
import type { RunEntry, RunList } from './runList.ts';
import { isRunning, percentage } from './runState.ts';
import type { RunState } from './runState.ts';
import type { RunTracker } from './runTracker.ts';
import { ago } from './statusText.ts';
import { throttled } from './webviewPage.ts';

export type RunNode =
  | { kind: 'running'; run: RunState }
  | { kind: 'run'; entry: RunEntry }
  | { kind: 'task'; entry: RunEntry; task: string; finished: number; topLayers: number[] };

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
    this.subscriptions = [
      vscode.window.createTreeView('layerif.runs', { treeDataProvider: this, showCollapseAll: false }),
      runs.onChange(() => this.update.request()),
      list.onChange(() => this.update.request()),
    ];
  }

  async getChildren(node?: RunNode): Promise<RunNode[]> {
    if (!node) {
      const run = this.runs.current;
      const entries = (await this.list.entries()).filter(
        (entry) => !(isRunning(run) && sameFile(entry.uri, run.resultFile)),
      );
      const rest = entries.map((entry): RunNode => ({ kind: 'run', entry }));
      return isRunning(run) ? [{ kind: 'running', run }, ...rest] : rest;
    }
    if (node.kind !== 'run' || !node.entry.summary) return [];
    return node.entry.summary.tasks.map((task): RunNode => ({ kind: 'task', entry: node.entry, ...task }));
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    switch (node.kind) {
      case 'running':
        return runningItem(node.run);
      case 'run':
        return runItem(node.entry);
      case 'task': {
        const item = new vscode.TreeItem(node.task);
        const top = node.topLayers.join(', ');
        item.description = top === '' ? 'no layer finished' : `top layers ${top}`;
        item.iconPath = new vscode.ThemeIcon('graph');
        item.command = openCommand(node.entry.uri);
        item.contextValue = 'task';
        return item;
      }
    }
  }

  dispose(): void {
    this.update.dispose();
    for (const part of [...this.subscriptions, this.changes]) part.dispose();
  }
}

function runningItem(run: RunState): vscode.TreeItem {
  const item = new vscode.TreeItem(experimentName(run.experimentFile));
  item.id = `running:${run.runId}`;
  const percent = percentage(run);
  item.description = percent === null ? run.message : `${percent} % · ${run.message}`;
  item.tooltip = run.message;
  item.iconPath = new vscode.ThemeIcon('loading~spin');
  item.contextValue = 'running';
  if (run.result) item.command = openCommand(vscode.Uri.file(run.resultFile));
  return item;
}

function runItem({ uri, time, summary, fault }: RunEntry): vscode.TreeItem {
  const base = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  const item = new vscode.TreeItem(base.replace(RESULT_SUFFIX, ''), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = uri.toString();
  item.resourceUri = uri;
  item.contextValue = 'run';
  item.command = openCommand(uri);
  if (!summary) {
    item.collapsibleState = vscode.TreeItemCollapsibleState.None;
    item.iconPath = new vscode.ThemeIcon('warning');
    item.description = 'cannot be read';
    item.tooltip = fault;
    return item;
  }
  const partial = summary.status === 'partial';
  item.iconPath = new vscode.ThemeIcon(partial ? 'circle-large-outline' : 'pass');
  const tasks =
    summary.tasks.length > 2 ? `${summary.tasks.length} tasks` : summary.tasks.map(({ task }) => task).join(', ');
  item.description = [ago(time, Date.now()), partial ? 'partial' : '', tasks].filter(Boolean).join(' · ');
  item.tooltip = `${summary.model}, ${summary.estimator}, ${summary.tasks.length} task(s)${partial ? ', partial: score again to resume' : ''}\n${new Date(time).toLocaleString()}\n${uri.fsPath}`;
  return item;
}

const openCommand = (uri: vscode.Uri): vscode.Command => ({
  command: 'vscode.openWith',
  title: 'Open Results',
  arguments: [uri, RESULTS_EDITOR],
});
