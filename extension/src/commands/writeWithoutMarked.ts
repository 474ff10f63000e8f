/** Write Data File without Marked Rows…: beside the file as a difference first, then where it is asked for. */
import * as vscode from 'vscode';
import type { ServerClient } from '../client.ts';
import { requests } from '../../../protocol/requests.ts';
import type { RowMarksView } from '../rowMarksView.ts';
import { saveRows } from '../pageRequests.ts';

const SCHEME = 'layerif-without';
const FAILURE = 'The file was not written';
const NO_ANSWER = 'no answer';

export function registerWithoutMarkedCommand(client: ServerClient, marks: RowMarksView): vscode.Disposable {
  const previews = new Map<string, string>();
  return vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      provideTextDocumentContent: (uri) => previews.get(uri.toString()) ?? '',
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => previews.delete(uri.toString())),
    vscode.commands.registerCommand(
      'layerif.writeWithoutMarkedRows',
      async (source?: vscode.Uri, chosen?: number[]) => {
        const uri = source instanceof vscode.Uri ? source : vscode.window.activeTextEditor?.document.uri;
        const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri?.toString());
        const known = document && marks.marksOf(document);
        if (!document || !known) {
          void vscode.window.showInformationMessage(
            'No row of this file is marked: open a .jsonl, .csv or .tsv file that the last run read, as it was scored.',
          );
          return;
        }
        const file = document.uri.fsPath;
        const rows = chosen ?? [...new Set(known.marks.map(({ row }) => row))];
        const ask = async (output?: string) =>
          client.request(requests.linesWithout, {
            file,
            rows,
            sha256: known.sha256 ?? '',
            ...(output === undefined ? {} : { output }),
          });
        const dry = await ask();
        if (!dry.written) return refused(dry.error?.message);
        const { written } = dry;
        const left = written.of - written.rows;
        const preview = document.uri.with({ scheme: SCHEME, query: String(Date.now()) });
        previews.set(preview.toString(), written.preview ?? '');
        const name = vscode.workspace.asRelativePath(document.uri);
        await vscode.commands.executeCommand(
          'vscode.diff',
          document.uri,
          preview,
          `${name} without ${left} rows (preview)`,
        );
        const write = 'Write\u2026';
        const choice = await vscode.window.showInformationMessage(
          `${name} without ${left} of ${written.of} rows: nothing is written yet, and the file stays as it is.`,
          write,
        );
        if (choice !== write) return;
        await saveRows(written, FAILURE, async (output) => {
          const answer = await ask(output);
          if (!answer.written) throw new Error(answer.error?.message ?? NO_ANSWER);
          return answer.written;
        });
      },
    ),
  );
}

function refused(why: string | undefined): void {
  void vscode.window.showErrorMessage(`${FAILURE}: ${why ?? NO_ANSWER}`);
}
