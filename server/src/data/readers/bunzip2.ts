/**
 * bzip2, block by block: at most 900 kB, out of which 46 MB may come. Streams stand one after the other, as parallel
 * programs write them.
 */
import bitIterator from 'unbzip2-stream/lib/bit_iterator.js';
import bzip2 from 'unbzip2-stream/lib/bzip2.js';

/** Stored bytes of a block are at most this much more than its size. */
const BEYOND_BLOCK_BYTES = 25_000;
const OUT_BYTES = 1 << 18;

/** @throws Error for bytes that are no such file */
export async function* bunzip2(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let received = 0;
  /** Whether a byte is left; holds `count` of them where there are as many. */
  const ahead = async (count: number): Promise<boolean> => {
    while (received - used() < count) {
      const next = await chunks.next();
      if (next.done === true) break;
      if (next.value.length > 0) held.push(next.value);
      received += next.value.length;
    }
    return received > used();
  };
  const nextChunk = (): Buffer => {
    const next = held.shift();
    if (next === undefined) throw new Error('it ends too early');
    return next;
  };
  let bits: ReturnType<typeof bitIterator> | undefined;
  const used = (): number => bits?.bytesRead ?? 0;
  while (await ahead(4)) {
    bits ??= bitIterator(nextChunk);
    const size = 100_000 * header(bits);
    const buffer = new Int32Array(size);
    for (let checksum: number | null = 0; ;) {
      await ahead(size + BEYOND_BLOCK_BYTES);
      const out = new Pieces();
      checksum = block(bits, out, buffer, checksum);
      if (checksum === null) break;
      yield* out.all();
    }
  }
}

/** The block size in 100 kB. */
function header(bits: ReturnType<typeof bitIterator>): number {
  try {
    return bzip2.header(bits);
  } catch (error) {
    throw own(error, 'no stream begins where one should');
  }
}

function block(bits: ReturnType<typeof bitIterator>, out: Pieces, buffer: Int32Array, checksum: number): number | null {
  try {
    return bzip2.decompress(bits, (byte) => out.push(byte), buffer, buffer.length, checksum);
  } catch (error) {
    throw own(error, 'a block of it is damaged');
  }
}

/** What the package says is of no use to anyone. */
function own(error: unknown, message: string): unknown {
  return error instanceof bzip2.Bzip2Error ? new Error(message, { cause: error }) : error;
}

/** Bytes that come one by one. */
class Pieces {
  readonly #full: Buffer[] = [];
  #last = Buffer.allocUnsafe(OUT_BYTES);
  #length = 0;

  push(byte: number): void {
    if (this.#length === OUT_BYTES) {
      this.#full.push(this.#last);
      this.#last = Buffer.allocUnsafe(OUT_BYTES);
      this.#length = 0;
    }
    this.#last[this.#length++] = byte;
  }

  all(): Buffer[] {
    return [...this.#full, this.#last.subarray(0, this.#length)];
  }
}
