/** Holds the run under way (or the last one) for every surface, and the context key `layerif.running`. */
import * as vscode from 'vscode';
import type { RunEvent } from '../../protocol/run.ts';
import type { ServerClient } from './client.ts';
import { endAllProgress } from './progress.ts';
import { isRunning, reduceRun } from './runState.ts';
import type { RunState } from './runState.ts';

export class RunTracker implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<RunState | null>();
  /** Fires after every event of the run; `current` has the new value. */
  readonly onChange = this.changes.event;
  private readonly starts = new vscode.EventEmitter<RunState>();
  readonly onStart = this.starts.event;
  private readonly subscriptions: vscode.Disposable[];
  private state: RunState | null = null;

  constructor(client: ServerClient) {
    this.subscriptions = [
      client.onRunEvent((event) => this.apply(event)),
      // A server that went away takes its run with it; a page must not wait for ever.
      client.onState((state) => {
        if (state === 'stopped' || state === 'failed') this.abandon();
      }),
    ];
  }

  get current(): RunState | null {
    return this.state;
  }

  private apply(event: RunEvent): void {
    this.set(reduceRun(this.state, event, Date.now()));
    if (event.type === 'started' && this.state) this.starts.fire(this.state);
  }

  private abandon(): void {
    endAllProgress();
    if (!isRunning(this.state)) return;
    const message = 'The language server stopped during the run. Finished layers are kept; score again to resume.';
    this.set({ ...this.state, end: { kind: 'failed', message } });
  }

  private set(state: RunState | null): void {
    this.state = state;
    void vscode.commands.executeCommand('setContext', 'layerif.running', isRunning(state));
    this.changes.fire(state);
  }

  dispose(): void {
    for (const part of [...this.subscriptions, this.changes, this.starts]) part.dispose();
  }
}
