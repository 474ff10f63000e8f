/**
 * GGUF types whose small integers point into a table: the IQ types of llama.cpp (a grid of points with 4 or 8 numbers,
 * and their signs), its ternary types, and the 4-bit floats MXFP4 and NVFP4. Layouts: ggml's `block_*` structures and
 * gguf-py's `quants.py`. As in dequantize.ts every product is exact in float64, so the numbers are those of float32
 * arithmetic, bit for bit.
 *
 * To add a type: one row, and its name in test/reference/gguf/more_blocks.py.
 */
import { blocks, float16, float16Of, short, word } from './blockType.ts';
import type { BlockType } from './blockType.ts';
import { grid } from './ggufGrids.ts';

/** Sixteen numbers, denser around zero, of IQ4_NL and IQ4_XS. */
const nonLinear = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
/** Twice the numbers of the 4-bit float E2M1. */
const float4 = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

/** Seven sign bits with an eighth that makes the number of ones even. */
const evenSigns = Uint8Array.from({ length: 128 }, (_, i) => {
  let ones = i;
  for (const shift of [4, 2, 1]) ones ^= ones >> shift;
  return i | ((ones & 1) << 7);
});

/** `width` numbers of a point, each with the sign that a bit gives. */
function signedPoint(
  points: Int8Array,
  point: number,
  width: number,
  scale: number,
  signs: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < width; i++) {
    const value = scale * points[point * width + i];
    out[to + i] = (signs >> i) & 1 ? -value : value;
  }
}

/** A scale of four bits, the even sub-blocks in the low halves. */
const nibble = (raw: Uint8Array, at: number, sub: number): number => (raw[at + (sub >> 1)] >> (4 * (sub & 1))) & 15;

/** Bytes of TQ1_0 that are read together: a digit of each, then the next of each. */
const ternary = [
  { start: 0, bytes: 32, digits: 5 },
  { start: 32, bytes: 16, digits: 5 },
  { start: 48, bytes: 4, digits: 4 },
];

/** Half of 2^(e - 127), which together with numbers that are twice too large is right. */
const halfPowers = Float64Array.from({ length: 256 }, (_, e) => 2 ** (e - 128));
/** Half of an unsigned float of 4 exponent and 3 fraction bits; what would be NaN is 0, as in ggml. */
const halfE4m3 = Float64Array.from({ length: 256 }, (_, bits) => {
  const exponent = (bits >> 3) & 15;
  if (bits === 0x7f) return 0;
  return exponent === 0 ? (bits & 7) * 2 ** -10 : (1 + (bits & 7) / 8) * 2 ** (exponent - 8);
});

