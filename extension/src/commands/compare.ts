/** Compare Results…: one result with several tasks, or several results, beside each other in a page of their own. */
import * as vscode from 'vscode';
import { pickMany } from '../ask.ts';
import type { CompareAnswer, CompareParams } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ToPage } from '../../../protocol/webview.ts';
import type { ServerClient } from '../client.ts';
import { openPage } from '../webviewPage.ts';
import { resultIn, resultItems } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';

export interface CompareParts extends TargetParts {
  client: ServerClient;
  extensionUri: vscode.Uri;
}

const VIEW_TYPE = 'layerif.compared';

export function registerCompareCommand(parts: CompareParts): vscode.Disposable {
  const command = vscode.commands.registerCommand('layerif.compareResults', async (source: Source, more?: Source[]) => {
    const several = resultsIn(more ?? []);
    const files = several.length > 1 ? several : await chooseResults(parts, resultIn(source) ?? parts.results.active);
    if (!files) return;
    const { comparison, error } = await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'LayerIF: Comparing results', cancellable: true },
      (_, token) => compared(parts, files, token),
    );
    if (error?.code === 'cancelled') return;
    if (!comparison) {
      void vscode.window.showErrorMessage(`The results cannot be compared: ${error?.message ?? 'no answer'}`);
      return;
    }
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, 'Results compared', vscode.ViewColumn.Active);
    show(parts, panel, () => Promise.resolve({ type: 'runComparison', comparison }));
  });
  // After a reload of the window: the page remembers which results it compared.
  const serializer = vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, {
    deserializeWebviewPanel: (panel, state: { files?: unknown } | undefined) => {
      const files = Array.isArray(state?.files) ? state.files.filter((file) => typeof file === 'string') : [];
      show(parts, panel, async () => {
        if (files.length === 0)
          return { type: 'failed', message: 'Which results were compared is not known any more; compare them again.' };
        const { comparison, error } = await compared(parts, files);
        return comparison
          ? { type: 'runComparison', comparison }
          : { type: 'failed', message: error?.message ?? 'no answer' };
      });
      return Promise.resolve();
    },
  });
  return vscode.Disposable.from(command, serializer);
}

function compared({ client }: CompareParts, files: string[], token?: vscode.CancellationToken): Promise<CompareAnswer> {
  const params: CompareParams = { files };
  return client.request(requests.compare, params, token).catch((cause: Error): CompareAnswer => ({
    comparison: null,
    error: { code: token?.isCancellationRequested ? 'cancelled' : 'failed', message: cause.message },
  }));
}

/** @param message asked for once, whenever the page is drawn first */
function show(
  { extensionUri }: CompareParts,
  panel: vscode.WebviewPanel,
  message: () => Promise<ToPage<'comparison'>>,
): void {
  let answer: Promise<ToPage<'comparison'>> | null = null;
  const page = openPage(panel.webview, extensionUri, 'comparison', 'LayerIF comparison', ({ type }) => {
    if (type === 'ready') void (answer ??= message()).then((told) => page.post(told));
  });
  panel.onDidDispose(() => void page.dispose());
}

/** What is selected in a tree or in the explorer, each once. */
const resultsIn = (sources: readonly Source[]): string[] => [
  ...new Set(sources.flatMap((source) => resultIn(source)?.fsPath ?? [])),
];

/** The one the command was called on is picked already. */
async function chooseResults({ list }: CompareParts, known: vscode.Uri | null): Promise<string[] | null> {
  const items = (await resultItems(list)).map((item) => ({ ...item, picked: item.uri.fsPath === known?.fsPath }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage('There are no results in this workspace yet. Score an experiment first.');
    return null;
  }
  const chosen = await pickMany(items, {
    matchOnDescription: true,
    placeHolder: 'Results to compare: several, or one with several tasks',
  });
  return chosen && chosen.map(({ uri }) => uri.fsPath);
}
