/**
 * The number types of GGUF files and how they become float32. Layouts: ggml's `block_*` structures. A block holds
 * `numbers` consecutive numbers of a row in `bytes` bytes; d and m are float16 scale and offset, q the small integers.
 * Every product here is exact in float64, so the one rounding at the store gives what float32 arithmetic gives, bit for
 * bit.
 *
 * To add a type: one row, and its name in test/reference/gguf/make.py.
 */
import { blocks, float16, signed, word } from './blockType.ts';
import type { BlockType } from './blockType.ts';
import { codebookTypes } from './dequantizeCodebooks.ts';
import { floatTypes } from './dtypes.ts';
import { lookup } from '../text/lookup.ts';

/** Types that safetensors has too. */
function plain(id: number, name: string): BlockType {
  const { bytes, decode } = lookup(floatTypes, name)!;
  return {
    id,
    name,
    numbers: 1,
    bytes,
    decode: (raw, at, out, to, count) =>
      decode(raw.buffer.slice(raw.byteOffset + at, raw.byteOffset + at + count * bytes), out.subarray(to, to + count)),
  };
}

export const blockTypes: readonly BlockType[] = [
  plain(0, 'F32'),
  plain(1, 'F16'),
  plain(30, 'BF16'),
  plain(28, 'F64'),

  // d (q - 8); the low halves of the 16 bytes come first.
  blocks(2, 'Q4_0', 32, 18, (raw, at, out, to) => {
    const d = float16(raw, at);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 2 + i];
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }),

  // d q + m
  blocks(3, 'Q4_1', 32, 20, (raw, at, out, to) => {
    const d = float16(raw, at);
    const m = float16(raw, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 4 + i];
      out[to + i] = d * (q & 15) + m;
      out[to + 16 + i] = d * (q >> 4) + m;
    }
  }),

  // d (q - 16); the fifth bits of all 32 stand in one word.
  blocks(6, 'Q5_0', 32, 22, (raw, at, out, to) => {
    const d = float16(raw, at);
    const high = word(raw, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 6 + i];
      out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  }),

  // d q + m
  blocks(7, 'Q5_1', 32, 24, (raw, at, out, to) => {
    const d = float16(raw, at);
    const m = float16(raw, at + 2);
    const high = word(raw, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 8 + i];
      out[to + i] = d * ((q & 15) | (((high >>> i) & 1) << 4)) + m;
      out[to + 16 + i] = d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m;
    }
  }),

  blocks(8, 'Q8_0', 32, 34, (raw, at, out, to) => {
    const d = float16(raw, at);
    for (let i = 0; i < 32; i++) out[to + i] = d * signed(raw[at + 2 + i]);
  }),

  // K-quants: super-blocks of 256 numbers, whose sub-blocks have small integer scales of their own.

  // 16 sub-blocks of 16: d s q - m o, with s and o in the halves of one byte.
  blocks(10, 'Q2_K', 256, 84, (raw, at, out, to) => {
    const d = float16(raw, at + 80);
    const m = float16(raw, at + 82);
    for (let sub = 0; sub < 16; sub++) {
      const scale = d * (raw[at + sub] & 15);
      const offset = m * (raw[at + sub] >> 4);
      const from = at + 16 + twoBitByte(sub);
      const shift = twoBitShift(sub);
      for (let i = 0; i < 16; i++) out[to + 16 * sub + i] = scale * ((raw[from + i] >> shift) & 3) - offset;
    }
  }),

  // 16 sub-blocks of 16: d (s - 32) (q - 4 (1 - h)), with h one bit per number.
  blocks(11, 'Q3_K', 256, 110, (raw, at, out, to) => {
    const d = float16(raw, at + 108);
    for (let sub = 0; sub < 16; sub++) {
      const low = (raw[at + 96 + (sub & 7)] >> (sub < 8 ? 0 : 4)) & 15;
      const high = (raw[at + 104 + (sub & 3)] >> (2 * (sub >> 2))) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      const from = at + 32 + twoBitByte(sub);
      const shift = twoBitShift(sub);
      const bit = sub >> 1;
      const mask = at + 16 * (sub & 1);
      for (let i = 0; i < 16; i++) {
        const q = (raw[from + i] >> shift) & 3;
        out[to + 16 * sub + i] = scale * (q - ((raw[mask + i] >> bit) & 1 ? 0 : 4));
      }
    }
  }),

  // 8 sub-blocks of 32: d s q - m o, with s and o of 6 bits.
  blocks(12, 'Q4_K', 256, 144, (raw, at, out, to) => {
    const d = float16(raw, at);
    const m = float16(raw, at + 2);
    for (let sub = 0; sub < 8; sub++) {
      const scale = d * sixBitScale(raw, at + 4, sub);
      const offset = m * sixBitOffset(raw, at + 4, sub);
      const from = at + 16 + 32 * (sub >> 1);
      const shift = 4 * (sub & 1);
      for (let i = 0; i < 32; i++) out[to + 32 * sub + i] = scale * ((raw[from + i] >> shift) & 15) - offset;
    }
  }),

  // As Q4_K, with a fifth bit.
  blocks(13, 'Q5_K', 256, 176, (raw, at, out, to) => {
    const d = float16(raw, at);
    const m = float16(raw, at + 2);
    for (let sub = 0; sub < 8; sub++) {
      const scale = d * sixBitScale(raw, at + 4, sub);
      const offset = m * sixBitOffset(raw, at + 4, sub);
      const from = at + 48 + 32 * (sub >> 1);
      const shift = 4 * (sub & 1);
      for (let i = 0; i < 32; i++) {
        const q = ((raw[from + i] >> shift) & 15) | (((raw[at + 16 + i] >> sub) & 1) << 4);
        out[to + 32 * sub + i] = scale * q - offset;
      }
    }
  }),

  // 16 sub-blocks of 16: d s (q - 32), with q from 4 low and 2 high bits.
  blocks(14, 'Q6_K', 256, 210, (raw, at, out, to) => {
    const d = float16(raw, at + 208);
    for (let sub = 0; sub < 16; sub++) {
      const scale = d * signed(raw[at + 192 + sub]);
      const part = sub & 7; // of the 128 numbers that share 64 low bytes and 32 high ones
      const low = at + 64 * (sub >> 3) + 16 * (part & 3);
      const high = at + 128 + 32 * (sub >> 3) + 16 * (part & 1);
      const lowShift = part < 4 ? 0 : 4;
      const highShift = 2 * (part >> 1);
      for (let i = 0; i < 16; i++) {
        const q = ((raw[low + i] >> lowShift) & 15) | (((raw[high + i] >> highShift) & 3) << 4);
        out[to + 16 * sub + i] = scale * (q - 32);
      }
    }
  }),

  ...codebookTypes,
];

/** Types that are known by name only, to be named in an error. */
export const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  15: 'Q8_K',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  41: 'Q1_0',
};

/** Sub-blocks of 16 two-bit numbers: 128 numbers lie in 32 bytes, four bit pairs above each other. */
const twoBitByte = (sub: number): number => 32 * (sub >> 3) + 16 * (sub & 1);
const twoBitShift = (sub: number): number => 2 * ((sub & 7) >> 1);

/** Eight 6-bit scales and eight 6-bit offsets in 12 bytes: the first four of each whole, the others in pieces. */
function sixBitScale(raw: Uint8Array, at: number, sub: number): number {
  return sub < 4 ? raw[at + sub] & 63 : (raw[at + sub + 4] & 15) | ((raw[at + sub - 4] >> 6) << 4);
}
function sixBitOffset(raw: Uint8Array, at: number, sub: number): number {
  return sub < 4 ? raw[at + sub + 4] & 63 : (raw[at + sub + 4] >> 4) | ((raw[at + sub] >> 6) << 4);
}
