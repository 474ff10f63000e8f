/** Texts of scored rows for the tables of the editor. A text is null where its file is not as it was scored. */
import path from 'node:path';
import type { SampleTextAnswer } from '../../../../protocol/lsp.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { nth } from '../../lists/nth.ts';
import { requireSameData, scoresOf, sourceOf, tableOf, textsOf } from './scoredRows.ts';

/**
 * @param by label of the table
 * @throws LayerifError `badRequest` for an unknown score or row, or unreadable scores
 */
export async function rowTexts(
  scoresFile: string,
  by: string,
  rows: readonly number[],
): Promise<SampleTextAnswer['samples']> {
  const { scores } = scoresOf(scoresFile);
  const table = tableOf(scores, by, scoresFile);
  const { files, file, line } = table.rows;
  const unknown = rows.find((row) => !Object.hasOwn(file, row));
  if (unknown !== undefined)
    throw new LayerifError('badRequest', `${by} has ${file.length} rows, there is no row ${unknown}`);
  const found = new Map<number, { text: string; answer: string }>();
  if (await unchanged(table, scores)) {
    const source = sourceOf(scores, table);
    for await (const { index, prompt, answer } of textsOf(table, source, rows))
      found.set(index, { text: prompt + answer, answer });
  }
  return rows.map((index) => ({
    index,
    text: found.get(index)?.text ?? null,
    answer: found.get(index)?.answer ?? null,
    file: path.resolve(path.dirname(scores.experimentFile), nth(files, nth(file, index))),
    line: nth(line, index),
  }));
}

async function unchanged(...of: Parameters<typeof requireSameData>): Promise<boolean> {
  try {
    await requireSameData(...of);
    return true;
  } catch (error) {
    if (error instanceof LayerifError && error.code === 'badData') return false;
    throw error;
  }
}
