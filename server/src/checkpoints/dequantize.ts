/**
 * ggml's block formats, one row each: how many numbers a block holds, how many bytes it takes, how it becomes float32. The order
 * of operations and the rounding to float32 after each follow the reference (gguf-py), so that results are equal bit for bit.
 * Checked against it by test/checkpoints/dequantize.test.ts.
 */
import { floatTypes, halfTable } from './dtypes.ts';

export interface BlockType {
  /** ggml's number for the type. */
  code: number;
  name: string;
  /** Numbers per block. */
  numbers: number;
  /** Bytes per block. */
  bytes: number;
  decode(raw: Uint8Array, into: Float32Array): void;
}

const round = Math.fround;

/** A type whose blocks are decoded one by one: `block(bytes, at, out, to)`. */
function blocks(
  code: number,
  name: string,
  numbers: number,
  bytes: number,
  block: (raw: Uint8Array, at: number, into: Float32Array, to: number, half: (at: number) => number) => void,
): BlockType {
  return {
    code,
    name,
    numbers,
    bytes,
    decode(raw, into) {
      const table = halfTable();
      const half = (at: number) => table[raw[at] | (raw[at + 1] << 8)];
      for (let at = 0, to = 0; to < into.length; at += bytes, to += numbers) block(raw, at, into, to, half);
    },
  };
}

function plain(code: number, name: 'F32' | 'F16' | 'BF16' | 'F64', bytes: number): BlockType {
  return {
    code,
    name,
    numbers: 1,
    bytes,
    decode: (raw, into) => floatTypes[name].decode(raw.slice().buffer as ArrayBuffer, into),
  };
}

