/**
 * Requests of the editor about allocations: computed at once from what lies beside a result, written only when asked
 * for.
 */
import path from 'node:path';
import type { AskedScore } from '../../../protocol/experiment.ts';
import type { AllocateAnswer, AllocateParams, ExportAnswer, ExportParams } from '../../../protocol/lsp.ts';
import { allocateResult, allocationFile, saveAllocation } from '../run/decide/allocate.ts';
import { exportResult, writeExport } from '../run/decide/export.ts';
import { MissingScores } from '../run/scores/scores.ts';
import { answered } from './answered.ts';

export async function allocate({ resultFile, tasks, save, ...request }: AllocateParams): Promise<AllocateAnswer> {
  let missing: readonly AskedScore[] = [];
  const answer = await answered<Pick<AllocateAnswer, 'allocation' | 'file'>>(
    { allocation: null, file: null },
    async () => {
      try {
        const allocation = await allocateResult({ resultFile, tasks, request });
        const file = save ? allocationFile(resultFile) : null;
        if (file !== null) saveAllocation(allocation, file);
        return { allocation, file };
      } catch (error) {
        if (error instanceof MissingScores) missing = error.scores;
        throw error;
      }
    },
  );
  return missing.length > 0 ? { ...answer, missing: [...missing] } : answer;
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
    });
    const text = typeof content === 'string' ? content : null;
    if (output === undefined) return { text, file, notes };
    const target = path.resolve(path.dirname(resultFile), output);
    writeExport(content, target);
    return { text, file: target, notes };
  });
}
