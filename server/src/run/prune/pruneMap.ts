/**
 * Which sparsity every matrix gets, or which layers go: from a number, a list, an allocation file, or a rule over
 * scores.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { PruningScores } from '../../../../protocol/pruning.ts';
import type { Allocation } from '../../../../protocol/allocation.ts';
import { allocateResult } from '../decide/allocate.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { requireNone } from '../inputs/refusals.ts';
import { dropRefusals } from '../inputs/supported.ts';
import type { PruneInput, PruneOptions } from '../inputs/pruneInput.ts';
import { experimentName, readResult, resultFiles } from '../files/results.ts';
import { readFileOf } from '../files/readFile.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import { allocationSource } from '../decide/allocationSource.ts';
import {
  mapOfAllocation,
  mapOfList,
  readAllocation,
  requireLayersOf,
  scoresBehind,
  sparsityMap,
} from '../decide/sparsityMap.ts';
import type { SparsityMap } from '../decide/sparsityMap.ts';

type Options = Pick<PruneOptions, 'resultFile' | 'task' | 'machine' | 'onProgress' | 'signal'>;

/** @throws LayerifError `badRequest` */
export async function resolveMap(
  input: PruneInput,
  options: Options,
  pool: EnginePool | undefined,
): Promise<SparsityMap> {
  const { model, asked, baseDir } = input;
  requireResultRead(asked, options.resultFile);
  if (Array.isArray(asked.map)) return mapOfList(model, asked.map, 'prune.map');
  if (asked.map === 'uniform') return sparsityMap(model, 'uniform', () => asked.sparsity);
  if (asked.map.endsWith('.json')) {
    const file = path.resolve(baseDir, asked.map);
    return mapOfAllocation(model, readAllocation(file, 'sparsity'), file);
  }
  const resultFile = options.resultFile ?? findScored(input);
  const allocation = await allocated(
    input,
    options,
    resultFile,
    {
      kind: 'sparsity',
      rule: asked.map,
      by: asked.by,
      ratio: asked.sparsity,
      structure: 'unstructured',
      unit: 'block',
    },
    pool,
  );
  return mapOfAllocation(model, allocation, asked.map);
}

/** Where the scores lie that a map reads. */
function findScored(input: PruneInput): string {
  const { map, by } = input.asked;
  const rule = typeof map === 'string' ? map : 'prune.map';
  if (by === undefined) return findResult(input, `the map ${rule}`);
  return findScores(input) ?? findResult(input, `the score ${by}`);
}

/** Layers to leave out, ascending. @throws LayerifError `badRequest` */
export async function layersToDrop(
  input: PruneInput,
  options: Options,
): Promise<{ dropped: number[]; source: string; scores: PruningScores | undefined }> {
  const { model, asked, baseDir } = input;
  requireNone(dropRefusals, { structure: 'layers', ...asked }, 'prune');
  const map = asked.map as string;
  const isFile = map.endsWith('.json');
  requireResultRead(asked, options.resultFile);
  const file = path.resolve(baseDir, map);
  const allocation = isFile
    ? readAllocation(file, 'drop')
    : await allocated(
        input,
        options,
        options.resultFile ?? findScored(input),
        {
          kind: 'drop',
          rule: map,
          by: asked.by,
          count: Math.round(asked.sparsity * model.layers),
        },
        undefined,
      );
  requireLayersOf(model, allocation.layers, isFile ? file : map);
  const dropped = allocation.layers.filter(({ value }) => value === 1).map(({ index }) => index);
  if (dropped.length === 0 || dropped.length >= model.layers) {
    throw new LayerifError(
      'badRequest',
      `${dropped.length} of ${model.layers} layers would be left out; choose a sparsity that leaves out at least one and keeps one`,
    );
  }
  const source = isFile ? `${allocation.rule} (${path.basename(file)})` : (asked.by ?? map);
  return { dropped, source, scores: scoresBehind(allocation) };
}

/** A result and a score that are named must be read. @throws LayerifError `badRequest` */
function requireResultRead({ map, by }: PruneInput['asked'], resultFile: string | undefined): void {
  if (typeof map === 'string' && map !== 'uniform' && !map.endsWith('.json')) return;
  if (resultFile === undefined && by === undefined) return;
  const which = typeof map !== 'string' ? 'of prune.map, a list,' : map === 'uniform' ? 'uniform' : `file ${map}`;
  throw new LayerifError(
    'badRequest',
    `${resultFile === undefined ? `the score ${by}` : `--result ${resultFile}`} would not be read: the map ${which} needs no scores; name a rule with --map, such as --map layerif`,
  );
}

interface Request {
  kind: 'sparsity' | 'drop';
  rule: string;
  by?: string | undefined;
  ratio?: number;
  count?: number;
  structure?: string;
  unit?: 'block';
}

/**
 * What a map is refused for that is known before its scores are read.
 * @throws LayerifError `badRequest`; `MissingResult` where they are not computed yet
 */
export async function foreseenMap(input: PruneInput, machine: PruneOptions['machine']): Promise<void> {
  const { structure, asked } = input;
  const { map } = asked;
  const dropping = structure === 'layers';
  if (typeof map !== 'string' || map === 'uniform' || map.endsWith('.json'))
    return void (dropping ? await layersToDrop(input, { machine }) : await resolveMap(input, { machine }, undefined));
  requireModelOf(input, findScored(input));
}

function requireModelOf({ checkpoint }: PruneInput, resultFile: string): void {
  const { model } = allocationSource(resultFile);
  if (model.name === checkpoint.name) return;
  throw new LayerifError(
    'badRequest',
    `${resultFile} holds scores of ${model.name}, the model to prune is ${checkpoint.name}; give another result with --result`,
  );
}

function allocated(
  input: PruneInput,
  { task, machine, onProgress, signal }: Options,
  resultFile: string,
  request: Request,
  engine: EnginePool | undefined,
): Promise<Allocation> {
  requireModelOf(input, resultFile);
  return allocateResult({
    resultFile,
    tasks: task === undefined ? undefined : [task],
    request,
    machine,
    engine,
    onProgress,
    signal,
  });
}

/** The newest file of scores of the experiment that has the score; that of a result is named as the result. */
function findScores({ file, baseDir, experiment, asked: { by } }: PruneInput): string | undefined {
  const name = experimentName(file);
  return resultFiles(path.resolve(baseDir, experiment.output_dir), name, SCORES_SUFFIX).find((found) => {
    try {
      return readFileOf('scores', found).tables.some(({ score }) => score === by);
    } catch {
      return false; // a damaged file has no scores
    }
  });
}

/** Scores that a job reads and that are not computed yet. */
export class MissingResult extends LayerifError {
  constructor(message: string) {
    super('badRequest', message);
    this.name = 'MissingResult';
  }
}

/**
 * The newest complete result of the experiment.
 * @param what reads it, for the message
 * @throws LayerifError `badRequest` when there is none
 */
export function findResult(
  { file, baseDir, experiment }: Pick<PruneInput, 'file' | 'baseDir' | 'experiment'>,
  what: string,
): string {
  const folder = path.resolve(baseDir, experiment.output_dir);
  const complete = resultFiles(folder, experimentName(file)).find((name) => {
    try {
      return readResult(name).status === 'complete';
    } catch {
      return false; // an unreadable file has no scores
    }
  });
  if (complete !== undefined) return complete;
  throw new MissingResult(
    `${what} reads a result, and ${folder} holds no complete one of ${experimentName(file)}; run first: layerif score ${file}`,
  );
}
