/**
 * What must hold before a model is loaded: a trusted workspace, files on a disk, no other run. Says what to do when it
 * does not.
 */
import * as vscode from 'vscode';
import { experimentName } from '../experimentFiles.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';

/** @param what the sentence's beginning: who does what that needs trust */
export function isTrusted(what: string): boolean {
  if (vscode.workspace.isTrusted) return true;
  void vscode.window.showWarningMessage(`${what}, so it needs a trusted workspace.`, 'Manage Trust').then((choice) => {
    if (choice) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
}

export async function mayRun(runs: RunTracker, uri: vscode.Uri, what = 'Scoring'): Promise<boolean> {
  if (!isTrusted(`${what} loads a model and starts a process`)) return false;
  if (uri.scheme !== 'file' && uri.scheme !== 'untitled') {
    void vscode.window.showWarningMessage(
      `${what} needs files on a disk; this workspace is virtual. Results can be viewed here.`,
    );
    return false;
  }
  if (!isRunning(runs.current)) return true;
  const choice = await vscode.window.showInformationMessage(
    `${experimentName(runs.current.experimentFile)} is being scored. One run at a time: wait for it or cancel it.`,
    'Open Results',
    'Cancel Run',
  );
  if (choice === 'Open Results') await vscode.commands.executeCommand('layerif.openResult');
  if (choice === 'Cancel Run') await vscode.commands.executeCommand('layerif.cancelRun');
  return false;
}

/**
 * The server reads files, so what is typed is saved first; a draft asks where.
 * @returns the file, undefined where the user leaves
 */
export async function saveExperiment(uri: vscode.Uri): Promise<vscode.Uri | undefined> {
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  if (uri.scheme === 'untitled') return vscode.workspace.save(uri);
  if (document?.isDirty) await document.save();
  return uri;
}
