/**
 * Memory that one matrix after another uses, by what lies in it: large arrays that are made anew for each cost as much
 * as what is computed in them.
 */
export class WorkMemory {
  readonly #floats = new Map<string, Float32Array>();
  #places = new Int32Array(0);

  /** With whatever the last one has left in it. */
  floats(name: string, size: number): Float32Array {
    let known = this.#floats.get(name);
    if (!known || known.length < size) this.#floats.set(name, (known = new Float32Array(size)));
    return known.subarray(0, size);
  }

  places(size: number): Int32Array {
    if (this.#places.length < size) this.#places = new Int32Array(size);
    return this.#places.subarray(0, size);
  }
}
