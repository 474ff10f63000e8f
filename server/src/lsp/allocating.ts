/** Requests of the editor about allocations: computed at once from the scores of a result, written only when asked for. */
import path from 'node:path';
import type { AllocateAnswer, AllocateParams, ExportAnswer, ExportParams } from '../../../protocol/lsp.ts';
import { allocateResult, allocationFile, saveAllocation } from '../run/decide/allocate.ts';
import { exportResult, writeExport } from '../run/decide/export.ts';
import { answered } from './answered.ts';

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
    const { content, file, notes } = await exportResult({
      resultFile,
      to,
      tasks,
      loraRank,
      loraAlpha,
      request,
      largestSide: LARGEST_SIDE,
    });
    const text = typeof content === 'string' ? content : null;
    if (output === undefined) return { text, file, notes };
    const target = path.resolve(path.dirname(resultFile), output);
    writeExport(content, target);
    return { text, file: target, notes };
  });
}
