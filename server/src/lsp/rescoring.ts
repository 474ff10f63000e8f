/** Requests of the editor that are answered from the stored Grams of a finished run: no model, no engine. */
import type { CancellationToken } from 'vscode-languageserver/node';
import type {
  CompareAnswer,
  CompareEstimatorsAnswer,
  CompareEstimatorsParams,
  CompareParams,
  RescoreAnswer,
  RescoreParams,
  SweepAnswer,
  SweepParams,
} from '../../../protocol/lsp.ts';
import type { DampingSweep } from '../../../protocol/trust.ts';
import { compareEstimators } from '../run/influence/agreement.ts';
import { compareRuns } from '../run/influence/compare.ts';
import { openRun, rescore as rescoreRun } from '../run/influence/rescore.ts';
import { sweepDamping } from '../run/influence/sweepDamping.ts';
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

export function sweep({ resultFile }: SweepParams, token: CancellationToken): Promise<SweepAnswer> {
  const signal = signalOf(token);
  return answered<Pick<SweepAnswer, 'tasks'>>({ tasks: null }, async () => {
    const tasks: DampingSweep[] = [];
    for (const { task } of openRun(resultFile).result.tasks)
      tasks.push(await sweepDamping(resultFile, task, { signal }));
    return { tasks };
  });
}

export function compare({ files, byDepth }: CompareParams, token: CancellationToken): Promise<CompareAnswer> {
  const signal = signalOf(token);
  return answered<Pick<CompareAnswer, 'comparison'>>({ comparison: null }, async () => {
    return { comparison: await compareRuns(files, { byDepth, signal }) };
  });
}

export function compareByEstimators(
  { resultFile }: CompareEstimatorsParams,
  token: CancellationToken,
): Promise<CompareEstimatorsAnswer> {
  const signal = signalOf(token);
  return answered<Pick<CompareEstimatorsAnswer, 'tasks'>>({ tasks: null }, async () => {
    return { tasks: await compareEstimators(resultFile, signal) };
  });
}

export function signalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort());
  return abort.signal;
}
