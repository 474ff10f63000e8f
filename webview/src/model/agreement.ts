/** One column of a matrix of agreement as rows under the question that each score answers. Pure: no DOM. */
import type { ScoreTable } from '../../../protocol/scores.ts';

/** The score that is measured, where the matrix has it. */
export const TRUTH = 'layer_drop';

export interface AgreementRow {
  label: string;
  value: number | null;
  interval: readonly [number, number] | null;
}

export interface AgreementGroup {
  question: string;
  /** The highest correlation first; undefined ones last. */
  rows: AgreementRow[];
}

export const isAgreement = ({ score }: ScoreTable) => score === 'agreement';

export const labelsOf = ({ axes }: ScoreTable): string[] => axes[0]!.labels.map(String);

/** Which score the others are put beside, when nothing was chosen. */
export function besideOf(table: ScoreTable, chosen: string): string {
  const labels = labelsOf(table);
  if (labels.includes(chosen)) return chosen;
  return labels.find((label) => label.split(' ')[0] === TRUTH) ?? labels[0] ?? '';
}

/** @param beside a label of the table */
export function agreementWith(table: ScoreTable, beside: string): AgreementGroup[] {
  const labels = labelsOf(table);
  const column = labels.indexOf(beside);
  const groups: AgreementGroup[] = [];
  labels.forEach((label, row) => {
    if (row === column) return;
    const question = table.axes[0]!.groups?.[row] ?? '';
    let group = groups.find((one) => one.question === question);
    if (!group) groups.push((group = { question, rows: [] }));
    const at = row * labels.length + column;
    group.rows.push({ label, value: table.values[at] ?? null, interval: table.intervals?.[at] ?? null });
  });
  for (const { rows } of groups) rows.sort((a, b) => (b.value ?? -2) - (a.value ?? -2));
  return groups;
}
