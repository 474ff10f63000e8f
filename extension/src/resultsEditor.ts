/**
 * The read-only custom editor on `*.layerif-result.json`, with the scores that lie beside it, or on
 * `*.layerif-scores.json` alone; and its live mode: while a run writes the file, the page gets the snapshots of the
 * run's events instead of the file. A page keeps nothing of value: it asks with `ready` whenever it is shown again.
 */
import * as vscode from 'vscode';
import type { SampleTextAnswer } from '../../protocol/lsp.ts';
import type { ExportForm, FromPage, ScoresSeen, ToPage } from '../../protocol/webview.ts';
import { requests } from '../../protocol/requests.ts';
import type { RequestRow } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import { answer, copy, saveAllocation, saveExport, saveText, writeRows } from './pageRequests.ts';
import { columnBeside, openSample, revealInExperiment } from './jumps.ts';
import { PageExports } from './pageExports.ts';
import { readFileOf, whyNot } from './ourFiles.ts';
import { forPage } from './resultFile.ts';
import { isScoresFile, scoresBeside } from './scoresFile.ts';
import { isRunning, runningMessage } from './runState.ts';
import type { RunState } from './runState.ts';
import type { RunTracker } from './runTracker.ts';
import type { TrustStore } from './trustStore.ts';
import { assertNever, openPage, throttled } from './webviewPage.ts';
import type { Page } from './webviewPage.ts';

export const RESULTS_EDITOR = 'layerif.results';
/** Snapshots are complete, so a large result is not sent for every step of the progress. */
const LIVE_INTERVAL_MS = 400;

/** A tab, and of the tab Scores which score. */
export interface ShownTab {
  tab: string;
  score?: string;
}

interface OpenEditor {
  uri: vscode.Uri;
  panel: vscode.WebviewPanel;
  page: Page<'results'>;
  /** To be shown as soon as the page listens. */
  tab: ShownTab | null;
  /** Draws the run's newest snapshot, or the file when no run writes it. */
  refresh(): void;
}

export class ResultsEditor implements vscode.CustomReadonlyEditorProvider, vscode.Disposable {
  private readonly editors = new Set<OpenEditor>();
  private readonly exports = new PageExports();
  private readonly fronts = new vscode.EventEmitter<void>();
  /** Another page may be in front. */
  readonly onChangeFront = this.fronts.event;
  private readonly subscriptions: vscode.Disposable[];
  private readonly extensionUri: vscode.Uri;
  private readonly client: ServerClient;
  private readonly runs: RunTracker;
  private readonly trust: TrustStore;

  constructor(extensionUri: vscode.Uri, client: ServerClient, runs: RunTracker, trust: TrustStore) {
    this.extensionUri = extensionUri;
    this.client = client;
    this.runs = runs;
    this.trust = trust;
    this.subscriptions = [
      vscode.window.registerCustomEditorProvider(RESULTS_EDITOR, this, { supportsMultipleEditorsPerDocument: true }),
      runs.onChange((run) => {
        for (const editor of this.editors) {
          if (!run || !sameFile(editor.uri, run.resultFile)) continue;
          editor.refresh();
          if (!isRunning(run)) void this.postScores(editor);
        }
      }),
      trust.onChange(() => {
        for (const editor of this.editors) void this.postTrust(editor);
      }),
    ];
  }

