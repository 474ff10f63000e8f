/** Stored number types and how they become float32: one row per real type of the safetensors format. */
import { smallFloats } from './smallFloats.ts';

export interface FloatType {
  /** Per number; half of one where two numbers share a byte. */
  bytes: number;
  /** @param raw little-endian bytes at offset 0 of a buffer of their own; @param into as many numbers */
  decode: (raw: ArrayBuffer, into: Float32Array) => void;
}

/** A type that weights are written in too. */
interface WrittenType extends FloatType {
  /** To the nearest number of the type, ties to even. */
  encode: (values: Float32Array) => NodeJS.ArrayBufferView;
}

export const writtenTypes = {
  F32: { bytes: 4, decode: (raw, into) => into.set(new Float32Array(raw, 0, into.length)), encode: (values) => values },
  F64: {
    bytes: 8,
    decode: (raw, into) => into.set(new Float64Array(raw, 0, into.length)),
    encode: (values) => Float64Array.from(values),
  },
  F16: {
    bytes: 2,
    decode(raw, into) {
      const table = halfTable();
      const bits = new Uint16Array(raw, 0, into.length);
      for (let i = 0; i < bits.length; i++) into[i] = table[bits[i]];
    },
    encode: (values) => Uint16Array.from(values, halfBits),
  },
  // bfloat16 is the upper half of a float32.
  BF16: {
    bytes: 2,
    decode(raw, into) {
      const bits = new Uint16Array(raw, 0, into.length);
      const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
      for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
    },
    encode(values) {
      const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
      const bits = new Uint16Array(values.length);
      for (let i = 0; i < bits.length; i++) bits[i] = (words[i] + 0x7fff + ((words[i] >>> 16) & 1)) >>> 16;
      return bits;
    },
  },
} as const satisfies Record<string, WrittenType>;

export const floatTypes: Readonly<Record<string, FloatType>> = { ...writtenTypes, ...smallFloats };

/** Bytes per number of every type that a safetensors file may hold. */
export const storedBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  F4: 0.5,
  F6_E2M3: 0.75,
  F6_E3M2: 0.75,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};

let halves: Float32Array | null = null;

/** float16 bits -> float32; 65,536 entries, made on first use. */
export function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) halves[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) halves[bits] = fraction ? NaN : sign * Infinity;
    else halves[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return halves;
}

const one = new Float32Array(1);
const oneBits = new Uint32Array(one.buffer);

/** float32 -> float16 bits, ties to even; beyond 65,504 it is infinite. */
function halfBits(value: number): number {
  one[0] = value;
  const sign = (oneBits[0] >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  // In units of the last place: 2^-24 below the smallest normal number, else 2^-10 of the power of two.
  const exponent = Math.max(-14, ((oneBits[0] >>> 23) & 255) - 127);
  const units = roundToEven(magnitude * 2 ** (10 - exponent));
  return sign | ((exponent + 14) * 1024 + units);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
