/**
 * Python's `random.Random(seed)`, for choices that must be those of a Python program: Mersenne Twister MT19937
 * (Matsumoto & Nishimura 1998), seeded by `init_by_array`, and `sample` as in CPython 3.11. Everything else that is
 * random here comes from `random.ts`.
 */

const LENGTH = 624;
const SHIFT = 397;

export class PythonRandom {
  readonly #state = new Uint32Array(LENGTH);
  #index = LENGTH;

  /** @param seed a whole number from 0 to 2^53 */
  constructor(seed: number) {
    const key = [seed >>> 0];
    if (seed > 0xffffffff) key.push(Math.floor(seed / 2 ** 32));
    this.#seed(19650218);
    const state = this.#state;
    let [i, j] = [1, 0];
    const wrap = (): void => {
      if (++i < LENGTH) return;
      state[0] = state[LENGTH - 1];
      i = 1;
    };
    for (let k = LENGTH; k > 0; k--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1664525)) + key[j] + j;
      wrap();
      j = (j + 1) % key.length;
    }
    for (let k = LENGTH - 1; k > 0; k--) {
      state[i] = (state[i] ^ Math.imul(state[i - 1] ^ (state[i - 1] >>> 30), 1566083941)) - i;
      wrap();
    }
    state[0] = 0x80000000;
  }

  /** `sample(range(count), size)`: different indices in the order drawn. @throws RangeError for more than there are */
  sample(count: number, size: number): number[] {
    if (size < 0 || size > count) throw new RangeError(`a sample of ${size} out of ${count}`);
    const sets = 21 + (size > 5 ? 4 ** Math.ceil(Math.log(size * 3) / Math.log(4)) : 0);
    if (count <= sets) {
      const pool = Array.from({ length: count }, (_, i) => i);
      return Array.from({ length: size }, (_, i) => {
        const j = this.below(count - i);
        const drawn = pool[j];
        pool[j] = pool[count - i - 1];
        return drawn;
      });
    }
    const drawn = new Set<number>();
    while (drawn.size < size) drawn.add(this.below(count));
    return [...drawn];
  }

  /** 0 .. count - 1, without bias: bits are drawn until they are small enough. @param count at most 2^32 - 1 */
  below(count: number): number {
    const bits = 32 - Math.clz32(count);
    for (;;) {
      const value = this.#next() >>> (32 - bits);
      if (value < count) return value;
    }
  }

  #seed(seed: number): void {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < LENGTH; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }

  /** 32 bits. */
  #next(): number {
    if (this.#index >= LENGTH) this.#twist();
    let y = this.#state[this.#index++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < LENGTH; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }
}