export const codebookTypes: readonly BlockType[] = [
  // 8 sub-blocks of 32: four points, and in one word their signs and the sub-block's scale.
  blocks(16, 'IQ2_XXS', 256, 66, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq2xxs');
    for (let sub = 0; sub < 8; sub++) {
      const from = at + 2 + 8 * sub;
      const bits = word(raw, from + 4);
      const scale = d * (0.5 + (bits >>> 28)) * 0.25;
      for (let k = 0; k < 4; k++)
        signedPoint(points, raw[from + k], 8, scale, evenSigns[(bits >>> (7 * k)) & 127], out, to + 32 * sub + 8 * k);
    }
  }),

  // 32 points: 9 bits for the point, 7 for the signs; a scale for two.
  blocks(17, 'IQ2_XS', 256, 74, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq2xs');
    for (let k = 0; k < 32; k++) {
      const bits = short(raw, at + 2 + 2 * k);
      const scale = d * (0.5 + nibble(raw, at + 66, k >> 1)) * 0.25;
      signedPoint(points, bits & 511, 8, scale, evenSigns[bits >> 9], out, to + 8 * k);
    }
  }),

  // 32 points of 8 and 2 bits, signs of their own; a scale for two.
  blocks(22, 'IQ2_S', 256, 82, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq2s');
    for (let k = 0; k < 32; k++) {
      const high = (raw[at + 66 + (k >> 2)] >> (2 * (k & 3))) & 3;
      const scale = d * (0.5 + nibble(raw, at + 74, k >> 1)) * 0.25;
      signedPoint(points, raw[at + 2 + k] | (high << 8), 8, scale, raw[at + 34 + k], out, to + 8 * k);
    }
  }),

  // 8 sub-blocks of eight points with 4 numbers; in one word their signs and the sub-block's scale.
  blocks(18, 'IQ3_XXS', 256, 98, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq3xxs');
    for (let sub = 0; sub < 8; sub++) {
      const bits = word(raw, at + 66 + 4 * sub);
      const scale = d * (0.5 + (bits >>> 28)) * 0.5;
      for (let k = 0; k < 8; k++) {
        const signs = evenSigns[(bits >>> (7 * (k >> 1))) & 127] >> (4 * (k & 1));
        signedPoint(points, raw[at + 2 + 8 * sub + k], 4, scale, signs, out, to + 32 * sub + 4 * k);
      }
    }
  }),

  // 64 points of 8 and 1 bits with 4 numbers, signs of their own; a scale for eight.
  blocks(21, 'IQ3_S', 256, 110, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq3s');
    for (let k = 0; k < 64; k++) {
      const high = (raw[at + 66 + (k >> 3)] >> (k & 7)) & 1;
      const signs = raw[at + 74 + (k >> 1)] >> (4 * (k & 1));
      const scale = d * (1 + 2 * nibble(raw, at + 106, k >> 3));
      signedPoint(points, raw[at + 2 + k] | (high << 8), 4, scale, signs, out, to + 4 * k);
    }
  }),

  // 8 sub-blocks of four points with numbers -1, 0, 1, moved by an eighth up or down; in one word three bits of each
  // point and the scale.
  blocks(19, 'IQ1_S', 256, 50, (raw, at, out, to) => {
    const d = float16(raw, at);
    const points = grid('iq1');
    for (let sub = 0; sub < 8; sub++) {
      const bits = short(raw, at + 34 + 2 * sub);
      const scale = d * (2 * ((bits >> 12) & 7) + 1);
      const shift = bits & 0x8000 ? -0.125 : 0.125;
      for (let k = 0; k < 4; k++) {
        const point = raw[at + 2 + 4 * sub + k] | (((bits >> (3 * k)) & 7) << 8);
        for (let i = 0; i < 8; i++) out[to + 32 * sub + 8 * k + i] = scale * (points[8 * point + i] + shift);
      }
    }
  }),

  // As IQ1_S, with a scale for two points and a shift for each. The bits of d are spread over four words.
  blocks(29, 'IQ1_M', 256, 56, (raw, at, out, to) => {
    const points = grid('iq1');
    const words = [0, 1, 2, 3].map((i) => short(raw, at + 48 + 2 * i));
    const d = float16Of(words.reduce((bits, next, i) => bits | ((next >> 12) << (4 * i)), 0));
    for (let k = 0; k < 32; k++) {
      const high = (raw[at + 32 + (k >> 1)] >> (4 * (k & 1))) & 15;
      const pair = k >> 1;
      const scale = d * (2 * ((words[pair >> 2] >> (3 * (pair & 3))) & 7) + 1);
      const shift = high & 8 ? -0.125 : 0.125;
      const point = raw[at + k] | ((high & 7) << 8);
      for (let i = 0; i < 8; i++) out[to + 8 * k + i] = scale * (points[8 * point + i] + shift);
    }
  }),

  blocks(20, 'IQ4_NL', 32, 18, (raw, at, out, to) => {
    const d = float16(raw, at);
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 2 + i];
      out[to + i] = d * nonLinear[q & 15];
      out[to + 16 + i] = d * nonLinear[q >> 4];
    }
  }),

  // 8 sub-blocks of 32 with scales of 4 and 2 bits.
  blocks(23, 'IQ4_XS', 256, 136, (raw, at, out, to) => {
    const d = float16(raw, at);
    const high = short(raw, at + 2);
    for (let sub = 0; sub < 8; sub++) {
      const scale = d * ((nibble(raw, at + 4, sub) | (((high >> (2 * sub)) & 3) << 4)) - 32);
      for (let i = 0; i < 16; i++) {
        const q = raw[at + 8 + 16 * sub + i];
        out[to + 32 * sub + i] = scale * nonLinear[q & 15];
        out[to + 32 * sub + 16 + i] = scale * nonLinear[q >> 4];
      }
    }
  }),

  // Digits -1, 0, 1: five to a byte (a fraction in base 3), the last 16 numbers four to a byte.
  blocks(34, 'TQ1_0', 256, 54, (raw, at, out, to) => {
    const d = float16(raw, at + 52);
    const digit = (byte: number, power: number): number => ((((byte * power) & 255) * 3) >> 8) - 1;
    for (const { start, bytes, digits } of ternary) {
      for (let k = 0; k < digits; k++) {
        for (let i = 0; i < bytes; i++) out[to++] = d * digit(raw[at + start + i], 3 ** k);
      }
    }
  }),

  // Digits -1, 0, 1 in two bits; 128 numbers lie in 32 bytes.
  blocks(35, 'TQ2_0', 256, 66, (raw, at, out, to) => {
    const d = float16(raw, at + 64);
    for (let i = 0; i < 256; i++) {
      const q = (raw[at + 32 * (i >> 7) + (i & 31)] >> (2 * ((i >> 5) & 3))) & 3;
      out[to + i] = d * (q - 1);
    }
  }),

  // A power of two for 32 numbers (OCP Microscaling).
  blocks(39, 'MXFP4', 32, 17, (raw, at, out, to) => {
    const d = halfPowers[raw[at]];
    for (let i = 0; i < 16; i++) {
      const q = raw[at + 1 + i];
      out[to + i] = d * float4[q & 15];
      out[to + 16 + i] = d * float4[q >> 4];
    }
  }),

  // A small float for 16 numbers, four of them in a block.
  blocks(40, 'NVFP4', 64, 36, (raw, at, out, to) => {
    for (let sub = 0; sub < 4; sub++) {
      const d = halfE4m3[raw[at + sub]];
      for (let i = 0; i < 8; i++) {
        const q = raw[at + 4 + 8 * sub + i];
        out[to + 16 * sub + i] = d * float4[q & 15];
        out[to + 16 * sub + 8 + i] = d * float4[q >> 4];
      }
    }
  }),
];
