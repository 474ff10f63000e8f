/**
 * From a result to a file for another program: the allocation that the consumer needs, its text, written atomically.
 */
import fs from 'node:fs';
import path from 'node:path';
import { ALLOCATION_SUFFIX } from '../../../../protocol/allocation.ts';
import type { Allocation, AllocationKind, AllocationRequest } from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import { minMax } from '../../allocation/rounding.ts';
import { isGraphPath } from '../../graphs/open.ts';
import { savitzkyGolay } from '../../allocation/savitzkyGolay.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { exportTarget } from '../../export/targets.ts';
import type { ExportInput, ExportTarget } from '../../export/types.ts';
import { allocateResult, sourceLayers, type AllocateOptions } from './allocate.ts';
import { allocationSource } from './allocationSource.ts';
import type { AllocationSource } from './allocationSource.ts';
import { resultScores } from './resultScores.ts';
import { cannotWrite, makeFolders } from '../../files/writing.ts';
import { newestAllocation } from './sparsityMap.ts';
import { nth } from '../../lists/nth.ts';

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
  const { request } = options;
  const made = madeAllocation(options.resultFile, target, request);
  const resultFile = made?.resultFile ?? options.resultFile;
  const kind = made?.allocation.kind ?? request.kind ?? target.kinds[0];
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
  const source = allocationSource(resultFile);
  const scored = source.experiment.model.path;
  if (target.noGraphs !== undefined && isGraphPath(scored))
    throw new LayerifError(
      'badRequest',
      `target ${target.id}: ${target.noGraphs}, and ${scored} is an ONNX graph; score the folder or .gguf file that the graph was made from, or use --to csv or --to markdown`,
    );
  const { result } = source;
  const allocation =
    made?.allocation ??
    (kind === undefined ? null : await allocateResult({ ...options, request: { ...request, kind } }));
  if (!result && !allocation)
    throw new LayerifError(
      'badRequest',
      `${path.basename(resultFile)} holds no influence, which target ${target.id} takes: name a result *${RESULT_SUFFIX}`,
    );
  // Of scores alone what was allocated by stands in place of influence.
  const { scores, tasks } = result
    ? resultScores(
        result,
        resultFile,
        made?.allocation.provenance.tasks ?? options.tasks,
        made?.allocation.provenance.aggregation ?? request.aggregation,
      )
    : { scores: allocation!.layers.map(({ score }) => score ?? 0), tasks: [] };
  const normalised = minMax(scores.map(Math.abs));
  const smoothed = savitzkyGolay(normalised);
  const input: ExportInput = {
    model: modelPath(source),
    tasks,
    allocation,
    loraRank,
    loraScale: loraAlpha / loraRank,
    layers: sourceLayers(source, kind ?? 'sparsity').map(({ index, name, modules }, l) => ({
      index,
      name,
      score: nth(scores, l),
      normalised: nth(normalised, l),
      smoothed: nth(smoothed, l),
      modules: [...modules],
    })),
  };
  const base = path.basename(resultFile).replace(/(\.layerif-(result|scores))?\.json$/, '');
  const file = path.join(path.dirname(resultFile), exportName(target, base));
  return { content: target.make(input), file, notes: allocation?.notes ?? [] };
}

/** What is written by default: "tickets.csv" and "tickets.axolotl.yaml", each word once. */
export function exportName({ id, ending, fileName }: ExportTarget, base: string): string {
  if (fileName !== undefined) return path.join(`${base}.${id}`, fileName);
  return ending === `.${id}` || ending.startsWith(`.${id}.`) ? base + ending : `${base}.${id}${ending}`;
}

/** A model on this machine by its whole path, so that the file can be used from any folder; a hub id as it is. */
function modelPath({ experiment, experimentFile }: AllocationSource): string {
  const local = path.resolve(path.dirname(experimentFile), experiment.model.path);
  return fs.existsSync(local) ? local : experiment.model.path;
}

/**
 * The allocation that is exported as it was made, where the file that is named holds allocations.
 *
 * @throws LayerifError `badRequest` where it holds none that the target takes, and for options that would make another
 *   one
 */
function madeAllocation(
  file: string,
  target: ExportTarget,
  request: ExportOptions['request'],
): { allocation: Allocation; resultFile: string } | null {
  if (!file.endsWith(ALLOCATION_SUFFIX)) return null;
  const others = Object.entries(request).filter(([key, value]) => key !== 'kind' && value !== undefined);
  if (others.length > 0)
    throw new LayerifError(
      'badRequest',
      `${file} is exported as it was allocated, so ${others.map(([key]) => key).join(', ')} cannot be chosen; allocate again, or name the result`,
    );
  if (target.kinds.length === 0)
    throw new LayerifError(
      'badRequest',
      `target ${target.id} takes scores, no allocation: name the result, not ${file}`,
    );
  const allocation = newestAllocation(file, request.kind === undefined ? target.kinds : [request.kind]);
  const beside = file.slice(0, -ALLOCATION_SUFFIX.length) + RESULT_SUFFIX;
  return { allocation, resultFile: fs.existsSync(beside) ? beside : allocation.provenance.resultFile };
}

/** @throws LayerifError `cannotWrite` */
export function writeExport(content: string | Uint8Array, file: string): void {
  try {
    // A target with a folder of its own: that folder alone, not a whole path that a user mistyped.
    if (path.basename(file) === 'adapter_config.json' && fs.existsSync(path.dirname(path.dirname(file))))
      makeFolders(path.dirname(file));
    writeAtomically(file, [typeof content === 'string' ? Buffer.from(content) : content]);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}
