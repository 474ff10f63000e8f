/** What reducers of gradients ask of one module, made of its captures once. */
import { addTo } from '../../linear/vectors.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { DealtSums } from './dealtSums.ts';
import type { CapturedMatrix } from './gradientReducer.ts';
import type { GradientSums } from './gradientSums.ts';
import { summedGradients } from './summedGradients.ts';
import type { EntrySums, SummedGradients } from './summedGradients.ts';
import type { WorkMemory } from './workMemory.ts';

/** Entries that are looked at together. */
const PART = 1 << 18;

/** What has been made of the same captures already. */
export interface KnownGradients {
  /** Squared norms of the texts' gradients. */
  squares?: Float64Array | undefined;
  /** Sums from the tiles of the Gram products. */
  dealt?: DealtSums | undefined;
}

export interface MatrixTools {
  sums: GradientSums;
  memory: WorkMemory;
  texts: number;
  /** As the model has it, [rows, columns]. */
  weight: () => Float32Array;
}

export function capturedMatrix(
  { layer, module, rows, columns, batches }: ModuleCaptures,
  { sums, memory, texts, weight }: MatrixTools,
  { squares, dealt }: KnownGradients,
): CapturedMatrix {
  const train = batches.filter(({ batch }) => batch.split === 'train');
  let weights: Float32Array | null = null;
  const ordered = () => (weights ??= dealt ? inOrder(weight(), dealt.order, memory) : weight());
  const kept = new Map<number, SummedGradients>();
  const summed = async (count: number): Promise<SummedGradients> => {
    const known = kept.get(count);
    if (known) return known;
    const ofTiles = dealt?.sums(count);
    const { total, parts } = ofTiles ? { total: dealt!.total, parts: ofTiles } : await formed(count);
    const found = summedGradients(ordered(), total, parts, count);
    kept.set(count, found);
    return found;
  };
  const formed = async (count: number): Promise<{ total: Float32Array; parts: EntrySums[] }> => {
    const size = rows * columns;
    const room = memory.floats(`sums of ${count}`, count * size);
    const place = (batch: number) => room.subarray(batch * size, (batch + 1) * size);
    const own = await sums.sums({ rows, columns }, train, count, place);
    return { total: addedUp(own, memory.floats('total', size)), parts: own.flatMap(cut) };
  };
  return {
    layer,
    module,
    place: (entry) => (dealt ? dealt.order[entry] : entry),
    weight: ordered,
    summed,
    countBelow: async (own, rests) => {
      const { rests: parts } = await summed(rests.length);
      return sums.countBelow(ordered(), own, parts, rests);
    },
    squaredNorms: async () => squares ?? (await sums.squaredNorms({ rows, columns }, train, texts)),
  };
}

function inOrder(values: Float32Array, order: Int32Array, memory: WorkMemory): Float32Array {
  const found = memory.floats('weight', order.length);
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]];
  return found;
}

/** Of one batch of texts, so that what is computed of a part takes little memory. */
function cut(sum: Float32Array, batch: number): EntrySums[] {
  return Array.from({ length: Math.ceil(sum.length / PART) }, (_, k) => {
    const sums = sum.subarray(k * PART, (k + 1) * PART);
    return { first: k * PART, width: sums.length, batch, sums };
  });
}

/** Added up in float64. */
function addedUp(sums: readonly Float32Array[], into: Float32Array): Float32Array {
  for (let start = 0; start < into.length; start += PART) {
    const sum = new Float64Array(Math.min(PART, into.length - start));
    for (const one of sums) addTo(sum, one.subarray(start, start + sum.length));
    into.set(sum, start);
  }
  return into;
}
