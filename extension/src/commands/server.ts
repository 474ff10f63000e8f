/** Cancel Run, Restart Server, Show Output. */
import * as vscode from 'vscode';
import type { ServerClient } from '../client.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';
import { requests } from '../../../protocol/requests.ts';

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
      await client.request(requests.cancelRun, {});
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
