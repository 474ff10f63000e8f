/** Requests of the editor about allocations: computed at once from the scores of a result, written only when asked for. */
import path from 'node:path';
import { LayerifError, located } from '../../../protocol/errors.ts';
import type { AllocateAnswer, AllocateParams, ExportAnswer, ExportParams } from '../../../protocol/lsp.ts';
import { allocateResult, allocationFile, saveAllocation } from '../run/allocate.ts';
import { exportResult, writeExport } from '../run/export.ts';

/** Smaller side of the largest matrix whose spectrum is computed while an editor waits; about a second. */
const LARGEST_SIDE = 1024;

export async function allocate({ resultFile, tasks, save, ...request }: AllocateParams): Promise<AllocateAnswer> {
  return answered<Pick<AllocateAnswer, 'allocation' | 'file'>>({ allocation: null, file: null }, async () => {
    const allocation = await allocateResult({ resultFile, tasks, request, largestSide: LARGEST_SIDE });
    const file = save ? allocationFile(resultFile) : null;
    if (file !== null) saveAllocation(allocation, file);
    return { allocation, file };
  });
}

export async function exportTo(params: ExportParams): Promise<ExportAnswer> {
  const { resultFile, to, output, tasks, loraRank, loraAlpha, ...request } = params;
  return answered<Omit<ExportAnswer, 'error'>>({ text: null, file: null, notes: [] }, async () => {
    const { content, file, notes } = await exportResult({ resultFile, to, tasks, loraRank, loraAlpha, request, largestSide: LARGEST_SIDE }); // prettier-ignore
    const text = typeof content === 'string' ? content : null;
    if (output === undefined) return { text, file, notes };
    const target = path.resolve(path.dirname(resultFile), output);
    writeExport(content, target);
    return { text, file: target, notes };
  });
}

/** Bad input is an answer that the page shows, not a failed request; a defect fails. */
async function answered<T extends object>(
  nothing: T,
  work: () => Promise<T>,
): Promise<T & { error: AllocateAnswer['error'] }> {
  try {
    return { ...(await work()), error: null };
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    return { ...nothing, error: { code: error.code, message: located(error) } };
  }
}
