/**
 * Marks in an opened data file on the rows that the last run over it found harmful, misaligned or masked: a decoration
 * with a hover that says why, a code action that writes the file without them, and a language status. A file that is
 * not the one that was scored gets no marks, and the status says so.
 */
import * as vscode from 'vscode';
import type { RowMark, RowMarks, RunOfRows } from '../../protocol/rowRequests.ts';
import { requests } from '../../protocol/requests.ts';
import type { ServerClient } from './client.ts';
import type { RunList } from './runList.ts';
import { kindWords, markedWords, runsOver } from './rowMarkWords.ts';
import { throttled } from './webviewPage.ts';

const SELECTOR: vscode.DocumentSelector = { scheme: 'file', pattern: '**/*.{jsonl,ndjson,csv,tsv}' };
const DELAY_MS = 500;

export class RowMarksView implements vscode.CodeActionProvider, vscode.HoverProvider, vscode.Disposable {
  private readonly client: ServerClient;
  private readonly list: RunList;
  /** By path. */
  private readonly known = new Map<string, RowMarks>();
  private readonly decorations = Object.fromEntries(
    (['harmful', 'misaligned', 'masked'] as const).map((kind) => [kind, decoration(kind)]),
  ) as Record<RowMark['kind'], vscode.TextEditorDecorationType>;
  private readonly status = vscode.languages.createLanguageStatusItem('layerif.rowMarks', SELECTOR);
  private readonly update = throttled(DELAY_MS, () => void this.refresh());
  private readonly subscriptions: vscode.Disposable[];

  constructor(client: ServerClient, list: RunList) {
    this.client = client;
    this.list = list;
    this.status.name = 'LayerIF Row Marks';
    this.subscriptions = [
      this.update,
      this.status,
      ...Object.values(this.decorations),
      vscode.window.onDidChangeVisibleTextEditors(this.update.request),
      vscode.window.onDidChangeActiveTextEditor(this.update.request),
      vscode.workspace.onDidSaveTextDocument(this.update.request),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (vscode.languages.match(SELECTOR, document) > 0) this.update.request();
      }),
      list.onChange(this.update.request),
      vscode.languages.registerHoverProvider(SELECTOR, this),
      vscode.languages.registerCodeActionsProvider(SELECTOR, this, {
        providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
      }),
    ];
    this.update.request();
  }

  /** Of a document as it is on the disk; null where there are none, or where it is edited. */
  marksOf(document: vscode.TextDocument): RowMarks | null {
    const marks = document.isDirty ? undefined : this.known.get(document.uri.fsPath);
    return marks && marks.sha256 !== null && marks.marks.length > 0 ? marks : null;
  }

  private async refresh(): Promise<void> {
    const editors = vscode.window.visibleTextEditors.filter(
      ({ document }) => vscode.languages.match(SELECTOR, document) > 0,
    );
    if (editors.length === 0) return;
    const entries = await this.list.entries();
    for (const editor of editors) {
      const { document } = editor;
      const file = document.uri.fsPath;
      const runs = runsOver(file, entries);
      const marks = document.isDirty || runs.length === 0 ? null : await this.ask(file, runs);
      if (marks) this.known.set(file, marks);
      else this.known.delete(file);
      this.draw(editor);
    }
    this.tell(vscode.window.activeTextEditor ?? editors[0]!, entries.length > 0);
  }

  private async ask(file: string, runs: RunOfRows[]): Promise<RowMarks | null> {
    try {
      return (await this.client.request(requests.rowMarks, { file, runs })).marks;
    } catch {
      return null; // The client has logged the fault.
    }
  }

  private draw(editor: vscode.TextEditor): void {
    const marks = this.marksOf(editor.document)?.marks ?? [];
    for (const [kind, type] of Object.entries(this.decorations)) {
      const lines = marks.filter((mark) => mark.kind === kind).map(({ line }) => line - 1);
      const known = lines.filter((line) => line < editor.document.lineCount);
      editor.setDecorations(
        type,
        known.map((line) => editor.document.lineAt(line).range),
      );
    }
  }

  private tell({ document }: vscode.TextEditor, hasRuns: boolean): void {
    const marks = this.known.get(document.uri.fsPath);
    const { text, detail, warning } = markedWords(document.isDirty, marks, hasRuns);
    this.status.text = text;
    this.status.detail = detail;
    this.status.severity = warning ? vscode.LanguageStatusSeverity.Warning : vscode.LanguageStatusSeverity.Information;
    this.status.command = this.marksOf(document)
      ? { command: 'layerif.writeWithoutMarkedRows', title: 'Write without Them\u2026', arguments: [document.uri] }
      : undefined;
  }

  provideHover(document: vscode.TextDocument, { line }: vscode.Position): vscode.Hover | null {
    const own = this.marksOf(document)?.marks.filter((mark) => mark.line === line + 1) ?? [];
    if (own.length === 0) return null;
    // As text: what a file says is never markup.
    const words = own.map(({ kind, words }) =>
      new vscode.MarkdownString().appendText(`LayerIF, ${kindWords[kind]}: ${words}`),
    );
    return new vscode.Hover(words, document.lineAt(line).range);
  }

  provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
    const marks = this.marksOf(document)?.marks ?? [];
    const here = marks.filter(({ line }) => line - 1 >= range.start.line && line - 1 <= range.end.line);
    if (here.length === 0) return [];
    const rows = (some: readonly RowMark[]) => [...new Set(some.map(({ row }) => row))];
    const action = (title: string, some: readonly RowMark[]) => {
      const made = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
      made.command = { command: 'layerif.writeWithoutMarkedRows', title, arguments: [document.uri, rows(some)] };
      return made;
    };
    const kinds = [...new Set(here.map(({ kind }) => kind))];
    const count = (some: readonly RowMark[]) => (rows(some).length === 1 ? '1 Row' : `${rows(some).length} Rows`);
    return [
      action(`LayerIF: Write File without the ${count(marks)} That Are Marked\u2026`, marks),
      ...kinds.map((kind) => {
        const some = marks.filter((mark) => mark.kind === kind);
        return action(`LayerIF: Write File without the ${count(some)} Marked ${kindWords[kind]}\u2026`, some);
      }),
    ];
  }

  dispose(): void {
    for (const part of this.subscriptions) part.dispose();
  }
}

function decoration(kind: RowMark['kind']): vscode.TextEditorDecorationType {
  const colour = new vscode.ThemeColor(kind === 'harmful' ? 'editorError.foreground' : 'editorWarning.foreground');
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    overviewRulerColor: colour,
    overviewRulerLane: vscode.OverviewRulerLane.Right,
    borderWidth: '0 0 0 3px',
    borderStyle: kind === 'masked' ? 'dotted' : 'solid',
    borderColor: colour,
    after: {
      contentText: kindWords[kind],
      color: new vscode.ThemeColor('editorCodeLens.foreground'),
      margin: '0 0 0 2em',
    },
  });
}
