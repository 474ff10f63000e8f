/**
 * Layers x samples as pixels. Cells are drawn at device resolution: where several samples fall on one pixel column, the
 * one with the largest absolute influence is shown, so that a single strong sample never disappears. Pure: no DOM.
 */
import { finite } from './layers.ts';
import type { Rgb } from './colour.ts';

/** Layer rows top down: a layer that is not finished is null. */
export type Rows = readonly (readonly number[] | null)[];

export interface Geometry {
  width: number;
  height: number;
  rows: number;
  columns: number;
}

/**
 * Where the colour saturates: the quantile of the absolute values, so that one outlier does not wash out the rest.
 * Never 0.
 */
export function saturation(rows: Rows, quantile = 0.99): number {
  const sizes = rows.flatMap((row) => (row ?? []).map((value) => Math.abs(finite(value)))).filter((size) => size > 0);
  if (sizes.length === 0) return 1;
  sizes.sort((a, b) => a - b);
  return sizes[Math.min(sizes.length - 1, Math.floor(quantile * sizes.length))]!;
}

/**
 * RGBA pixels, row-major. `order[c]` is the sample in column c; `limit[r]` is where row r saturates; `ramp` runs from
 * the most negative over 0 in its middle to the most positive; `blank` fills rows without numbers. `hatch` strikes
 * negative cells through diagonally, for themes where hue must not be the only sign.
 */
export function paint(
  rows: Rows,
  order: readonly number[],
  { width, height }: Geometry,
  limit: readonly number[],
  { ramp, blank, hatch }: { ramp: readonly Rgb[]; blank: Rgb; hatch: boolean },
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  const middle = (ramp.length - 1) / 2;
  let steps: Int32Array | null = null;
  let drawn = -1;
  for (let y = 0; y < height; y++) {
    const r = cell(y, height, rows.length);
    if (r !== drawn) {
      steps = rampSteps(rows[r]!, order, width, limit[r]!, middle);
      drawn = r;
    }
    for (let x = 0; x < width; x++) {
      let colour = blank;
      if (steps) colour = ramp[hatch && steps[x]! < middle && (x + y) % HATCH < HATCH / 2 ? middle : steps[x]!]!;
      pixels.set(colour, (y * width + x) * 4);
      pixels[(y * width + x) * 4 + 3] = 255;
    }
  }
  return pixels;
}

/** Pixels from one stroke of the hatching to the next. */
const HATCH = 4;

/** The place on the ramp per pixel column; null for a row without numbers. */
function rampSteps(
  row: readonly number[] | null,
  order: readonly number[],
  width: number,
  limit: number,
  middle: number,
): Int32Array | null {
  if (!row) return null;
  return Int32Array.from({ length: width }, (_, x) => {
    const value = strongest(row, order, cell(x, width, order.length), cellEnd(x, width, order.length));
    return Math.round(middle + middle * Math.max(-1, Math.min(1, value / limit)));
  });
}

function strongest(row: readonly number[], order: readonly number[], from: number, to: number): number {
  let value = finite(row[order[from]!]);
  for (let c = from + 1; c < to; c++) {
    const other = finite(row[order[c]!]);
    if (Math.abs(other) > Math.abs(value)) value = other;
  }
  return value;
}

/** The cell under pixel `p` of `size` pixels that show `count` cells. */
export const cell = (p: number, size: number, count: number) =>
  Math.max(0, Math.min(count - 1, Math.floor((p * count) / size)));
const cellEnd = (p: number, size: number, count: number) =>
  Math.max(cell(p, size, count) + 1, Math.floor(((p + 1) * count) / size));

/** Row and column under a point, or null outside. */
export function cellAt(
  x: number,
  y: number,
  { width, height, rows, columns }: Geometry,
): { row: number; column: number } | null {
  if (x < 0 || y < 0 || x >= width || y >= height || rows === 0 || columns === 0) return null;
  return { row: cell(y, height, rows), column: cell(x, width, columns) };
}

/** Height of a layer's row in CSS pixels: all layers without scrolling where that stays readable. */
export const rowHeight = (layers: number) => Math.max(5, Math.min(16, Math.floor(420 / Math.max(1, layers))));
