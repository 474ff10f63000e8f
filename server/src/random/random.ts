/**
 * Seeded random numbers, the same on every platform: xoroshiro128+ of the package pure-rand. Everything random in the
 * product (projections, bootstrap, permutations, subsets, initial LoRA weights) comes from here, with a seed that the
 * result names.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export class Random {
  readonly #generator;
  #spare: number | null = null;

  /**
   * @param seed any safe integer
   * @param stream tells apart the uses of one seed ("bootstrap", "model.layers.3 self_attn.q_proj"), so that they are
   *   independent
   */
  constructor(seed: number, stream = '') {
    this.#generator = xoroshiro128plus(mix(seed, stream));
  }

  /** In [0, 1), 53 bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** In 0 .. below - 1. */
  integer(below: number): number {
    return uniformInt(this.#generator, 0, below - 1);
  }

  /** Standard normal (Box & Muller 1958). */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** 0 .. count - 1 in random order (Fisher & Yates). */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /** `size` different ones of 0 .. count - 1, ascending. */
  subset(count: number, size: number): number[] {
    return this.permutation(count)
      .slice(0, size)
      .sort((a, b) => a - b);
  }
}

/** FNV-1a over the seed and the stream's name, 32 bits. */
function mix(seed: number, stream: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${stream}`) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return hash | 0;
}
