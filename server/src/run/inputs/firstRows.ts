/** The first rows of slices, without reading the others. */
import type { OpenDataset } from '../../data/dataset.ts';
import { parseSlices, resolveSlice } from '../../data/slices.ts';
import type { Row } from '../../data/types.ts';

export async function firstRows(dataset: OpenDataset, text: string, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const slice of parseSlices(text)) {
    const range = await resolveSlice(slice, () => dataset.count(slice.split));
    for await (const row of dataset.rows(slice.split, range)) {
      if (rows.length >= limit) return rows;
      rows.push(row);
    }
  }
  return rows;
}
