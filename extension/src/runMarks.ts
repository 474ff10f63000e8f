/** Labels and pins that the user gave to runs. Kept in the workspace's state: a run's folder may be read-only. */
import * as vscode from 'vscode';

const KEY = 'layerif.runMarks';

export interface RunMark {
  /** '' for none. */
  label: string;
  pinned: boolean;
}

type Marks = Record<string, RunMark>;

export class RunMarks implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onChange = this.changes.event;
  private readonly memento: vscode.Memento;

  constructor(memento: vscode.Memento) {
    this.memento = memento;
  }

  of(uri: vscode.Uri): RunMark {
    const marks = this.all();
    const key = keyOf(uri);
    return Object.hasOwn(marks, key) ? marks[key]! : { label: '', pinned: false };
  }

  async set(uri: vscode.Uri, mark: RunMark): Promise<void> {
    const marks = new Map(Object.entries(this.all()));
    if (mark.label === '' && !mark.pinned) marks.delete(keyOf(uri));
    else marks.set(keyOf(uri), mark);
    await this.memento.update(KEY, Object.fromEntries(marks));
    this.changes.fire();
  }

  private all(): Marks {
    return this.memento.get<Marks>(KEY, {});
  }

  dispose(): void {
    this.changes.dispose();
  }
}

/** Relative, so that marks stay when the workspace is moved. */
const keyOf = (uri: vscode.Uri) => vscode.workspace.asRelativePath(uri, true);
