/** Bytes of a stream of chunks, as many as are asked for at a time. */
export class PulledBytes {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Whether a byte is left. */
  async more(): Promise<boolean> {
    return this.#fill(1);
  }

  /** @throws Error where fewer are left */
  async take(count: number): Promise<Buffer> {
    if (!(await this.#fill(count))) throw new Error('it ends too early');
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  /** The bytes that were taken last are to be taken again. */
  putBack(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held]);
  }

  /** Holds at least `count` bytes; false where fewer are left. */
  async #fill(count: number): Promise<boolean> {
    if (this.#held.length >= count) return true;
    const parts = [this.#held];
    let length = this.#held.length;
    while (length < count) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      parts.push(next.value);
      length += next.value.length;
    }
    this.#held = Buffer.concat(parts);
    return length >= count;
  }
}
