/** From a score's numbers to its table: the words of the score's row, and what is undefined said as such. */
import type { Json, ScoreTable } from '../../../protocol/scores.ts';
import type { Score, ScoreNumbers, ScoreWords } from './types.ts';

export function tableOf(
  score: Score,
  numbers: ScoreNumbers,
  {
    options,
    texts,
    needs,
    layers,
  }: { options: Record<string, Json>; texts: string | null; needs: string[]; layers: number },
): ScoreTable {
  const { values, axes, notes, parts, layers: byLayer, ...rest } = numbers;
  const table: ScoreTable = {
    ...wordsOf(score),
    options,
    texts,
    axes: axes ?? [{ name: 'layer', labels: Array.from({ length: layers }, (_, layer) => layer) }],
    ...definedNumbers({ values, parts }),
    ...(byLayer ? { layers: { ...byLayer, values: byLayer.values.map(defined) } } : {}),
    ...rest,
    notes,
    needs,
  };
  const size = table.axes.reduce((product, { labels }) => product * labels.length, 1);
  if (table.values.length !== size)
    throw new Error(`score ${score.id} gave ${table.values.length} values for ${size} places`);
  const bad = values.flatMap((value, i) => (value !== null && !Number.isFinite(value) ? [i] : []));
  if (bad.length > 0) table.notes = [...notes, `${bad.length} values are not finite and are left undefined`];
  return table;
}

/** The part of a table that its score says, whatever the numbers. */
export function wordsOf(score: ScoreWords) {
  const { id, version, title, unit, source, formula, status, question, subject, higherMeans } = score;
  return { score: id, version, title, unit, source, formula, status, question, subject, higherMeans };
}

/** Values and parts as JSON holds them. */
export function definedNumbers({ values, parts }: Pick<ScoreTable, 'values' | 'parts'>) {
  const all = Object.entries(parts ?? {}).map(([name, part]): [string, (number | null)[]] => [name, part.map(defined)]);
  return { values: values.map(defined), ...(parts ? { parts: Object.fromEntries(all) } : {}) };
}

/** JSON knows neither NaN nor infinity, and neither is a score. */
const defined = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

/** "12.5 %", in a note of a table. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
