/**
 * `layerif mcp` as a server that VS Code offers to its chats, for the folders of a trusted workspace. VS Code starts it
 * when a chat uses it, not before.
 */
import * as vscode from 'vscode';
import { commandLine, machineWords } from './commandLine.ts';

export function registerMcpServer(context: vscode.ExtensionContext): vscode.Disposable {
  const changes = new vscode.EventEmitter<void>();
  const changed = () => changes.fire();
  return vscode.Disposable.from(
    changes,
    vscode.workspace.onDidChangeWorkspaceFolders(changed),
    vscode.workspace.onDidGrantWorkspaceTrust(changed),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('layerif')) changed();
    }),
    vscode.lm.registerMcpServerDefinitionProvider('layerif.mcp', {
      onDidChangeMcpServerDefinitions: changes.event,
      provideMcpServerDefinitions: () => definitions(context),
    }),
  );
}

export function definitions(context: vscode.ExtensionContext): vscode.McpStdioServerDefinition[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (!vscode.workspace.isTrusted || folders.length === 0) return [];
  const words = ['mcp', ...folders.map(({ uri }) => uri.fsPath), ...machineWords()];
  const { command, args, env } = commandLine(context, words);
  const { version } = context.extension.packageJSON as { version: string };
  return [new vscode.McpStdioServerDefinition('LayerIF', command, args, env, version)];
}
