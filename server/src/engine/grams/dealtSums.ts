/**
 * Gradients summed over batches of texts, taken from the tiles that Gram products form anyway: one product of a matrix
 * of zeros and ones with each tile, so that no gradient is formed a second time. Entries lie in the order of the tiles.
 */
import type { Batch } from '../sweep/batch.ts';
import { floats } from '../runtime/runtime.ts';
import type { Session, Tensor } from '../runtime/runtime.ts';
import type { GradientTile } from './gradientTiles.ts';
import type { EntrySums } from './summedGradients.ts';
import type { WorkMemory } from './workMemory.ts';

export class DealtSums {
  /** Place of each entry in the weight [rows, columns]. */
  readonly order: Int32Array;
  /** Over all texts. */
  readonly total: Float32Array;
  readonly #columns: number;
  readonly #product: Session;
  readonly #counts: readonly number[];
  /** [sums, samples]: one where the sample belongs to the batch of texts; the first row is all texts. */
  readonly #dealt: Tensor;
  readonly #sums: Float32Array;
  readonly #parts = new Map<number, EntrySums[]>();
  #filled = 0;

  /**
   * @param product `dealt` and `gradients` -> `sums`
   * @param counts numbers of batches of texts; text i is in batch i mod count
   * @param batches in the order of the tiles' samples; those of the training split are summed
   * @param memory what was made in it before is lost
   */
  constructor(
    product: Session,
    { rows, columns }: { rows: number; columns: number },
    counts: readonly number[],
    batches: readonly Batch[],
    memory: WorkMemory,
  ) {
    this.#columns = columns;
    this.#product = product;
    this.#counts = counts;
    const texts = batches.flatMap(({ split, samples }) => samples.map((text) => (split === 'train' ? text : -1)));
    const sums = [1, ...counts].flatMap((count) => Array.from({ length: count }, (_, b) => ({ count, b })));
    const chosen = sums.flatMap(({ count, b }) => texts.map((text) => Number(text >= 0 && text % count === b)));
    this.#dealt = floats(Float32Array.from(chosen), [sums.length, texts.length]);
    this.order = memory.places(rows * columns);
    this.total = memory.floats('total', rows * columns);
    this.#sums = memory.floats('sums', sums.length * rows * columns);
    for (const count of counts) this.#parts.set(count, []);
  }

  /** Adds a tile of all samples. */
  async see({ gradients, byColumns, outer, inner }: GradientTile): Promise<void> {
    const [sums, samples] = this.#dealt.dims;
    const width = gradients.length / samples;
    const first = this.#filled;
    const all = this.#sums.subarray(sums * first, sums * (first + width));
    await this.#product.run(
      { dealt: this.#dealt, gradients: floats(gradients, [samples, width]) },
      { sums: floats(all, [sums, width]) },
    );
    this.total.set(all.subarray(0, width), first);
    let at = 1;
    for (const count of this.#counts) {
      const own = all.subarray(at * width, (at + count) * width);
      this.#parts.get(count)!.push({ first, width, batch: 0, sums: own });
      at += count;
    }
    const [step, next] = byColumns ? [this.#columns, 1] : [1, this.#columns];
    for (let o = outer[0]; o < outer[1]; o++) {
      for (let i = inner[0]; i < inner[1]; i++) this.order[this.#filled++] = o * next + i * step;
    }
  }

  /** Over each batch of texts. */
  sums(count: number): readonly EntrySums[] | null {
    return this.#parts.get(count) ?? null;
  }

  /** Whether there were tiles. */
  get complete(): boolean {
    return this.#filled === this.order.length;
  }
}
