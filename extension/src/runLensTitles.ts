/** What the lenses of an experiment say of its runs. No `vscode` here: unit-tested as plain functions. */
import { isRunning, percentage } from './runState.ts';
import type { RunState } from './runState.ts';

export interface RunLens {
  title: string;
  command: 'layerif.cancelRun' | 'layerif.openResult' | 'layerif.estimate';
}

/** @param file absolute path of the experiment; `hasResult`: whether it has one that can be opened */
export function runLensesOf(file: string, run: RunState | null, hasResult: boolean): RunLens[] {
  if (isRunning(run) && run.experimentFile === file) {
    const share = percentage(run);
    return [{ title: share === null ? 'Cancel' : `Cancel (${share} %)`, command: 'layerif.cancelRun' }];
  }
  const estimate: RunLens = { title: 'Estimate', command: 'layerif.estimate' };
  return hasResult ? [{ title: 'Open Last Result', command: 'layerif.openResult' }, estimate] : [estimate];
}
