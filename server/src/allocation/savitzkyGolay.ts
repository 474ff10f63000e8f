/**
 * Savitzky-Golay smoothing (1964): every point becomes the value of a polynomial of order 3 fitted to the window of 7
 * around it; the first and the last three points are read off the polynomial of the first and the last window (scipy's
 * `mode="interp"`). Shorter series use the largest odd window that fits, from 5; below that nothing is smoothed.
 */
import { Matrix, pseudoInverse } from 'ml-matrix';
import { nth } from '../lists/nth.ts';

const WINDOW = 7;
const ORDER = 3;

/** The result may leave the range of the input a little. */
export function savitzkyGolay(values: readonly number[]): number[] {
  const window = Math.min(WINDOW, values.length % 2 === 1 ? values.length : values.length - 1);
  if (window < ORDER + 2) return [...values];
  const half = (window - 1) / 2;
  const rows = fitRows(window);
  return values.map((_, i) => {
    const start = Math.min(Math.max(0, i - half), values.length - window);
    const row = nth(rows, i - start);
    return row.reduce((sum, weight, k) => sum + weight * nth(values, start + k), 0);
  });
}

/** window x window: row k gives the fitted polynomial at point k of the window. */
function fitRows(window: number): number[][] {
  const half = (window - 1) / 2;
  const powers = new Matrix(
    Array.from({ length: window }, (_, i) => Array.from({ length: ORDER + 1 }, (_, p) => (i - half) ** p)),
  );
  return powers.mmul(pseudoInverse(powers)).to2DArray();
}
