/** Cancel Run, Restart Server, Show Output. */
import * as vscode from 'vscode';
import type { ServerClient } from '../client.ts';
import { experimentName } from '../experimentFiles.ts';
import { isRunning } from '../runState.ts';
import type { RunTracker } from '../runTracker.ts';
import type { EngineStateParams } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';

export function registerServerCommands(
  client: ServerClient,
  runs: RunTracker,
  output: vscode.LogOutputChannel,
): vscode.Disposable {
  let engine: EngineStateParams['state'] = 'stopped';

  /** A restart ends what is computed: asked first. */
  async function mayRestart(): Promise<boolean> {
    const scoring = isRunning(runs.current);
    if (!scoring && engine !== 'busy') return true;
    const what = scoring
      ? `${experimentName(runs.current.experimentFile)} is being scored.`
      : 'A computation is under way.';
    const restart = 'Restart Server';
    const detail = 'A restart ends it. Finished layers of a run are kept, and scoring again goes on from there.';
    return (await vscode.window.showWarningMessage(what, { modal: true, detail }, restart)) === restart;
  }

  return vscode.Disposable.from(
    client.onEngineState(({ state }) => (engine = state)),
    vscode.commands.registerCommand('layerif.cancelRun', async () => {
      if (!isRunning(runs.current)) {
        vscode.window.setStatusBarMessage('LayerIF: no run is under way', 3000);
        return;
      }
      await client.request(requests.cancelRun, {});
    }),
    vscode.commands.registerCommand('layerif.restartServer', async () => {
      if (!(await mayRestart())) return;
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
