/** Which sparsity every matrix gets, or which layers go: from a number, a list, an allocation file, or a rule over scores. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { EnginePool } from './enginePool.ts';
import type { PruneOptions } from './prune.ts';
import type { PruneInput } from './pruneInput.ts';
import { mapOfAllocation, mapOfList, readAllocation, requireLayersOf, sparsityMap } from './sparsityMap.ts';
import type { SparsityMap } from './sparsityMap.ts';

type Options = Pick<PruneOptions, 'resultFile' | 'task' | 'machine' | 'onProgress' | 'signal'>;

/** @throws LayerifError `badRequest` */
export async function resolveMap(input: PruneInput, options: Options, pool: EnginePool): Promise<SparsityMap> {
  const { model, asked, baseDir } = input;
  if (Array.isArray(asked.map)) return mapOfList(model, asked.map, 'prune.map');
  if (asked.map === 'uniform') return sparsityMap(model, 'uniform', () => asked.sparsity);
  if (asked.map.endsWith('.json')) {
    const file = path.resolve(baseDir, asked.map);
    return mapOfAllocation(model, readAllocation(file, 'sparsity'), file);
  }
  throw new LayerifError('badRequest', 'rule');
}

/** Layers to leave out, ascending. @throws LayerifError `badRequest` */
export async function layersToDrop(
  input: PruneInput,
  options: Options,
): Promise<{ dropped: number[]; source: string }> {
  const { model, asked, baseDir } = input;
  if (typeof asked.map === 'string' && asked.map.endsWith('.json')) {
    const file = path.resolve(baseDir, asked.map);
    const { layers, rule } = readAllocation(file, 'drop');
    requireLayersOf(model, layers, file);
    const dropped = layers.filter(({ value }) => value === 1).map(({ index }) => index);
    return { dropped, source: `${rule} (${path.basename(file)})` };
  }
  throw new LayerifError('badRequest', 'rule');
}
