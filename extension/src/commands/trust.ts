/** Check Gradients and Validate Influence: what the Trust tab shows, from a page, a lens, a tree or the palette. */
import type { ProtocolId } from '../../../protocol/experiment.ts';
import * as vscode from 'vscode';
import { pickMany, pickName } from '../ask.ts';
import type { CheckGradientsAnswer, ValidateAnswer, ValidateParams } from '../../../protocol/lsp.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { experimentName } from '../experimentFiles.ts';
import type { RunTracker } from '../runTracker.ts';
import type { TrustStore } from '../trustStore.ts';
import { mayRun, saveExperiment } from './guard.ts';
import { experimentOf } from './targets.ts';
import type { Source, TargetParts } from './targets.ts';

export interface TrustParts extends TargetParts {
  client: ServerClient;
  runs: RunTracker;
  trust: TrustStore;
  output: vscode.LogOutputChannel;
}

export function registerTrustCommands(parts: TrustParts): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('layerif.checkGradients', async (source: Source) => {
      const experiment = await experimentOf(parts, source, 'check');
      if (experiment && (await mayRun(parts.runs, experiment, 'The check'))) await checkGradients(parts, experiment);
    }),
    vscode.commands.registerCommand('layerif.validateInfluence', async (source: Source) => {
      const experiment = await experimentOf(parts, source, 'validate');
      if (experiment && (await mayRun(parts.runs, experiment, 'Validation'))) await validate(parts, experiment);
    }),
  );
}

async function checkGradients(parts: TrustParts, asked: vscode.Uri): Promise<void> {
  const { client, trust } = parts;
  const experiment = await saveExperiment(asked);
  if (!experiment) return;
  const name = experimentName(experiment.path);
  const answer = await trust.during(experiment.fsPath, 'Checking gradients\u2026', () =>
    client
      .request(requests.checkGradients, { file: experiment.fsPath })
      .catch((error: Error): CheckGradientsAnswer => ({ report: null, error: failed(error) })),
  );
  const { report, error } = answer;
  if (!report) return refuse(parts, `Checking the gradients of ${name}`, error);
  await trust.setCheck(report);
  const failedRows = report.checks.filter(({ passed }) => passed === false);
  const passed = report.checks.filter((row) => row.passed).length;
  const choice = report.passed
    ? await vscode.window.showInformationMessage(`Gradients of ${name}: ${passed} checks passed.`, 'Open Trust')
    : await vscode.window.showWarningMessage(`Gradients of ${name}: ${failedRows[0]!.sentence}`, 'Open Trust');
  if (choice) await openTrust(parts);
}

/** What may take hours is chosen, not unchosen. */
const protocolItems: readonly (vscode.QuickPickItem & { id: ProtocolId; picked: boolean })[] = [
  {
    id: 'surrogate',
    label: 'Convex surrogate',
    picked: true,
    description: 'seconds',
    detail: 'Retrains a softmax head on frozen features',
  },
  {
    id: 'loo',
    label: 'Leave one out, leave k out',
    picked: true,
    description: 'minutes',
    detail: 'Retrains LoRA without single samples and groups',
  },
  {
    id: 'lds',
    label: 'LDS',
    picked: false,
    description: 'minutes to hours',
    detail: 'Retrains LoRA on random halves of the samples',
  },
  {
    id: 'mislabel',
    label: 'Mislabel detection',
    picked: true,
    description: 'minutes',
    detail: 'Changes a share of the labels and looks for them',
  },
  {
    id: 'retrieval',
    label: 'Same-class retrieval',
    picked: true,
    description: 'minutes',
    detail: 'Looks for samples of the same template class',
  },
];

async function validate(parts: TrustParts, asked: vscode.Uri): Promise<void> {
  const { client, trust } = parts;
  const experiment = await saveExperiment(asked);
  if (!experiment) return;
  const name = experimentName(experiment.path);
  const outline = await client.request(requests.outline, { uri: experiment.toString() });
  const tasks = outline.tasks.map(({ task }) => task);
  const task = tasks.length > 1 ? await pickName(tasks, 'Task to validate') : tasks[0];
  if (tasks.length > 1 && task === undefined) return;
  const chosen = await pickMany(protocolItems, {
    placeHolder: 'What is compared with influence (numbers stand in the section validate)',
  });
  if (!chosen) return;
  const params: ValidateParams = {
    uri: experiment.toString(),
    ...(task === undefined ? {} : { task }),
    protocols: chosen.map(({ id }) => id),
  };
  const { resultFile, error } = await trust.during(experiment.fsPath, 'Validating by retraining\u2026', () =>
    client
      .request(requests.validate, params)
      .catch((cause: Error): ValidateAnswer => ({ resultFile: null, error: failed(cause) })),
  );
  trust.refresh();
  if (error || resultFile === null) return refuse(parts, `Validating ${name}`, error);
  const choice = await vscode.window.showInformationMessage(`Influence of ${name} is validated.`, 'Open Trust');
  if (choice) await openTrust(parts);
}

async function openTrust({ results, list }: TrustParts): Promise<void> {
  const file = results.active?.fsPath ?? (await list.newest());
  if (file) await results.open(file, { preserveFocus: false, tab: 'trust' });
  else void vscode.window.showInformationMessage('Score the experiment first: the Trust tab belongs to a result.');
}

export const failed = (error: Error) => ({ code: 'engineDied', message: error.message });

/** A cancel is no failure; anything else is said once, with the way to the output. */
export async function refuse(
  { output }: Pick<TrustParts, 'output'>,
  what: string,
  error: { code: string; message: string } | null,
): Promise<void> {
  if (error?.code === 'cancelled') {
    vscode.window.setStatusBarMessage(`$(circle-slash) ${what} was cancelled`, 5000);
    return;
  }
  const message = error?.message ?? 'no answer';
  output.error(`${what}: ${message}`);
  const choice = await vscode.window.showErrorMessage(`${what} failed: ${message}`, 'Show Output');
  if (choice) output.show(true);
}
