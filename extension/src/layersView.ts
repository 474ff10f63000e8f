/**
 * The side-bar view `layerif.layers`: follows the run under way, else the result in front, else shows the last result
 * of this session or the newest on disk.
 */
import * as vscode from 'vscode';
import type { FromPage, ToPage } from '../../protocol/webview.ts';
import type { ServerClient } from './client.ts';
import { revealInExperiment } from './jumps.ts';
import { readFileOf } from './ourFiles.ts';
import { forPage } from './resultFile.ts';
import type { ResultsEditor } from './resultsEditor.ts';
import type { RunList } from './runList.ts';
import { isRunning, runningMessage } from './runState.ts';
import type { RunTracker } from './runTracker.ts';
import { assertNever, openPage, throttled } from './webviewPage.ts';
import type { Page } from './webviewPage.ts';

const INTERVAL_MS = 400;

export class LayersView implements vscode.WebviewViewProvider, vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private readonly update = throttled(INTERVAL_MS, () => void this.draw());
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;
  private readonly runs: RunTracker;
  private readonly list: RunList;
  private readonly results: ResultsEditor;
  private page: Page<'layers'> | null = null;
  /** What the page shows now, for its jumps. */
  private shown: { resultFile: string; experimentFile: string } | null = null;

  constructor(extensionUri: vscode.Uri, client: ServerClient, runs: RunTracker, list: RunList, results: ResultsEditor) {
    this.extensionUri = extensionUri;
    this.client = client;
    this.runs = runs;
    this.list = list;
    this.results = results;
    this.subscriptions = [
      vscode.window.registerWebviewViewProvider('layerif.layers', this),
      runs.onChange(() => this.update.request()),
      ...[list.onChange, results.onChangeFront].map((event) =>
        event(() => {
          if (!isRunning(runs.current)) this.update.request();
        }),
      ),
    ];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const page = openPage(
      view.webview,
      this.extensionUri,
      'layers',
      'LayerIF layers',
      (message) => void this.receive(message),
    );
    this.page = page;
    view.onDidDispose(() => {
      page.dispose();
      if (this.page === page) this.page = null;
    });
  }

  private async draw(): Promise<void> {
    const page = this.page;
    if (page) page.post(await this.snapshot());
  }

  private async snapshot(): Promise<ToPage<'layers'>> {
    const run = this.runs.current;
    if (run) this.shown = { resultFile: run.resultFile, experimentFile: run.experimentFile };
    if (isRunning(run)) return runningMessage(run);
    const front = this.results.active?.fsPath;
    if (run?.end?.kind === 'finished' && run.result && (front ?? run.resultFile) === run.resultFile)
      return { type: 'result', result: forPage(run.result), file: run.resultFile };
    const file = front ?? run?.resultFile ?? (await this.list.newest());
    if (file) {
      try {
        const result = await readFileOf('result', vscode.Uri.file(file));
        this.shown = { resultFile: file, experimentFile: result.experimentFile };
        return { type: 'result', result: forPage(result), file };
      } catch {
        // A damaged file says so in its own editor; here there is simply nothing to show.
      }
    }
    if (run?.end?.kind === 'failed') return { type: 'failed', message: run.end.message };
    this.shown = null;
    return { type: 'idle' };
  }

  private async receive(message: FromPage<'layers'>): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.draw();
      case 'cancel':
        await vscode.commands.executeCommand('layerif.cancelRun');
        return;
      case 'openResult':
        if (this.shown) await this.results.open(this.shown.resultFile, { preserveFocus: false });
        return;
      case 'revealTask':
      case 'revealDataset': {
        const what = message.type === 'revealTask' ? { task: message.task } : { dataset: message.dataset };
        if (this.shown) await revealInExperiment(this.client, this.shown.experimentFile, what, undefined);
        return;
      }
      default:
        assertNever(message);
    }
  }

  dispose(): void {
    this.update.dispose();
    for (const part of this.subscriptions) part.dispose();
  }
}
