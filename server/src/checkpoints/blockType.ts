/**
 * What a number type of GGUF files is, and the words that its rows are written in (dequantize.ts,
 * dequantizeCodebooks.ts).
 */
import { halfTable } from './dtypes.ts';

/** Decodes `count` numbers (whole blocks) from byte `at` of `raw` into `out` from index `to`. */
type Decode = (raw: Uint8Array<ArrayBuffer>, at: number, out: Float32Array, to: number, count: number) => void;

export interface BlockType {
  /** Number in the file. */
  id: number;
  name: string;
  numbers: number;
  bytes: number;
  decode: Decode;
}

/** A row from what one block does. */
export function blocks(
  id: number,
  name: string,
  numbers: number,
  bytes: number,
  block: (raw: Uint8Array, at: number, out: Float32Array, to: number) => void,
): BlockType {
  return {
    id,
    name,
    numbers,
    bytes,
    decode(raw, at, out, to, count) {
      for (const end = to + count; to < end; to += numbers, at += bytes) block(raw, at, out, to);
    },
  };
}

const half = halfTable();

export const float16 = (raw: Uint8Array, at: number): number => half[raw[at] | (raw[at + 1] << 8)];
/** The float16 number of 16 bits. */
export const float16Of = (bits: number): number => half[bits];
export const signed = (byte: number): number => (byte << 24) >> 24;
export const short = (raw: Uint8Array, at: number): number => raw[at] | (raw[at + 1] << 8);
export const word = (raw: Uint8Array, at: number): number =>
  raw[at] | (raw[at + 1] << 8) | (raw[at + 2] << 16) | (raw[at + 3] << 24);
