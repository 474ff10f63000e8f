/** The parts of `unbzip2-stream` that decode: its stream keeps what comes out in lists of numbers. */
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  interface Bits {
    /** The next bits as a number; null: on to the next whole byte. */
    (count: number | null): number;
    bytesRead: number;
  }
  /** @param next chunks that are not empty */
  function bitIterator(next: () => Uint8Array): Bits;
  export = bitIterator;
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type bitIterator from 'unbzip2-stream/lib/bit_iterator.js';
  const bzip2: {
    Bzip2Error: new (message: string) => Error;
    /** The block size in 100 kB. */
    header(bits: ReturnType<typeof bitIterator>): number;
    /** The stream's checksum up to this block; null: its end. */
    decompress(
      bits: ReturnType<typeof bitIterator>,
      push: (byte: number) => void,
      buffer: Int32Array,
      size: number,
      checksum: number,
    ): number | null;
  };
  export = bzip2;
}
