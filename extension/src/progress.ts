/**
 * `$/progress` of a cancellable run as a notification with a Cancel button. The language client's own display is a
 * silent line in the status bar without a button; a run takes minutes, so its cancel must be in sight. Other progress
 * keeps the default display.
 */
import * as vscode from 'vscode';
import type {
  LanguageClient,
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

type Params = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
interface Shown {
  report(params: WorkDoneProgressReport): void;
  end(): void;
}

const shown = new Map<ProgressToken, Shown>();

export function showRunProgress(
  client: () => LanguageClient | null,
  token: ProgressToken,
  params: Params,
  next: (token: ProgressToken, params: Params) => void,
): void {
  if (params.kind === 'begin' && params.cancellable) begin(client, token, params);
  else if (!shown.has(token)) next(token, params);
  else if (params.kind === 'report') shown.get(token)?.report(params);
  else if (params.kind === 'end') shown.get(token)?.end();
}

/** Closes what is left when the server is gone: a notification must not outlive its run. */
export function endAllProgress(): void {
  for (const entry of [...shown.values()]) entry.end();
}

function begin(client: () => LanguageClient | null, token: ProgressToken, params: WorkDoneProgressBegin): void {
  let percent = 0;
  let progress: vscode.Progress<{ message?: string; increment?: number }> | null = null;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const report = (message: string | undefined, percentage: number | undefined) => {
    // VS Code adds increments up, so a figure that goes back is shown as no change.
    const increment = percentage === undefined ? undefined : Math.max(0, Math.min(100, percentage) - percent);
    percent += increment ?? 0;
    progress?.report({ message, increment });
  };
  shown.set(token, {
    report: ({ message, percentage }) => report(message, percentage),
    end: () => {
      shown.delete(token);
      finish();
    },
  });
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: `LayerIF: ${params.title}`,
    cancellable: true,
  };
  void vscode.window.withProgress(options, async (target, cancel) => {
    progress = target;
    report(params.message, params.percentage);
    cancel.onCancellationRequested(() => {
      target.report({ message: 'Cancelling…' });
      void client()?.sendNotification('window/workDoneProgress/cancel', { token });
    });
    await finished;
  });
}
