/** Vectors as rows of one array: cut out of the states of all depths, and standardised for a classifier. */
import type { Rows } from './classifier.ts';

/** The rows of one depth of states [depths, count, width]. */
export function rowsAt(data: ArrayLike<number>, depth: number, count: number, width: number): Rows {
  const own = new Float64Array(count * width);
  for (let i = 0; i < own.length; i++) own[i] = data[depth * count * width + i];
  return { data: own, count, width };
}

interface Scale {
  mean: Float64Array;
  /** Standard deviation. */
  spread: Float64Array;
}

/** Mean and standard deviation of each column over some rows. */
export function scaleOf({ data, width }: Rows, rows: readonly number[]): Scale {
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  for (const i of rows) for (let j = 0; j < width; j++) mean[j] += data[i * width + j] / rows.length;
  for (const i of rows) for (let j = 0; j < width; j++) spread[j] += (data[i * width + j] - mean[j]) ** 2 / rows.length;
  for (let j = 0; j < width; j++) spread[j] = Math.sqrt(spread[j]) + 1e-6;
  return { mean, spread };
}

/** Some rows, less the mean and by the standard deviation. */
export function standardised({ data, width }: Rows, rows: readonly number[], { mean, spread }: Scale): Rows {
  const own = new Float64Array(rows.length * width);
  rows.forEach((i, at) => {
    for (let j = 0; j < width; j++) own[at * width + j] = (data[i * width + j] - mean[j]) / spread[j];
  });
  return { data: own, count: rows.length, width };
}
