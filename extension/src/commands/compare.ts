/** Compare Results…: one result with several tasks, or several results, beside each other in a page of their own. */
import * as vscode from 'vscode';
import type { CompareAnswer, CompareParams } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { openPage } from '../webviewPage.ts';
import { resultIn, resultItems } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';

export interface CompareParts extends TargetParts {
  client: ServerClient;
  extensionUri: vscode.Uri;
}

export function registerCompareCommand(parts: CompareParts): vscode.Disposable {
  return vscode.commands.registerCommand('layerif.compareResults', async (source: Source) => {
    const files = await chooseResults(parts, resultIn(source) ?? parts.results.active);
    if (!files) return;
    const params: CompareParams = { files };
    const { comparison, error } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'LayerIF: Comparing results', cancellable: true },
      (_, token) =>
        parts.client.request(requests.compare, params, token).catch((cause: Error): CompareAnswer => ({
          comparison: null,
          error: { code: token.isCancellationRequested ? 'cancelled' : 'failed', message: cause.message },
        })),
    );
    if (error?.code === 'cancelled') return;
    if (!comparison) {
      void vscode.window.showErrorMessage(`The results cannot be compared: ${error?.message ?? 'no answer'}`);
      return;
    }
    const panel = vscode.window.createWebviewPanel('layerif.compared', 'Results compared', vscode.ViewColumn.Active, {
      retainContextWhenHidden: false,
    });
    const page: ReturnType<typeof openPage> = openPage(
      panel.webview,
      parts.extensionUri,
      'comparison',
      'LayerIF comparison',
      (message) => {
        if (message.type === 'ready') page.post({ type: 'runComparison', comparison });
      },
    );
    panel.onDidDispose(() => void page.dispose());
  });
}

/** The one the command was called on is picked already. */
async function chooseResults({ list }: CompareParts, known: vscode.Uri | null): Promise<string[] | null> {
  const items = (await resultItems(list)).map((item) => ({ ...item, picked: item.uri.fsPath === known?.fsPath }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage('There are no results in this workspace yet. Score an experiment first.');
    return null;
  }
  const chosen = await vscode.window.showQuickPick(items, {
    canPickMany: true,
    matchOnDescription: true,
    placeHolder: 'Results to compare: several, or one with several tasks',
  });
  return chosen?.length ? chosen.map(({ uri }) => uri.fsPath) : null;
}
