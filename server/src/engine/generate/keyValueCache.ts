/**
 * Keys and values of the tokens that a batch of texts has so far: per layer two arrays [B, kvHeads, slots, size]. Slot
 * p of a row is its token p, so rows of different lengths lie side by side without gaps; slots that a row does not fill
 * yet are zeros that masks hide. Arrays grow by pieces; graphs are fed with them whole.
 */
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';

/** Slots that arrays grow by; `run/generate/planGeneration.ts` counts them. */
const PIECE = 64;

export interface CacheShape {
  kvHeads: number;
  size: number;
}

interface Layer {
  keys: Tensor;
  values: Tensor;
}

export class KeyValueCache {
  readonly #shapes: readonly CacheShape[];
  readonly #layers: Layer[];
  /** Tokens of each row. */
  lengths: number[];
  slots: number;

  /** @param shapes per layer */
  constructor(shapes: readonly CacheShape[], rows: number) {
    this.#shapes = shapes;
    this.lengths = new Array<number>(rows).fill(0);
    this.slots = PIECE;
    this.#layers = shapes.map((shape) => ({ keys: this.#empty(shape), values: this.#empty(shape) }));
  }

  layer(index: number): Layer {
    return this.#layers[index];
  }

  /** Makes room for rows of so many tokens. */
  reserve(tokens: number): void {
    if (tokens <= this.slots) return;
    const old = this.slots;
    this.slots = PIECE * Math.ceil(tokens / PIECE);
    this.#rebuild(
      this.lengths.map((_, r) => r),
      old,
    );
  }

  /** Only these rows, in this order. */
  keep(rows: readonly number[]): void {
    const lengths = rows.map((r) => this.lengths[r]);
    this.#rebuild(rows, this.slots);
    this.lengths = lengths;
  }

  /** Adds what a run made of a layer: `own` [B, kvHeads, width, size], of which a row has `counts` tokens. */
  append(index: number, own: Layer, counts: readonly number[]): void {
    const { kvHeads, size } = this.#shapes[index];
    for (const what of ['keys', 'values'] as const) {
      const to = numbers(this.#layers[index][what]);
      const from = numbers(own[what]);
      const width = own[what].dims[2];
      counts.forEach((count, r) => {
        for (let head = 0; head < kvHeads && count > 0; head++) {
          const at = (r * kvHeads + head) * width * size;
          to.set(from.subarray(at, at + count * size), ((r * kvHeads + head) * this.slots + this.lengths[r]) * size);
        }
      });
    }
  }

  /** Once all layers have their part. */
  advance(counts: readonly number[]): void {
    this.lengths = this.lengths.map((length, r) => length + counts[r]);
  }

  #rebuild(rows: readonly number[], oldSlots: number): void {
    // One layer after the other, so that two copies of one layer are the most there is.
    this.#layers.forEach((layer, index) => {
      const shape = this.#shapes[index];
      const moved = (old: Tensor): Tensor => {
        const made = this.#empty(shape, rows.length);
        const [to, from] = [numbers(made), numbers(old)];
        rows.forEach((row, r) => {
          for (let head = 0; head < shape.kvHeads; head++) {
            const at = (row * shape.kvHeads + head) * oldSlots * shape.size;
            const filled = from.subarray(at, at + this.lengths[row] * shape.size);
            to.set(filled, (r * shape.kvHeads + head) * this.slots * shape.size);
          }
        });
        return made;
      };
      this.#layers[index] = { keys: moved(layer.keys), values: moved(layer.values) };
    });
  }

  #empty({ kvHeads, size }: CacheShape, rows = this.lengths.length): Tensor {
    return floats(new Float32Array(rows * kvHeads * this.slots * size), [rows, kvHeads, this.slots, size]);
  }
}
