/** Shows a run beside its experiment as soon as its result file exists, once per run, without taking the focus. */
import * as vscode from 'vscode';
import type { ResultsEditor } from './resultsEditor.ts';
import type { RunTracker } from './runTracker.ts';

export function openWhenWritten(results: ResultsEditor, runs: RunTracker): vscode.Disposable {
  /** The run whose page is still to be opened. */
  let waitingFor: string | null = null;
  let checking = false;

  const tryOpen = async () => {
    const run = runs.current;
    if (!run || run.runId !== waitingFor || checking) return;
    checking = true;
    try {
      await vscode.workspace.fs.stat(vscode.Uri.file(run.resultFile));
      if (waitingFor !== run.runId) return;
      waitingFor = null;
      await results.open(run.resultFile, { preserveFocus: true });
    } catch {
      // Not written yet: the next event tries again.
    } finally {
      checking = false;
    }
  };
  return vscode.Disposable.from(
    runs.onStart((run) => {
      waitingFor = run.runId;
      void tryOpen();
    }),
    runs.onChange(() => void tryOpen()),
  );
}
