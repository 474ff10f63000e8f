/**
 * Floats of 8 and 4 bits in safetensors files: what the bits mean (OCP 8-bit floating point, OCP Microscaling; the FNUZ
 * forms of AMD: Noune et al. 2022, arXiv 2206.02915). They are read, never written. Checked against every number of
 * torch.
 */

type Decode = (raw: ArrayBuffer, into: Float32Array) => void;

/**
 * What the highest exponent means: infinite and NaN as in IEEE 754, NaN for all ones alone, or NaN for negative zero
 * alone.
 */
type Special = 'ieee' | 'allOnes' | 'negativeZero';

/** The numbers of all 256 bytes: a sign, `exponent` bits, the others for the fraction. */
function bytesOf(exponent: number, bias: number, special: Special): Float32Array {
  const fraction = 7 - exponent;
  const highest = 2 ** exponent - 1;
  return Float32Array.from({ length: 256 }, (_, byte) => {
    const sign = byte & 128 ? -1 : 1;
    const e = (byte >> fraction) & highest;
    const f = byte & (2 ** fraction - 1);
    if (special === 'ieee' && e === highest) return f === 0 ? sign * Infinity : NaN;
    if (special === 'allOnes' && (byte & 127) === 127) return NaN;
    if (special === 'negativeZero' && byte === 128) return NaN;
    return e === 0 ? sign * f * 2 ** (1 - bias - fraction) : sign * (1 + f / 2 ** fraction) * 2 ** (e - bias);
  });
}

function byTable(make: () => Float32Array): Decode {
  let table: Float32Array | null = null;
  return (raw, into) => {
    table ??= make();
    const bytes = new Uint8Array(raw, 0, into.length);
    for (let i = 0; i < bytes.length; i++) into[i] = table[bytes[i]];
  };
}

/** E2M1, sign in the highest of four bits. */
export const float4 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6);

/** By the names of the safetensors format. `bytes` per number. */
export const smallFloats = {
  F8_E4M3: { bytes: 1, decode: byTable(() => bytesOf(4, 7, 'allOnes')) },
  F8_E5M2: { bytes: 1, decode: byTable(() => bytesOf(5, 15, 'ieee')) },
  F8_E4M3FNUZ: { bytes: 1, decode: byTable(() => bytesOf(4, 8, 'negativeZero')) },
  F8_E5M2FNUZ: { bytes: 1, decode: byTable(() => bytesOf(5, 16, 'negativeZero')) },
  // A power of two, for scales.
  F8_E8M0: {
    bytes: 1,
    decode: byTable(() => Float32Array.from({ length: 256 }, (_, byte) => (byte === 255 ? NaN : 2 ** (byte - 127)))),
  },
  // Two numbers a byte, the first in the low half.
  F4: {
    bytes: 0.5,
    decode(raw: ArrayBuffer, into: Float32Array) {
      const bytes = new Uint8Array(raw, 0, into.length / 2);
      for (let i = 0; i < bytes.length; i++) {
        into[2 * i] = float4[bytes[i] & 15];
        into[2 * i + 1] = float4[bytes[i] >> 4];
      }
    },
  },
} as const satisfies Record<string, { bytes: number; decode: Decode }>;
