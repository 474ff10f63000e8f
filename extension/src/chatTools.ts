/**
 * LayerIF's tools for chat models in the editor (`protocol/tools.ts`): the language server answers, `score` runs as the
 * command does, after VS Code has shown what it will take.
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { estimateWords } from '../../protocol/estimateWords.ts';
import { requests } from '../../protocol/requests.ts';
import { editorToolName, toolOf, tools } from '../../protocol/tools.ts';
import type { ToolId, ToolRow } from '../../protocol/tools.ts';
import { isTrusted } from './commands/guard.ts';
import { score } from './commands/score.ts';
import type { ScoreParts } from './commands/score.ts';
import { experimentName } from './experimentFiles.ts';
import { isOutside } from './outside.ts';

type Input = Record<string, unknown>;

export function registerChatTools(parts: ScoreParts): vscode.Disposable {
  return vscode.Disposable.from(
    ...tools.map((tool) =>
      vscode.lm.registerTool<Input>(
        editorToolName(tool.id),
        tool.id === 'score' ? scoring(parts) : reading(parts, tool.id, tool),
      ),
    ),
  );
}

/** Tools that read finished runs. */
function reading(
  { client, results }: ScoreParts,
  id: Exclude<ToolId, 'score'>,
  { title }: ToolRow,
): vscode.LanguageModelTool<Input> {
  return {
    prepareInvocation: () => ({ invocationMessage: `LayerIF: ${title}` }),
    async invoke({ input }, token) {
      const { answer, error } = await client.request(requests.tool, { tool: id, input, folders: folders() }, token);
      if (!answer) throw new Error(error?.message ?? 'no answer');
      const { file } = answer.data as { file?: string };
      // The chart is the results editor itself.
      if (id === 'show_chart' && file !== undefined) await results.open(file, { preserveFocus: true });
      return said(answer.text);
    },
  };
}

function scoring(parts: ScoreParts): vscode.LanguageModelTool<Input> {
  return {
    async prepareInvocation({ input }, token) {
      const { uri, task } = target(input);
      const { estimate, error } = await parts.client.request(
        requests.estimate,
        { uri: uri.toString(), ...(task === undefined ? {} : { task }) },
        token,
      );
      if (!estimate) throw new Error(error?.message ?? 'no estimate');
      const name = experimentName(uri.path);
      const words = [estimateWords(name, estimate), ...estimate.warnings.map((warning) => `Warning: ${warning}`)];
      return {
        invocationMessage: `Scoring the layers of ${name}`,
        confirmationMessages: { title: `Score the layers of ${name}?`, message: words.join(' ') },
      };
    },
    async invoke({ input }, token) {
      const { uri, task } = target(input);
      const cancel = token.onCancellationRequested(() => void vscode.commands.executeCommand('layerif.cancelRun'));
      try {
        const resultFile = await score(parts, uri, task === undefined ? {} : { task });
        if (resultFile === null) throw new Error('The run did not finish; the message in the editor says why.');
        const { answer, error } = await parts.client.request(requests.tool, {
          tool: 'show_chart',
          input: { result: resultFile },
          folders: [...folders(), path.dirname(resultFile)],
        });
        return said(answer?.text ?? `${resultFile}: ${error?.message ?? ''}`);
      } finally {
        cancel.dispose();
      }
    },
  };
}

/** What is scored; what the model sends may be anything. */
function target({ file, task }: Input): { uri: vscode.Uri; task: string | undefined } {
  const what = 'Scoring loads a model and starts a process';
  if (!isTrusted(what)) throw new Error(`${what}, so it needs a trusted workspace.`);
  const [first] = folders();
  if (typeof file !== 'string' || file === '' || first === undefined)
    throw new Error(`score needs the input "file": ${toolOf('score').inputs.file!.description}`);
  const whole = path.resolve(first, file);
  if (isOutside(whole, folders())) throw new Error(`${file} lies outside the workspace: name an experiment inside it`);
  return { uri: vscode.Uri.file(whole), task: typeof task === 'string' && task !== '' ? task : undefined };
}

const folders = (): string[] => (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);

const said = (text: string) => new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
