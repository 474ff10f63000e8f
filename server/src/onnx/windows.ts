/**
 * Sliding windows of convolutions and pools: strides, dilations and pads as the operator's attributes say them, and
 * sizes.
 */
import type { AttributeReader } from './attributes.ts';

/** All lists have one number per spatial axis. */
export interface Window {
  kernel: number[];
  strides: number[];
  dilations: number[];
  before: number[];
  after: number[];
}

/**
 * @param sizes of the input; a number each
 * @param pads instead of those of the attributes
 */
export function windowOf(
  sizes: readonly number[],
  kernel: readonly number[],
  read: Pick<AttributeReader, 'ints' | 'string'>,
  pads?: { before: number[]; after: number[] },
): Window {
  const ones = kernel.map(() => 1);
  const strides = [...(read.ints('strides') ?? ones)];
  const dilations = [...(read.ints('dilations') ?? ones)];
  return { kernel: [...kernel], strides, dilations, ...(pads ?? padsOf(sizes, kernel, strides, dilations, read)) };
}

function padsOf(
  sizes: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  read: Pick<AttributeReader, 'ints' | 'string'>,
): { before: number[]; after: number[] } {
  const mode = read.string('auto_pad', 'NOTSET');
  const given = read.ints('pads');
  if (mode === 'NOTSET' || mode === 'VALID') {
    const used = mode === 'VALID' ? null : given;
    return {
      before: kernel.map((_, i) => used?.[i] ?? 0),
      after: kernel.map((_, i) => used?.[i + kernel.length] ?? 0),
    };
  }
  // As many results as inputs, divided by the stride; the odd one goes to the end (SAME_UPPER) or to the start.
  const total = sizes.map((size, i) => {
    const results = Math.ceil(size / strides[i]);
    return Math.max(0, (results - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - size);
  });
  const small = total.map((pad) => Math.floor(pad / 2));
  const large = total.map((pad, i) => pad - small[i]);
  return mode === 'SAME_UPPER' ? { before: small, after: large } : { before: large, after: small };
}

/** Sizes of what comes out. @param ceil counts a window that begins inside and ends outside */
export function windowResults(sizes: readonly number[], window: Window, ceil = false): number[] {
  return sizes.map((size, i) => {
    const reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const steps = (size + window.before[i] + window.after[i] - reach) / window.strides[i];
    if (!ceil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    // A window that begins in the padding behind the input does not count.
    return (count - 1) * window.strides[i] >= size + window.before[i] ? count - 1 : count;
  });
}
