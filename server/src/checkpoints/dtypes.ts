/** Stored number types and how they become float32: one row per real type of the safetensors format. */

export interface FloatType {
  bytes: number;
  /** @param raw little-endian bytes at offset 0 of a buffer of their own; @param into as many numbers */
  decode: (raw: ArrayBuffer, into: Float32Array) => void;
}

export const floatTypes: Readonly<Record<string, FloatType>> = {
  F32: { bytes: 4, decode: (raw, into) => into.set(new Float32Array(raw, 0, into.length)) },
  F64: { bytes: 8, decode: (raw, into) => into.set(new Float64Array(raw, 0, into.length)) },
  F16: {
    bytes: 2,
    decode(raw, into) {
      const table = halfTable();
      const bits = new Uint16Array(raw, 0, into.length);
      for (let i = 0; i < bits.length; i++) into[i] = table[bits[i]];
    },
  },
  // bfloat16 is the upper half of a float32.
  BF16: {
    bytes: 2,
    decode(raw, into) {
      const bits = new Uint16Array(raw, 0, into.length);
      const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
      for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
    },
  },
};

/** Bytes per number of every type that a safetensors file may hold. */
export const storedBytes: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
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
