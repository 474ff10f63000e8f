/** Requests of the editor that are answered from the stored Grams of a finished run: no model, no engine. */
import type { CancellationToken } from 'vscode-languageserver/node';
import type { RescoreAnswer, RescoreParams } from '../../../protocol/lsp.ts';
import { rescore as rescoreRun } from '../run/rescore.ts';
import { answered } from './answered.ts';

export function rescore({ resultFile, ...choice }: RescoreParams, token: CancellationToken): Promise<RescoreAnswer> {
  const signal = signalOf(token);
  return answered<Pick<RescoreAnswer, 'tasks'>>({ tasks: null }, async () => {
    const { tasks } = await rescoreRun(resultFile, { ...choice, signal });
    return {
      tasks: tasks.map(({ task, layers, influence, uncertainty }) => ({ task, layers, influence, uncertainty })),
    };
  });
}

export function signalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort());
  return abort.signal;
}
