/**
 * What a measure says in words: whether the experiment's estimator, and the best one, do better than guessing, than
 * gradient dot and than the other controls. "Better" and "worse" are said only where intervals that hold for all
 * estimators at once exclude 0, and "beyond chance" only where unrelated predictors, the best of as many, reach as much
 * in at most 5 % of the cases.
 */
import type { AgreementRow, Measure } from '../../../../protocol/validation.ts';

const ERROR = 0.05;
/** Known to be right, but nothing that a run can choose. */
const IDEAL = 'exact_hessian';

/**
 * Per point one text about the best estimator: the best estimator, and before it one about the experiment's where it is
 * another one.
 */
export function verdictOf({ name, chance, rows }: Measure, estimator?: string): string[] {
  const points = [...new Set(rows.flatMap(({ point }) => point ?? []))];
  return points.flatMap((point) => {
    const here = rows.filter((row) => row.point === point && row.value !== null);
    const chosen = here.filter(({ predictor }) => predictor !== IDEAL);
    const fancy = best(chosen.filter((row) => !row.control));
    const dot = here.find((row) => row.predictor === 'dot');
    const ideal = here.find(({ predictor }) => predictor === IDEAL);
    if (!fancy) return [`${name}, ${point}: no estimator gives a defined value; nothing can be said.`];
    const rest = (row: AgreementRow) => [
      ...againstDot(row, dot),
      ...againstChance(row, chance),
      ...controls(row, rows),
    ];
    const own = chosen.find(({ predictor }) => predictor === estimator);
    const where = `${name}, ${point} gradients:`;
    const first =
      own && own !== fancy ? [[`${where} the experiment's estimator ${said(own)}.`, ...rest(own)].join(' ')] : [];
    const word =
      own === fancy
        ? `the best estimator, and the experiment's, is ${said(fancy)}`
        : `the best estimator is ${said(fancy)}`;
    const known = ideal ? [`The exact Hessian, which no run can choose, has ${shown(ideal)}.`] : [];
    return [...first, [`${where} ${word}.`, ...rest(fancy), ...known].join(' ')];
  });
}

function againstDot(row: AgreementRow, dot: AgreementRow | undefined): string[] {
  if (!dot || !row.overDot) return [];
  const { difference, interval } = row.overDot;
  const numbers = numbersOf(difference, interval);
  if (interval && interval[0] > 0) return [`It beats gradient dot (${shown(dot)}; ${numbers}).`];
  if (interval && interval[1] < 0) return [`It is worse than gradient dot (${shown(dot)}; ${numbers}).`];
  return [`It does not beat gradient dot beyond chance (${shown(dot)}; ${numbers}).`];
}

function againstChance({ interval, p }: AgreementRow, chance: number): string[] {
  if (p !== undefined && p > ERROR)
    return [
      `It is down to chance (${chance}): the best of as many predictors that know nothing does as well with probability ${p.toFixed(2)}.`,
    ];
  if (interval && interval[0] <= chance)
    return [`Its interval reaches down to chance (${chance}): too few samples to tell it from guessing.`];
  return [];
}

/** The control that is hardest to beat. */
function controls(row: AgreementRow, rows: readonly AgreementRow[]): string[] {
  if (!row.overControls?.length) {
    const control = best(rows.filter(({ control, point, value }) => control && point === null && value !== null));
    return control && control.value! >= row.value! ? [`It does not beat the control ${said(control)}.`] : [];
  }
  const least = (interval: [number, number] | null) => interval?.[0] ?? -Infinity;
  const hardest = row.overControls.reduce((a, b) =>
    least(b.interval) < least(a.interval) || (least(b.interval) === least(a.interval) && b.difference < a.difference)
      ? b
      : a,
  );
  const control = rows.find(({ predictor, point }) => predictor === hardest.control && point === null)!;
  const numbers = numbersOf(hardest.difference, hardest.interval);
  if (least(hardest.interval) > 0)
    return [`It beats every control without gradients (next: ${said(control)}; ${numbers}).`];
  return [
    `It does not beat the control ${said(control)}${hardest.difference > 0 ? ' beyond chance' : ''} (${numbers}).`,
  ];
}

function numbersOf(difference: number, interval: [number, number] | null): string {
  return `difference ${signed(difference)}${interval ? ` [${signed(interval[0])}, ${signed(interval[1])}]` : ''}`;
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
