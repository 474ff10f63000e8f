/**
 * The slice language of splits, as in Hugging Face: `train`, `train[:300]`, `train[10:20]`, `train[-50:]`,
 * `train[:10%]`, `train[10%:20%]`, and sums with `+`. Ends are exclusive; percentages round to the closest row (half to
 * even).
 */
import { LayerifError } from '../../../protocol/errors.ts';

/** One term of a sum. Bounds in rows, or in percent of the split's rows; null = open. */
export interface Slice {
  split: string;
  from: number | null;
  to: number | null;
  unit: 'rows' | 'percent';
}

export interface Range {
  /** First row, from 0. */
  start: number;
  /** One past the last row; `Infinity` = to the end of the split. */
  end: number;
}

const TERM = /^(?<split>[\w.-]+)(\[((?<from>-?[\d_]+)(?<fromPercent>%)?)?:((?<to>-?[\d_]+)(?<toPercent>%)?)?\])?$/;

/** @throws LayerifError `badData` when `text` is no slice. */
export function parseSlices(text: string): Slice[] {
  return text.split('+').map((term) => {
    const groups = TERM.exec(term.trim())?.groups;
    if (!groups)
      throw fault(
        `"${text}" is not a split; write train, train[:300], train[10:20], train[-50:], train[10%:20%] or a sum of such with +`,
      );
    const { split = '', fromPercent, toPercent } = groups;
    const from = bound(groups['from']);
    const to = bound(groups['to']);
    const percent = fromPercent !== undefined || toPercent !== undefined;
    if (
      percent &&
      ((from !== null && from !== 0 && fromPercent === undefined) || (to !== null && toPercent === undefined))
    ) {
      throw fault(`"${text}" mixes rows and percent in one slice; write both ends in rows or both in percent`);
    }
    if (percent && [from, to].some((value) => value !== null && Math.abs(value) > 100)) {
      throw fault(`"${text}" asks for more than 100 %; percentages go from -100 to 100`);
    }
    return { split, from, to, unit: percent ? 'percent' : 'rows' };
  });
}

/** Rows of a slice in a split of `count` rows; `count` is only asked for when the slice needs it. */
export async function resolveSlice(slice: Slice, count: () => Promise<number>): Promise<Range> {
  const { from, to, unit } = slice;
  if (unit === 'rows' && (from ?? 0) >= 0 && (to ?? 0) >= 0) return { start: from ?? 0, end: to ?? Infinity };
  const rows = await count();
  const absolute = (value: number): number => {
    const wanted = unit === 'percent' ? roundHalfEven((value * rows) / 100) : value;
    return Math.min(rows, wanted < 0 ? Math.max(0, rows + wanted) : wanted);
  };
  return { start: from === null ? 0 : absolute(from), end: to === null ? rows : absolute(to) };
}

function bound(text: string | undefined): number | null {
  return text === undefined ? null : Number(text.replaceAll('_', ''));
}

/** Python's `round`: 0.5 -> 0, 1.5 -> 2. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  // Adding 0 turns -0 into 0.
  if (rest !== 0.5) return Math.round(value) + 0;
  return floor % 2 === 0 ? floor : floor + 1;
}

function fault(message: string): LayerifError {
  return new LayerifError('badData', message);
}
