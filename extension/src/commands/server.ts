/** Cancel Run, Restart Server, Show Output. */
import * as vscode from 'vscode';
import { CANCEL_REQUEST } from '../../../protocol/lsp.ts';
import type { ServerClient } from '../client.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';

export function registerServerCommands(
  client: ServerClient,
  runs: RunTracker,
  output: vscode.LogOutputChannel,
): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.cancelRun', async () => {
      if (!isRunning(runs.current)) {
        vscode.window.setStatusBarMessage('LayerIF: no run is under way', 3000);
        return;
      }
      await client.request(CANCEL_REQUEST, {});
    }),
    vscode.commands.registerCommand('layerif.restartServer', async () => {
      try {
        await client.restart();
      } catch (error) {
        const choice = await vscode.window.showErrorMessage((error as Error).message, 'Show Output');
        if (choice) output.show(true);
      }
    }),
    vscode.commands.registerCommand('layerif.showOutput', () => output.show(true)),
  );
}
