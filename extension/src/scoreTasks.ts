/**
 * Tasks of the type `layerif`: the commands of the command line on experiment files, with a problem matcher for their
 * messages. Every experiment has `check` and `score`; others are written into `tasks.json`.
 */
import * as vscode from 'vscode';
import { commandLine, machineWords } from './commandLine.ts';
import { experimentName } from './experimentFiles.ts';
import { findExperiments } from './experimentsView.ts';

const TYPE = 'layerif';
const MATCHER = '$layerif';

interface Definition extends vscode.TaskDefinition {
  type: typeof TYPE;
  command: string;
  /** Relative to the folder. */
  file: string;
  args?: string[];
}

/** Commands that every experiment has as a task. */
const offered = ['check', 'score'];

export function registerTasks(context: vscode.ExtensionContext): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(TYPE, {
    async provideTasks() {
      const experiments = await findExperiments();
      return experiments.flatMap((uri) => {
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        if (!folder || uri.scheme !== 'file') return [];
        const file = vscode.workspace.asRelativePath(uri, false);
        return offered.map((command) => task(context, { type: TYPE, command, file }, folder));
      });
    },
    resolveTask({ definition, scope }) {
      const { command, file } = definition as Partial<Definition>;
      if (!command || !file || typeof scope !== 'object') return undefined;
      // VS Code asks for the very definition that it was given.
      return task(context, definition as Definition, scope);
    },
  });
}

function task(context: vscode.ExtensionContext, definition: Definition, folder: vscode.WorkspaceFolder): vscode.Task {
  const { command, file, args = [] } = definition;
  const machine = command === 'check' || command === 'score' || command === 'estimate' ? machineWords() : [];
  const program = commandLine(context, [command, file, ...machine, ...args]);
  const execution = new vscode.ProcessExecution(program.command, program.args, {
    cwd: folder.uri.fsPath,
    env: program.env,
  });
  const made = new vscode.Task(definition, folder, `${command} ${experimentName(file)}`, 'LayerIF', execution, MATCHER);
  made.detail = `layerif ${[command, file, ...args].join(' ')}`;
  made.group = command === 'check' ? vscode.TaskGroup.Test : vscode.TaskGroup.Build;
  return made;
}
