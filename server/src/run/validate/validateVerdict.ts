/** What a measure says in words: whether an estimator does better than gradient dot, and than the best control. */
import type { AgreementRow, Measure } from '../../../../protocol/validation.ts';

/** One sentence per point and measure. Only intervals that exclude 0 count as better or worse. */
export function verdictOf({ name, chance, rows }: Measure): string[] {
  const controls = rows.filter((row) => row.control && row.point === null && row.value !== null);
  const bestControl = best(controls);
  const points = [...new Set(rows.flatMap(({ point }) => point ?? []))];
  return points.flatMap((point) => {
    const here = rows.filter((row) => row.point === point && row.value !== null);
    const fancy = best(here.filter((row) => !row.control));
    const dot = here.find((row) => row.predictor === 'dot');
    if (!fancy) return [`${name}, ${point}: no estimator gives a defined value; nothing can be said.`];
    const parts = [`${name}, ${point} gradients: the best estimator is ${said(fancy)}.`];
    if (dot) parts.push(againstDot(fancy, dot));
    if (fancy.interval && fancy.interval[0] <= chance)
      parts.push(`Its interval reaches down to chance (${chance}): too few samples to tell it from guessing.`);
    if (bestControl && bestControl.value! >= fancy.value!)
      parts.push(`It does not beat the control ${said(bestControl)}.`);
    return [parts.join(' ')];
  });
}

function againstDot(fancy: AgreementRow, dot: AgreementRow): string {
  const { difference, interval } = fancy.overDot!;
  const numbers = `difference ${signed(difference)}${interval ? ` [${signed(interval[0])}, ${signed(interval[1])}]` : ''}`;
  if (interval && interval[0] > 0) return `It beats gradient dot (${shown(dot)}; ${numbers}).`;
  if (interval && interval[1] < 0) return `It is worse than gradient dot (${shown(dot)}; ${numbers}).`;
  return `It does not beat gradient dot beyond chance (${shown(dot)}; ${numbers}).`;
}

function best(rows: readonly AgreementRow[]): AgreementRow | undefined {
  return rows.reduce<AgreementRow | undefined>((a, b) => (a === undefined || b.value! > a.value! ? b : a), undefined);
}

function said(row: AgreementRow): string {
  return `${row.predictor} with ${shown(row)}`;
}

function shown({ value, interval }: AgreementRow): string {
  return `${value!.toFixed(2)}${interval ? ` [${interval[0].toFixed(2)}, ${interval[1].toFixed(2)}]` : ''}`;
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
}
