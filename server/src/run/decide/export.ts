/** From a result to a file for another program: the allocation that the consumer needs, its text, written atomically. */
import path from 'node:path';
import type { AllocationKind, AllocationRequest } from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { minMax } from '../../allocation/rounding.ts';
import { savitzkyGolay } from '../../allocation/savitzkyGolay.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { exportTarget } from '../../export/targets.ts';
import type { ExportInput } from '../../export/types.ts';
import { allocateResult, resultLayers, type AllocateOptions } from './allocate.ts';
import { resultScores } from './resultScores.ts';
import { cannotWrite, readResult } from '../files/results.ts';

export interface ExportOptions extends Omit<AllocateOptions, 'request'> {
  to: string;
  /** Kind: what the target takes by default. */
  request: Omit<AllocationRequest, 'kind'> & { kind?: AllocationKind | undefined };
  /** Default 8 and 16, as MoLA trains. */
  loraRank?: number | undefined;
  loraAlpha?: number | undefined;
}

export interface Exported {
  /** Text, or the bytes of a binary file. */
  content: string | Uint8Array;
  /** Default place, beside the result. */
  file: string;
  notes: string[];
}

/** @throws LayerifError `badRequest` for an unknown target or a kind that it cannot express, and as `allocateResult` */
export async function exportResult(options: ExportOptions): Promise<Exported> {
  const target = exportTarget(options.to);
  const { resultFile, request } = options;
  const kind = request.kind ?? target.kinds[0];
  if (request.kind !== undefined && !target.kinds.includes(request.kind)) {
    const can = target.kinds.length > 0 ? `takes ${target.kinds.join(', ')}` : 'takes scores, no allocation';
    throw new LayerifError('badRequest', `target ${target.id} ${can}, not ${request.kind}`);
  }
  const loraRank = options.loraRank ?? 8;
  const loraAlpha = options.loraAlpha ?? 2 * loraRank;
  if (!Number.isInteger(loraRank) || loraRank < 1 || !(loraAlpha > 0)) {
    throw new LayerifError(
      'badRequest',
      `LoRA rank ${loraRank} and alpha ${loraAlpha} are not possible: use a whole rank from 1 and an alpha above 0`,
    );
  }
  const result = readResult(resultFile);
  const allocation = kind === undefined ? null : await allocateResult({ ...options, request: { ...request, kind } });
  const { scores, tasks } = resultScores(result, resultFile, options.tasks, request.aggregation);
  const normalised = minMax(scores.map(Math.abs));
  const smoothed = savitzkyGolay(normalised);
  const input: ExportInput = {
    model: result.experiment.model.path,
    tasks,
    allocation,
    loraRank,
    loraScale: loraAlpha / loraRank,
    layers: resultLayers(result, kind ?? 'sparsity').map(({ index, name, modules }, l) => ({
      index,
      name,
      score: scores[l],
      normalised: normalised[l],
      smoothed: smoothed[l],
      modules: [...modules],
    })),
  };
  const base = path.basename(resultFile).replace(/(\.layerif-result)?\.json$/, '');
  const file = path.join(path.dirname(resultFile), `${base}.${target.id}${target.ending}`);
  return { content: target.make(input), file, notes: allocation?.notes ?? [] };
}

/** @throws LayerifError `cannotWrite` */
export function writeExport(content: string | Uint8Array, file: string): void {
  try {
    writeAtomically(file, [typeof content === 'string' ? Buffer.from(content) : content]);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}
