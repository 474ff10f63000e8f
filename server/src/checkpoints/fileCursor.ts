/** Reads a file's header front to back. Nothing is allocated for bytes that the file does not have. */
import type { ByteSource } from '../files/byteSource.ts';
import { isPrintable } from './printable.ts';

const WINDOW = 1 << 20;
/** No header field of a real model comes near; JavaScript's longest string is not much longer. */
const LONGEST = 1 << 28;
/** Of a name; llama.cpp keeps them below 128. */
const LONGEST_NAME = 1024;

export class FileCursor {
  readonly #source: ByteSource;
  readonly #fail: (what: string) => never;
  readonly size: number;
  /** Byte offset of what is read next. */
  at = 0;
  #window = Buffer.alloc(0);
  #windowStart = 0;

  /** @param fail throws with the file's name before the text */
  constructor(source: ByteSource, fail: (what: string) => never) {
    this.#source = source;
    this.#fail = fail;
    this.size = source.size;
  }

  get left(): number {
    return this.size - this.at;
  }

  /** The next `length` bytes, valid until the next call. @param what is read, for the error */
  bytes(length: number, what: string): Buffer {
    if (length > this.left) {
      this.#fail(
        `${what} at byte ${this.at} takes ${length} bytes, the file has ${this.left} more (truncated or damaged)`,
      );
    }
    if (length > LONGEST)
      this.#fail(`${what} at byte ${this.at} takes ${length} bytes, more than any model's (damaged)`);
    const from = this.at - this.#windowStart;
    if (from < 0 || from + length > this.#window.length) return this.#refill(length, what);
    this.at += length;
    return this.#window.subarray(from, from + length);
  }

  u32(what: string): number {
    return this.bytes(4, what).readUInt32LE();
  }

  /** Bytes that are not looked at. */
  skip(length: number, what: string): void {
    if (length > this.left)
      this.#fail(
        `${what} at byte ${this.at} takes ${length} bytes, the file has ${this.left} more (truncated or damaged)`,
      );
    this.at += length;
  }

  /** So many texts that are not looked at, each with its length before it. */
  skipTexts(count: number, what: string): void {
    for (let i = 0; i < count; i++) {
      const length = this.bytes(8, what);
      this.skip(length.readUInt32LE(0) + length.readUInt32LE(4) * 2 ** 32, what);
    }
  }

  /** Base 128, lowest digits first, as in protobuf; what lies above 2^53 loses its last digits. */
  varint(what: string): number {
    let value = 0;
    for (let place = 0; place < 10; place++) {
      const byte = this.bytes(1, what).readUInt8();
      value += (byte & 127) * 2 ** (7 * place);
      if (byte < 128) return value;
    }
    return this.#fail(`${what} before byte ${this.at} has no end (damaged)`);
  }

  /** An unsigned 64-bit count; anything above the file's size is a damage. */
  count(what: string): number {
    const at = this.at;
    const value = this.bytes(8, what).readBigUInt64LE();
    if (value > BigInt(this.size))
      this.#fail(`${what} at byte ${at} is ${value}, the file has ${this.size} bytes (damaged)`);
    return Number(value);
  }

  /** UTF-8 with a 64-bit length before it. */
  text(what: string): string {
    return this.bytes(this.count(`the length of ${what}`), what).toString('utf8');
  }

  /** A short text that will be repeated in messages. */
  name(what: string): string {
    const at = this.at;
    const name = this.text(what);
    if (name.length > LONGEST_NAME || !isPrintable(name)) {
      this.#fail(`${what} at byte ${at} has ${name.length} characters or some that cannot be shown (damaged)`);
    }
    return name;
  }

  #refill(length: number, what: string): Buffer {
    const window = Buffer.alloc(Math.min(Math.max(length, WINDOW), this.left));
    const got = this.#source.read(window, this.at);
    if (got < length) this.#fail(`${what} at byte ${this.at} could not be read; the file changed meanwhile`);
    this.#window = window.subarray(0, got);
    this.#windowStart = this.at;
    this.at += length;
    return this.#window.subarray(0, length);
  }
}
