/** The one status bar item and the context key `layerif.serverState`. Words are in `statusText.ts`. */
import * as vscode from 'vscode';
import type { EngineStateParams } from '../../protocol/lsp.ts';
import type { ServerClient } from './client.ts';
import type { RunTracker } from './runTracker.ts';
import { statusText } from './statusText.ts';
import type { ServerState } from './statusText.ts';

/** Hidden while nothing of ours is in sight: no experiment, a server that was never needed. */
export function createStatus(client: ServerClient, runs: RunTracker): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('layerif.status', vscode.StatusBarAlignment.Left, 10);
  item.name = 'LayerIF';
  let server: ServerState = 'stopped';
  let engine: EngineStateParams = { state: 'stopped', detail: '' };

  const draw = () => {
    const status = statusText(server, engine, runs.current);
    item.text = status.text;
    item.command = status.command;
    item.accessibilityInformation = { label: status.spoken, role: 'button' };
    const tooltip = new vscode.MarkdownString(status.tooltip);
    tooltip.isTrusted = {
      enabledCommands: [
        'layerif.cancelRun',
        'layerif.openResult',
        'layerif.showOutput',
        'layerif.scoreLayers',
        'layerif.restartServer',
      ],
    };
    item.tooltip = tooltip;
    item.backgroundColor =
      status.severity === 'none' ? undefined : new vscode.ThemeColor(`statusBarItem.${status.severity}Background`);
    if (server === 'stopped' && !runs.current) item.hide();
    else item.show();
  };
  const setServer = (state: ServerState) => {
    server = state;
    void vscode.commands.executeCommand('setContext', 'layerif.serverState', state);
    draw();
  };
  const subscriptions = [
    item,
    client.onState(setServer),
    client.onEngineState((state) => {
      engine = state;
      draw();
    }),
    runs.onChange(draw),
  ];
  setServer('stopped');
  return vscode.Disposable.from(...subscriptions);
}