  /** Opens a result beside the text it belongs to, in the group where results already are. */
  async open(resultFile: string, options: { preserveFocus: boolean } & Partial<ShownTab>): Promise<void> {
    const shown = [...this.editors].find((editor) => editor.panel.visible);
    const viewColumn = shown?.panel.viewColumn ?? vscode.ViewColumn.Beside;
    await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(resultFile), RESULTS_EDITOR, {
      viewColumn,
      preserveFocus: options.preserveFocus,
      preview: false,
    });
    const { tab, score } = options;
    if (tab === undefined) return;
    const wanted: ShownTab = { tab, ...(score === undefined ? {} : { score }) };
    for (const editor of this.editors) {
      if (!sameFile(editor.uri, resultFile)) continue;
      editor.tab = wanted; // a page that is still loading asks with `ready`
      if (score !== undefined) await this.postScores(editor);
      editor.page.post({ type: 'showTab', ...wanted });
    }
  }

  /** The result that is in front, or in sight when the focus is elsewhere. */
  get active(): vscode.Uri | null {
    return inFront([...this.editors].filter(({ uri }) => !isScoresFile(uri.path)))?.uri ?? null;
  }

  /** The page in front, of a result or of scores alone, and what can leave it. */
  get front() {
    const shown = inFront([...this.editors]);
    if (!shown) return null;
    const { uri, page } = shown;
    return {
      uri,
      isResult: !isScoresFile(uri.path),
      list: () => this.exports.list(page),
      make: (id: string, form: ExportForm) => this.exports.make(page, id, form),
    };
  }

  private isVisible(resultFile: string): boolean {
    return [...this.editors].some((editor) => editor.panel.visible && sameFile(editor.uri, resultFile));
  }

  /** Resolves to true as soon as the result is in sight, to false when it is not within `milliseconds`. */
  async becomesVisible(resultFile: string, milliseconds: number): Promise<boolean> {
    for (const end = Date.now() + milliseconds; Date.now() < end;) {
      if (this.isVisible(resultFile)) return true;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.isVisible(resultFile);
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor(document: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { uri } = document;
    const page = openPage(panel.webview, this.extensionUri, 'results', 'LayerIF results', (message) => {
      void this.receive(editor, message);
    });
    const update = throttled(LIVE_INTERVAL_MS, () => void this.snapshot(uri).then((message) => page.post(message)));
    const editor: OpenEditor = { uri, panel, page, tab: null, refresh: update.request };
    const folder = vscode.Uri.joinPath(uri, '..');
    const base = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, base));
    const listeners: vscode.Disposable[] = [
      watcher,
      watcher.onDidChange(update.request),
      watcher.onDidCreate(update.request),
      page,
      panel.onDidChangeViewState(() => this.fronts.fire()),
    ];
    if (!isScoresFile(uri.path)) {
      const scores = throttled(LIVE_INTERVAL_MS, () => void this.postScores(editor));
      const beside = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, scoresBeside(base)));
      for (const event of [beside.onDidChange, beside.onDidCreate, beside.onDidDelete])
        listeners.push(event(scores.request));
      listeners.push(beside, scores);
    }
    this.editors.add(editor);
    this.fronts.fire();
    panel.onDidDispose(() => {
      this.editors.delete(editor);
      this.fronts.fire();
      update.dispose();
      for (const listener of listeners) listener.dispose();
    });
  }

  private async snapshot(uri: vscode.Uri): Promise<ToPage<'results'>> {
    if (isScoresFile(uri.path)) {
      const seen = await readScores(uri);
      if (seen.scores) return { type: 'scores', alone: true, ...seen };
      return { type: 'failed', message: seen.fault ?? 'This scores file is not there any more.' };
    }
    const run = this.runOf(uri);
    if (isRunning(run) && run.result) return runningMessage(run);
    try {
      const result = await readFileOf('result', uri);
      // Before its first event a run has at least written down what it is going to score: enough to draw the axes.
      if (isRunning(run)) return runningMessage({ ...run, result });
      return { type: 'result', result: forPage(result), file: uri.fsPath };
    } catch (error) {
      if (isRunning(run)) return runningMessage(run);
      if (run?.end?.kind === 'failed') return { type: 'failed', message: run.end.message };
      return { type: 'failed', message: whyNot(uri, error, 'This result file is not there any more.') };
    }
  }

  private runOf(uri: vscode.Uri): RunState | null {
    const run = this.runs.current;
    return run && sameFile(uri, run.resultFile) ? run : null;
  }

  private async receive(editor: OpenEditor, message: FromPage<'results'>): Promise<void> {
    const column = columnBeside(editor.panel.viewColumn);
    const resultFile = editor.uri.fsPath;
    switch (message.type) {
      case 'ready':
        editor.page.post(await this.snapshot(editor.uri));
        await this.postScores(editor);
        await this.postTrust(editor);
        if (editor.tab !== null) editor.page.post({ type: 'showTab', ...editor.tab });
        editor.tab = null;
        return;
      case 'cancel':
        await vscode.commands.executeCommand('layerif.cancelRun');
        return;
      case 'samples': {
        const { requestId, task, split, samples } = message;
        const params = { resultFile, task, split, samples };
        const texts = await this.texts(requests.sampleText, params, samples);
        editor.page.post({ type: 'samples', requestId, answer: texts });
        return;
      }
      case 'rowTexts': {
        const { requestId, by, rows } = message;
        const texts = await this.texts(requests.rowText, { resultFile, by, rows }, rows);
        editor.page.post({ type: 'samples', requestId, answer: texts });
        return;
      }
      case 'writeRows':
        return writeRows(this.client, editor.uri.fsPath, message);
      case 'openSample':
        return openSample(message.file, message.line, column);
      case 'revealTask':
      case 'revealDataset': {
        const experimentFile = await this.experimentFile(editor.uri);
        const what = message.type === 'revealTask' ? { task: message.task } : { dataset: message.dataset };
        if (experimentFile) await revealInExperiment(this.client, experimentFile, what, column);
        return;
      }
      case 'openResult':
        return this.open(editor.uri.fsPath, { preserveFocus: false });
      case 'ask': {
        const answered = await answer(this.client, { resultFile: editor.uri.fsPath }, message);
        // The watcher of the file may be late, or not work at all on a shared disk.
        if (message.what === 'measureScores') {
          if (isScoresFile(editor.uri.path)) editor.refresh();
          else await this.postScores(editor);
        }
        editor.page.post(answered);
        return;
      }
      case 'command':
        await vscode.commands.executeCommand(`layerif.${message.command}`, editor.uri);
        return;
      case 'copy':
        return copy(message);
      case 'saveAllocation':
        return saveAllocation(this.client, editor.uri.fsPath, message);
      case 'saveExport':
        return saveExport(this.client, editor.uri.fsPath, message);
      case 'saveText':
        return saveText(editor.uri, message);
      case 'exported':
        return this.exports.answered(message);
      default:
        assertNever(message);
    }
  }

  private async postScores({ uri, page }: OpenEditor): Promise<void> {
    if (isScoresFile(uri.path)) return;
    const beside = uri.with({ path: scoresBeside(uri.path) });
    page.post({ type: 'scores', alone: false, ...(await readScores(beside)) });
  }

  private async postTrust(editor: OpenEditor): Promise<void> {
    const experimentFile = await this.experimentFile(editor.uri);
    if (experimentFile === null) return;
    editor.page.post({ type: 'trust', trust: await this.trust.of(editor.uri, experimentFile) });
  }

  private async texts<Params>(
    request: RequestRow<Params, SampleTextAnswer>,
    params: Params,
    asked: readonly number[],
  ): Promise<SampleTextAnswer> {
    try {
      return await this.client.request(request, params);
    } catch {
      // The page shows figures without text; the client has logged the fault.
      return { samples: asked.map((index) => ({ index, text: null, answer: null, file: '', line: null })) };
    }
  }

  /** Of the run that writes the result, else as the result says. */
  async experimentFile(uri: vscode.Uri): Promise<string | null> {
    const run = this.runOf(uri);
    if (run) return run.experimentFile;
    const message = await this.snapshot(uri);
    if (message.type === 'scores') return message.scores?.experimentFile ?? null;
    return message.type === 'result' ? message.result.experimentFile : null;
  }

  dispose(): void {
    for (const part of [...this.subscriptions, this.fronts]) part.dispose();
  }
}

const inFront = (editors: readonly OpenEditor[]): OpenEditor | null =>
  editors.find(({ panel }) => panel.active) ?? editors.find(({ panel }) => panel.visible) ?? null;

export const sameFile = (uri: vscode.Uri, path: string) => uri.fsPath === vscode.Uri.file(path).fsPath;

async function readScores(uri: vscode.Uri): Promise<ScoresSeen> {
  try {
    return { scores: await readFileOf('scores', uri), fault: null };
  } catch (error) {
    return { scores: null, fault: whyNot(uri, error, '') || null };
  }
}
