/**
 * LZMA as chunks of LZMA2 hold it (7-Zip's LZMA SDK, lzma-specification.txt): a range coder over adaptive bits, which
 * tells literals and copies of earlier bytes. One chunk is decoded at a time, at most 2 MiB of text.
 */

/** Adaptive bits have 11 bits of probability and move by a 32nd. */
const PROBABILITY_BITS = 11;
const MOVE_BITS = 5;
const EVEN = 1 << (PROBABILITY_BITS - 1);
const TOP = 2 ** 24;

const STATES = 12;
/** States below this follow a literal. */
const LITERAL_STATES = 7;
const LENGTH_STATES = 4;
const SLOT_BITS = 6;
const ALIGN_BITS = 4;
/** Distances from this slot on have direct bits. */
const FIRST_DIRECT_SLOT = 14;
const SHORTEST_MATCH = 2;
/** Text of a chunk, as LZMA2 bounds it. */
const LARGEST_CHUNK = 2 ** 21;

const bits = (count: number): Uint16Array => new Uint16Array(count).fill(EVEN);

/** Lengths of copies: 2 to 9, 10 to 17, 18 to 273. */
interface Lengths {
  choice: Uint16Array;
  low: Uint16Array;
  middle: Uint16Array;
  high: Uint16Array;
}
const lengths = (): Lengths => ({ choice: bits(2), low: bits(16 << 3), middle: bits(16 << 3), high: bits(256) });

export class Lzma {
  readonly #dictionary: number;
  /** Earlier bytes, the chunk that is decoded behind them; grows with the text. */
  #window: Buffer;
  #at = 0;
  /** Of the byte at 0 of the window, counted from the begin of the dictionary. */
  #base = 0;

  #literalContext = 0;
  #literalPosition = 0;
  #positionMask = 0;

  #state = 0;
  /** Distances of the last four copies, from 0. */
  #last = new Uint32Array(4);
  #literals = bits(0);
  #isMatch = bits(0);
  #isRepeat = bits(0);
  #isRepeat0 = bits(0);
  #isRepeat1 = bits(0);
  #isRepeat2 = bits(0);
  #isRepeat0Long = bits(0);
  #slots = bits(0);
  #special = bits(0);
  #align = bits(0);
  #matchLengths = lengths();
  #repeatLengths = lengths();

  #input: Buffer = Buffer.alloc(0);
  #next = 0;
  #range = 0;
  #code = 0;

  /** @param dictionary how many bytes back a copy may begin */
  constructor(dictionary: number) {
    this.#dictionary = dictionary;
    this.#window = Buffer.alloc(0);
  }

  /** Forgets all earlier bytes. */
  resetDictionary(): void {
    this.#base = -this.#at;
  }

