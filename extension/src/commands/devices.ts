/** Check Acceleration, Install CUDA Runtime, Remove CUDA Runtime. */
import * as vscode from 'vscode';
import { INSTALL_CUDA_PROGRESS } from '../../../protocol/devices.ts';
import type { InstallCudaProgress } from '../../../protocol/devices.ts';
import { requests } from '../../../protocol/requests.ts';
import type { ServerClient } from '../client.ts';
import { isTrusted } from './guard.ts';
import { refuse } from './trust.ts';

/** Documents that are written nowhere. */
const SCHEME = 'layerif-report';
const REPORT = vscode.Uri.from({ scheme: SCHEME, path: '/LayerIF Acceleration.md' });

export function registerDeviceCommands(client: ServerClient, output: vscode.LogOutputChannel): vscode.Disposable {
  const changed = new vscode.EventEmitter<vscode.Uri>();
  let text = '';
  return vscode.Disposable.from(
    changed,
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changed.event,
      provideTextDocumentContent: () => text,
    }),
    vscode.commands.registerCommand('layerif.checkAcceleration', async () => {
      if (!isTrusted('The check starts processes with native libraries')) return;
      const { markdown, error } = await during('Trying every device', (token) =>
        client.request(requests.devices, {}, token),
      );
      if (error) return refuse({ output }, 'The check of acceleration', error);
      text = markdown;
      changed.fire(REPORT);
      await vscode.commands.executeCommand('markdown.showPreview', REPORT);
    }),
    vscode.commands.registerCommand('layerif.installCudaRuntime', () => install(client, output)),
    vscode.commands.registerCommand('layerif.removeCudaRuntime', async () => {
      const { folder, error } = await client.request(requests.removeCuda, {});
      if (error) return refuse({ output }, 'Removing the CUDA runtime', error);
      const said = folder ? 'The CUDA runtime was removed.' : 'LayerIF has installed no CUDA runtime.';
      void vscode.window.showInformationMessage(said);
    }),
  );
}

async function install(client: ServerClient, output: vscode.LogOutputChannel): Promise<void> {
  if (!isTrusted('The installation downloads native libraries')) return;
  const [plain, whole] = await Promise.all(
    [false, true].map((optional) => client.request(requests.cudaOffer, { optional })),
  );
  const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const choices = [
    { title: `Agree and Install (${megabytes(plain!.download)})`, optional: false },
    { title: `With cuDNN (${megabytes(whole!.download)})`, optional: true },
  ];
  const choice = await vscode.window.showInformationMessage(
    plain!.installed
      ? 'Install the CUDA runtime again?'
      : 'Install the CUDA runtime, for NVIDIA GPUs with a driver of version 580 or newer?',
    {
      modal: true,
      detail: [
        ...whole!.lines.map((line) => `\u2022 ${line}`),
        '',
        'Every file is checked by its SHA-256. "LayerIF: Remove CUDA Runtime" deletes all of it.',
      ].join('\n'),
    },
    ...choices,
  );
  if (!choice) return;
  const { error } = await during('Installing the CUDA runtime', async (token, progress) => {
    let shown = 0;
    const watching = client.onNotification<InstallCudaProgress>(INSTALL_CUDA_PROGRESS, ({ done, total, message }) => {
      const percent = Math.min(100, (100 * done) / total);
      progress.report({ increment: percent - shown, message });
      shown = percent;
    });
    try {
      return await client.request(requests.installCuda, { optional: choice.optional }, token);
    } finally {
      watching?.dispose();
    }
  });
  if (error) return refuse({ output }, 'Installing the CUDA runtime', error);
  const next = await vscode.window.showInformationMessage('The CUDA runtime is installed.', 'Check Acceleration');
  if (next) await vscode.commands.executeCommand('layerif.checkAcceleration');
}

type Step<T> = (
  token: vscode.CancellationToken,
  progress: vscode.Progress<{ increment?: number; message?: string }>,
) => Promise<T>;

/**
 * A notification with progress that can be cancelled. An answer that fails to come is an error like the server's own.
 */
function during<T extends { error: { code: string; message: string } | null }>(
  title: string,
  step: Step<T>,
): Thenable<T> {
  const options = { location: vscode.ProgressLocation.Notification, title: `LayerIF: ${title}`, cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    try {
      return await step(token, progress);
    } catch (error) {
      const code = token.isCancellationRequested ? 'cancelled' : 'engineDied';
      return { error: { code, message: (error as Error).message } } as T;
    }
  });
}
