/** Devices and the CUDA runtime for the editor. None of it needs the engine of a run; one installation at a time. */
import type { CancellationToken, Connection } from 'vscode-languageserver/node';
import { LayerifError } from '../../../protocol/errors.ts';
import { INSTALL_CUDA_PROGRESS } from '../../../protocol/devices.ts';
import type {
  CudaAnswer,
  CudaOfferAnswer,
  CudaOfferParams,
  DevicesAnswer,
  InstallCudaProgress,
} from '../../../protocol/devices.ts';
import type { Machine } from '../../../protocol/run.ts';
import { cudaOffer, installCudaRuntime, installedCudaRuntime, removeCudaRuntime } from '../run/machine/cudaRuntime.ts';
import { devicesMarkdown, reportDevices } from '../run/machine/devices.ts';

/** Notifications are for eyes. */
const INTERVAL_MS = 200;
let installing = false;

export async function devices(machine: Machine, token: CancellationToken): Promise<DevicesAnswer> {
  try {
    const report = await reportDevices(machine, signalOf(token));
    return { report, markdown: devicesMarkdown(report), error: null };
  } catch (error) {
    return { report: null, markdown: '', error: asAnswer(error, token) };
  }
}

export function offerCuda({ optional }: CudaOfferParams): CudaOfferAnswer {
  return { ...cudaOffer(optional), installed: installedCudaRuntime()?.folder ?? null };
}

export async function installCuda(
  connection: Connection,
  { optional }: CudaOfferParams,
  token: CancellationToken,
): Promise<CudaAnswer> {
  if (installing) {
    const message = 'the CUDA runtime is being installed already; wait for it or cancel it';
    return { folder: null, error: { code: 'badRequest', message } };
  }
  installing = true;
  let last = 0;
  try {
    const { folder } = await installCudaRuntime({
      optional,
      signal: signalOf(token),
      onProgress: (done, total, message) => {
        if (Date.now() - last < INTERVAL_MS && done < total) return;
        last = Date.now();
        void connection.sendNotification(INSTALL_CUDA_PROGRESS, { done, total, message } satisfies InstallCudaProgress);
      },
    });
    return { folder, error: null };
  } catch (error) {
    return { folder: null, error: asAnswer(error, token) };
  } finally {
    installing = false;
  }
}

export function removeCuda(): CudaAnswer {
  try {
    const folder = installedCudaRuntime()?.folder ?? null;
    removeCudaRuntime();
    return { folder, error: null };
  } catch (error) {
    return { folder: null, error: { code: 'cannotWrite', message: (error as Error).message } };
  }
}

function signalOf(token: CancellationToken): AbortSignal {
  const abort = new AbortController();
  const cancel = () => abort.abort(new LayerifError('cancelled', 'cancelled'));
  if (token.isCancellationRequested) cancel();
  else token.onCancellationRequested(cancel);
  return abort.signal;
}

function asAnswer(error: unknown, token: CancellationToken): { code: string; message: string } {
  if (token.isCancellationRequested) return { code: 'cancelled', message: 'cancelled' };
  const code = error instanceof LayerifError ? error.code : 'failed';
  return { code, message: (error as Error).message };
}