  /**
   * @param packed literal context bits, literal position bits and position bits as LZMA packs them
   * @throws Error for a byte that packs none, or more than LZMA2 allows
   */
  setProperties(packed: number): void {
    const positionBits = Math.floor(packed / 45);
    this.#literalPosition = Math.floor(packed / 9) % 5;
    this.#literalContext = packed % 9;
    if (positionBits > 4 || this.#literalContext + this.#literalPosition > 4)
      throw new Error('its properties are none');
    this.#positionMask = 2 ** positionBits - 1;
  }

  resetState(): void {
    this.#state = 0;
    this.#last = new Uint32Array(4);
    this.#literals = bits(0x300 << (this.#literalContext + this.#literalPosition));
    this.#isMatch = bits(STATES << 4);
    this.#isRepeat = bits(STATES);
    this.#isRepeat0 = bits(STATES);
    this.#isRepeat1 = bits(STATES);
    this.#isRepeat2 = bits(STATES);
    this.#isRepeat0Long = bits(STATES << 4);
    this.#slots = bits(LENGTH_STATES << SLOT_BITS);
    this.#special = bits(128);
    this.#align = bits(1 << ALIGN_BITS);
    this.#matchLengths = lengths();
    this.#repeatLengths = lengths();
  }

  /** Bytes that stand as they are. */
  stored(bytes: Buffer): Buffer {
    this.#makeRoom(bytes.length);
    bytes.copy(this.#window, this.#at);
    this.#at += bytes.length;
    return Buffer.from(bytes);
  }

  /**
   * @param input a whole chunk
   * @param size bytes of its text
   * @throws Error for bytes that are no such chunk
   */
  decode(input: Buffer, size: number): Buffer {
    this.#makeRoom(size);
    this.#input = input;
    this.#next = 5;
    this.#range = 0xffffffff;
    this.#code = input.readUInt32BE(1);
    if (input[0] !== 0) throw new Error('a chunk does not begin with 0');
    const start = this.#at;
    const end = start + size;
    while (this.#at < end) this.#symbol(end);
    this.#normalize();
    if (this.#code !== 0 || this.#next !== input.length) throw new Error('a chunk does not end where it says');
    return Buffer.from(this.#window.subarray(start, end));
  }

  #makeRoom(size: number): void {
    const needed = this.#at + size;
    if (needed <= this.#window.length) return;
    const largest = this.#dictionary + 2 * LARGEST_CHUNK;
    if (needed <= largest) {
      const grown = Buffer.allocUnsafe(Math.min(largest, Math.max(2 * needed, 1 << 16)));
      this.#window.copy(grown, 0, 0, this.#at);
      this.#window = grown;
      return;
    }
    const kept = Math.min(this.#at, this.#dictionary);
    const moved = this.#at - kept;
    this.#window.copyWithin(0, moved, this.#at);
    this.#at = kept;
    this.#base += moved;
  }

  #symbol(end: number): void {
    const place = (this.#at + this.#base) & this.#positionMask;
    const state = this.#state;
    if (this.#bit(this.#isMatch, (state << 4) + place) === 0) {
      this.#literal();
      return;
    }
    let length: number;
    if (this.#bit(this.#isRepeat, state) === 0) {
      this.#last.copyWithin(1, 0, 3);
      length = this.#length(this.#matchLengths, place);
      this.#state = state < LITERAL_STATES ? 7 : 10;
      this.#last[0] = this.#distance(length);
    } else {
      if (this.#bit(this.#isRepeat0, state) === 0) {
        if (this.#bit(this.#isRepeat0Long, (state << 4) + place) === 0) {
          this.#state = state < LITERAL_STATES ? 9 : 11;
          this.#copy(1, end);
          return;
        }
      } else {
        const which = this.#bit(this.#isRepeat1, state) === 0 ? 1 : this.#bit(this.#isRepeat2, state) === 0 ? 2 : 3;
        const distance = this.#last[which];
        this.#last.copyWithin(1, 0, which);
        this.#last[0] = distance;
      }
      length = this.#length(this.#repeatLengths, place);
      this.#state = state < LITERAL_STATES ? 8 : 11;
    }
    this.#copy(length, end);
  }

  #literal(): void {
    const before = this.#at + this.#base > 0 ? this.#window[this.#at - 1] : 0;
    const position = (this.#at + this.#base) & ((1 << this.#literalPosition) - 1);
    const context = (position << this.#literalContext) + (before >> (8 - this.#literalContext));
    const base = 0x300 * context;
    let symbol = 1;
    if (this.#state >= LITERAL_STATES) {
      let match = this.#window[this.#earlier()];
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match = (match << 1) & 0xff;
        const bit = this.#bit(this.#literals, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(this.#literals, base + symbol);
    this.#window[this.#at++] = symbol & 0xff;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Where the last distance points to. */
  #earlier(): number {
    const distance = this.#last[0] + 1;
    if (distance > this.#at + this.#base || distance > this.#dictionary)
      throw new Error('a copy begins before the text');
    return this.#at - distance;
  }

  #copy(length: number, end: number): void {
    const from = this.#earlier();
    if (this.#at + length > end) throw new Error('a copy is longer than its chunk');
    for (let i = 0; i < length; i++) this.#window[this.#at + i] = this.#window[from + i];
    this.#at += length;
  }

  #length(coder: Lengths, place: number): number {
    if (this.#bit(coder.choice, 0) === 0) return SHORTEST_MATCH + this.#tree(coder.low, place << 3, 3);
    if (this.#bit(coder.choice, 1) === 0) return SHORTEST_MATCH + 8 + this.#tree(coder.middle, place << 3, 3);
    return SHORTEST_MATCH + 16 + this.#tree(coder.high, 0, 8);
  }

  #distance(length: number): number {
    const state = Math.min(length - SHORTEST_MATCH, LENGTH_STATES - 1);
    const slot = this.#tree(this.#slots, state << SLOT_BITS, SLOT_BITS);
    if (slot < 4) return slot;
    const extra = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** extra;
    if (slot < FIRST_DIRECT_SLOT) return base + this.#reversed(this.#special, base - slot, extra);
    return base + this.#direct(extra - ALIGN_BITS) * 16 + this.#reversed(this.#align, 0, ALIGN_BITS);
  }

  /** A number whose first bit is the highest; the tree's root stands at `base` + 1. */
  #tree(probabilities: Uint16Array, base: number, count: number): number {
    let node = 1;
    for (let i = 0; i < count; i++) node = (node << 1) | this.#bit(probabilities, base + node);
    return node - (1 << count);
  }

  /** The lowest bit first. */
  #reversed(probabilities: Uint16Array, base: number, count: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < count; i++) {
      const bit = this.#bit(probabilities, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** Bits that are as likely as not. */
  #direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#normalize();
      this.#range = Math.floor(this.#range / 2);
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = value * 2 + bit;
    }
    return value;
  }

  #bit(probabilities: Uint16Array, index: number): 0 | 1 {
    this.#normalize();
    const probability = probabilities[index];
    const bound = (this.#range >>> PROBABILITY_BITS) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      probabilities[index] = probability + (((1 << PROBABILITY_BITS) - probability) >> MOVE_BITS);
      return 0;
    }
    this.#range -= bound;
    this.#code -= bound;
    probabilities[index] = probability - (probability >> MOVE_BITS);
    return 1;
  }

  #normalize(): void {
    if (this.#range >= TOP) return;
    if (this.#next >= this.#input.length) throw new Error('a chunk ends too early');
    this.#range *= 256;
    this.#code = this.#code * 256 + this.#input[this.#next++];
  }
}
