/**
 * The tree `layerif.experiments`: experiment files of the workspace with their tasks, and the context key
 * `layerif.hasExperiment`.
 */
import * as vscode from 'vscode';
import { requests } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import { EXCLUDE_GLOB, EXPERIMENT_GLOB, experimentName } from './experimentFiles.ts';

export type ExperimentNode =
  | { kind: 'experiment'; uri: vscode.Uri }
  | { kind: 'task'; uri: vscode.Uri; task: string; dataset: string; line: number };

/** Experiment files of the workspace, sorted by path. */
export async function findExperiments(): Promise<vscode.Uri[]> {
  const uris = await vscode.workspace.findFiles(EXPERIMENT_GLOB, EXCLUDE_GLOB);
  return uris.sort((a, b) => a.path.localeCompare(b.path));
}

export class ExperimentsView implements vscode.TreeDataProvider<ExperimentNode>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<ExperimentNode | undefined>();
  readonly onDidChangeTreeData = this.changes.event;
  private readonly watcher = vscode.workspace.createFileSystemWatcher(EXPERIMENT_GLOB);
  private readonly tree: vscode.TreeView<ExperimentNode>;
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
    this.tree = vscode.window.createTreeView('layerif.experiments', { treeDataProvider: this });
    this.watcher.onDidCreate(() => this.changes.fire(undefined));
    this.watcher.onDidDelete(() => this.changes.fire(undefined));
    this.watcher.onDidChange(() => this.changes.fire(undefined));
  }

  async getChildren(node?: ExperimentNode): Promise<ExperimentNode[]> {
    if (!node) {
      const uris = await findExperiments();
      void vscode.commands.executeCommand('setContext', 'layerif.hasExperiment', uris.length > 0);
      return uris.map((uri) => ({ kind: 'experiment', uri }));
    }
    if (node.kind === 'task') return [];
    try {
      const outline = await this.client.request(requests.outline, { uri: node.uri.toString() });
      return outline.tasks.map((task) => ({ kind: 'task', uri: node.uri, ...task }));
    } catch {
      return []; // Without the server the file itself still opens and scores.
    }
  }

  getTreeItem(node: ExperimentNode): vscode.TreeItem {
    if (node.kind === 'experiment') {
      const item = new vscode.TreeItem(experimentName(node.uri.path), vscode.TreeItemCollapsibleState.Expanded);
      item.id = node.uri.toString();
      const relative = vscode.workspace.asRelativePath(node.uri, false);
      const folder = relative.slice(0, Math.max(0, relative.lastIndexOf('/')));
      item.description = folder;
      item.tooltip = node.uri.fsPath;
      item.iconPath = new vscode.ThemeIcon('beaker');
      item.contextValue = 'experiment';
      item.command = { command: 'vscode.open', title: 'Open Experiment', arguments: [node.uri] };
      return item;
    }
    const item = new vscode.TreeItem(node.task);
    item.id = `${node.uri.toString()}#${node.line}:${node.task}`;
    item.description = node.dataset;
    item.tooltip = `Task ${node.task} on dataset ${node.dataset}`;
    item.iconPath = new vscode.ThemeIcon('target');
    item.contextValue = 'task';
    const start = new vscode.Position(node.line, 0);
    item.command = {
      command: 'vscode.open',
      title: 'Open Task',
      arguments: [node.uri, { selection: new vscode.Range(start, start) } satisfies vscode.TextDocumentShowOptions],
    };
    return item;
  }

  dispose(): void {
    for (const part of [this.watcher, this.tree, this.changes]) part.dispose();
  }
}
