/**
 * From the word of `prune.map` to a sparsity for every matrix: one number for all, a list by layer, an allocation file,
 * or a rule that reads the scores of a result.
 */
import path from 'node:path';
import type { Allocation, AllocationKind } from '../../../../protocol/allocation.ts';
import { ALLOCATION_SUFFIX } from '../../../../protocol/allocation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { readFileOf } from '../files/readFile.ts';
import { directionSentence } from '../../../../protocol/direction.ts';
import type { PruningScores } from '../../../../protocol/pruning.ts';
import type { Architecture } from '../../models/types.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

export interface SparsityMap {
  /** For the report. */
  source: string;
  /** Share of the prunable weights. */
  ratio: number;
  /** Per layer, by module. */
  sparsity: Record<string, number>[];
  /** Where the map was made from scores. */
  scores?: PruningScores | undefined;
}

/** What an allocation was made from, for a report; undefined where its rule reads no scores. */
export function scoresBehind(allocation: Allocation): PruningScores | undefined {
  const direction = directionSentence(allocation);
  const { resultFile, tasks, estimator } = allocation.provenance;
  const { by } = allocation.settings;
  return direction === null
    ? undefined
    : { resultFile, tasks, estimator, ...(by === undefined ? {} : { score: by, notes: allocation.notes }), direction };
}

/** Of a layer's module; 0 where it stays as it is. */
export function sparsityOf({ sparsity }: SparsityMap, layer: number, module: string): number {
  return sparsity[layer]?.[module] ?? 0;
}

/**
 * Routers choose experts and have few weights; pruning them saves nothing (the pruners' authors leave them out too).
 */
const ROUTER = /(^|\.)(gate|router|shared_expert_gate)$/;

export function prunable(model: Architecture, layer: number): { name: string; weights: number }[] {
  return model
    .modules(layer)
    .filter(({ name }) => !ROUTER.test(name))
    .map(({ name, rows, columns }) => ({ name, weights: rows * columns }));
}

/** @param of sparsity of a layer's module. @throws LayerifError `badRequest` for a number outside 0 .. 1 */
export function sparsityMap(
  model: Architecture,
  source: string,
  of: (layer: number, module: string) => number,
): SparsityMap {
  let removed = 0;
  let total = 0;
  const sparsity = Array.from({ length: model.layers }, (_, layer) =>
    Object.fromEntries(
      prunable(model, layer).map(({ name, weights }) => {
        const value = of(layer, name);
        if (!(value >= 0 && value < 1)) {
          throw new LayerifError(
            'badRequest',
            `${source}: the sparsity of layer ${layer} is ${value}; it must be at least 0 and below 1`,
          );
        }
        removed += value * weights;
        total += weights;
        return [name, value];
      }),
    ),
  );
  return { source, ratio: removed / total, sparsity };
}

/** @throws LayerifError `badRequest` when there is not one number per layer */
export function mapOfList(model: Architecture, list: readonly number[], source: string): SparsityMap {
  if (list.length !== model.layers) {
    throw new LayerifError(
      'badRequest',
      `${source} has ${list.length} sparsities, the model has ${model.layers} layers`,
    );
  }
  return sparsityMap(model, source, (layer) => nth(list, layer));
}

/** @throws LayerifError `badRequest`: layers of another model */
export function mapOfAllocation(model: Architecture, allocation: Allocation, source: string): SparsityMap {
  const { layers, rule } = allocation;
  requireLayersOf(model, layers, source);
  const of = (layer: number, module: string): number =>
    nth(layers, layer).modules?.[module] ?? nth(layers, layer).value;
  const name = source === rule ? rule : `${rule} (${path.basename(source)})`;
  return { ...sparsityMap(model, name, of), scores: scoresBehind(allocation) };
}

/** @throws LayerifError `badRequest` when `layers` are not all layers of the model in their order */
export function requireLayersOf(
  model: Architecture,
  layers: readonly { index: number; name: string }[],
  source: string,
): void {
  const wrong = layers.find(
    ({ index, name }, i) => index !== i || index >= model.layers || model.layerName(index) !== name,
  );
  if (layers.length === model.layers && !wrong) return;
  throw new LayerifError(
    'badRequest',
    `${source} is for ${layers.length} layers${wrong ? ` with ${wrong.name}` : ''}, the model has ${model.layers}, the first is ${model.layerName(0)}; allocate from a result of this model, with all its layers scored`,
  );
}

/** The latest allocation among some kinds in a file. @throws LayerifError `badRequest` where it holds none of them */
export function newestAllocation(file: string, kinds: readonly AllocationKind[]): Allocation {
  const advice = `write one with: layerif allocate RESULT --kind ${kinds[0]}`;
  const held = readFileOf('allocation', file, advice).allocations;
  const [newest] = kinds
    .flatMap((kind) => lookup(held, kind) ?? [])
    .sort((a, b) => (a.provenance.date < b.provenance.date ? 1 : -1));
  if (newest) return newest;
  const have = Object.keys(held).join(', ') || 'nothing';
  throw new LayerifError('badRequest', `${file} holds ${have}, no allocation of ${kinds.join(' or ')}; ${advice}`);
}

/** The allocation of one kind in a file. @throws LayerifError `badRequest` */
export function readAllocation(file: string, kind: AllocationKind): Allocation {
  const advice = `write one with: layerif allocate RESULT --kind ${kind}`;
  const found = lookup(readFileOf('allocation', file, advice).allocations, kind);
  if (found) return found;
  throw new LayerifError(
    'badRequest',
    `${file} holds no allocation of ${kind}; ${advice} (it becomes NAME${ALLOCATION_SUFFIX})`,
  );
}
