/** What reducers of gradients ask of one module, made of its captures once: sums and norms, and the weight beside them. */
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { DealtSums } from './dealtSums.ts';
import type { CapturedMatrix } from './gradientReducer.ts';
import type { GradientSums } from './gradientSums.ts';
import { summedGradients } from './summedGradients.ts';
import type { SummedGradients } from './summedGradients.ts';
import type { WorkMemory } from './workMemory.ts';

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
  const parts = batches.filter(({ batch }) => batch.split === 'train');
  let weights: Float32Array | null = null;
  const ordered = () => (weights ??= dealt ? inOrder(weight(), dealt.order, memory) : weight());
  const kept = new Map<number, SummedGradients>();
  const summed = async (count: number): Promise<SummedGradients> => {
    const known = dealt?.sums(count);
    if (known) return summedGradients(ordered(), known, count, dealt!.total);
    const size = rows * columns;
    const room = memory.floats(`sums of ${count}`, count * size);
    const own = await sums.sums({ rows, columns }, parts, count, (b) => room.subarray(b * size, (b + 1) * size));
    return summedGradients(ordered(), [{ first: 0, sums: own }], count);
  };
  return {
    layer,
    module,
    place: (entry) => (dealt ? dealt.order[entry] : entry),
    weight: ordered,
    summed: async (count) => {
      const found = kept.get(count) ?? (await summed(count));
      kept.set(count, found);
      return found;
    },
    squaredNorms: async () => squares ?? (await sums.squaredNorms({ rows, columns }, parts, texts)),
  };
}

function inOrder(values: Float32Array, order: Int32Array, memory: WorkMemory): Float32Array {
  const found = memory.floats('weight', order.length);
  for (let i = 0; i < order.length; i++) found[i] = values[order[i]];
  return found;
}