export const blockTypes: readonly BlockType[] = [
  plain(0, 'F32', 4),
  plain(1, 'F16', 2),
  plain(28, 'F64', 8),
  plain(30, 'BF16', 2),

  // w = d (q - 8), q of 4 bits; low nibbles are the first 16 numbers
  blocks(2, 'Q4_0', 32, 18, (raw, at, into, to, half) => {
    const d = half(at);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 2 + i];
      into[to + i] = d * ((q & 15) - 8);
      into[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }),

  // w = d q + m
  blocks(3, 'Q4_1', 32, 20, (raw, at, into, to, half) => {
    const d = half(at);
    const m = half(at + 2);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 4 + i];
      into[to + i] = round(d * (q & 15)) + m;
      into[to + 16 + i] = round(d * (q >> 4)) + m;
    }
  }),

  // a fifth bit per number in 4 bytes
  blocks(6, 'Q5_0', 32, 22, (raw, at, into, to, half) => {
    const d = half(at);
    const high = word(raw, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 6 + i];
      into[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      into[to + 16 + i] = d * (((q >> 4) | (((high >>> (16 + i)) & 1) << 4)) - 16);
    }
  }),

  blocks(7, 'Q5_1', 32, 24, (raw, at, into, to, half) => {
    const d = half(at);
    const m = half(at + 2);
    const high = word(raw, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 8 + i];
      into[to + i] = round(d * ((q & 15) | (((high >>> i) & 1) << 4))) + m;
      into[to + 16 + i] = round(d * ((q >> 4) | (((high >>> (16 + i)) & 1) << 4))) + m;
    }
  }),

  blocks(8, 'Q8_0', 32, 34, (raw, at, into, to, half) => {
    const d = half(at);
    for (let i = 0; i < 32; i++) into[to + i] = d * signed(raw[at + 2 + i]);
  }),

  // 16 groups of 16: w = (d s) q - (dmin m), scales and minima of 4 bits
  blocks(10, 'Q2_K', 256, 84, (raw, at, into, to, half) => {
    const d = half(at + 80);
    const dmin = half(at + 82);
    for (let group = 0; group < 16; group++) {
      const scale = round(d * (raw[at + group] & 15));
      const minimum = round(dmin * (raw[at + group] >> 4));
      const source = at + 16 + 32 * (group >> 3) + 16 * (group & 1);
      const shift = 2 * ((group >> 1) & 3);
      for (let i = 0; i < 16; i++) {
        into[to + 16 * group + i] = round(scale * ((raw[source + i] >> shift) & 3)) - minimum;
      }
    }
  }),

  // 16 groups of 16, scales of 6 bits, a third bit per number in 32 bytes
  blocks(11, 'Q3_K', 256, 110, (raw, at, into, to, half) => {
    const d = half(at + 108);
    for (let group = 0; group < 16; group++) {
      const low = group < 8 ? raw[at + 96 + group] & 15 : raw[at + 96 + group - 8] >> 4;
      const high = (raw[at + 104 + (group & 3)] >> (2 * (group >> 2))) & 3;
      const scale = round(d * ((low | (high << 4)) - 32));
      const source = at + 32 + 32 * (group >> 3) + 16 * (group & 1);
      const shift = 2 * ((group >> 1) & 3);
      for (let i = 0; i < 16; i++) {
        const q = (raw[source + i] >> shift) & 3;
        const third = (raw[at + 16 * (group & 1) + i] >> (group >> 1)) & 1;
        into[to + 16 * group + i] = scale * (q - (third ? 0 : 4));
      }
    }
  }),

  // 8 groups of 32: w = (d s) q - (dmin m), scales and minima of 6 bits
  blocks(12, 'Q4_K', 256, 144, (raw, at, into, to, half) => {
    const d = half(at);
    const dmin = half(at + 2);
    for (let group = 0; group < 8; group++) {
      const [s, m] = scaleAndMinimum(raw, at + 4, group);
      const scale = round(d * s);
      const minimum = round(dmin * m);
      const source = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        into[to + 32 * group + i] = round(scale * ((raw[source + i] >> shift) & 15)) - minimum;
      }
    }
  }),

  blocks(13, 'Q5_K', 256, 176, (raw, at, into, to, half) => {
    const d = half(at);
    const dmin = half(at + 2);
    for (let group = 0; group < 8; group++) {
      const [s, m] = scaleAndMinimum(raw, at + 4, group);
      const scale = round(d * s);
      const minimum = round(dmin * m);
      const source = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group & 1);
      for (let i = 0; i < 32; i++) {
        const q = ((raw[source + i] >> shift) & 15) | (((raw[at + 16 + i] >> group) & 1) << 4);
        into[to + 32 * group + i] = round(scale * q) - minimum;
      }
    }
  }),

  // 16 groups of 16, q of 4 + 2 bits, signed 8-bit scales
  blocks(14, 'Q6_K', 256, 210, (raw, at, into, to, half) => {
    const d = half(at + 208);
    for (let group = 0; group < 16; group++) {
      const scale = round(d * signed(raw[at + 192 + group]));
      const part = group >> 3; // half of the block
      const lane = (group >> 1) & 3; // which 32 of that half's 128
      const side = 16 * (group & 1);
      const low = at + 64 * part + 32 * (lane & 1) + side;
      const high = at + 128 + 32 * part + side;
      for (let i = 0; i < 16; i++) {
        const q = ((raw[low + i] >> (4 * (lane >> 1))) & 15) | (((raw[high + i] >> (2 * lane)) & 3) << 4);
        into[to + 16 * group + i] = scale * (q - 32);
      }
    }
  }),
];

function word(raw: Uint8Array, at: number): number {
  return (raw[at] | (raw[at + 1] << 8) | (raw[at + 2] << 16) | (raw[at + 3] << 24)) >>> 0;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Q4_K and Q5_K pack eight 6-bit scales and minima into 12 bytes. */
function scaleAndMinimum(raw: Uint8Array, at: number, group: number): [number, number] {
  if (group < 4) return [raw[at + group] & 63, raw[at + 4 + group] & 63];
  const low = raw[at + 4 + group];
  return [(low & 15) | ((raw[at + group - 4] >> 6) << 4), (low >> 4) | ((raw[at + group] >> 6) << 4)];
}
