/** Sentences that explain whole numbers, and the check that powers of the values exist. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Rounded } from './rounding.ts';
import { nth } from '../lists/nth.ts';

/** Three significant digits, as charts show scores. */
export function short(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return (size >= 1e4 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(3)).replace('e+', 'e');
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** "its score 8.46e11 to the power 3 is 4.2 % of the sum: 5.40 of the 128 experts beyond the minimum" */
export function shareText(value: number, share: number, extra: number, beta: number, noun: [string, string]): string {
  const part = extra > 0 ? percent(share / extra) : 'a part';
  return `its score ${short(value)} to the power ${beta} is ${part} of the sum over layers: ${share.toFixed(2)} of the ${extra} ${noun[1]} beyond the minimum`;
}

/** The same for AlphaLoRA's rounding, with what the repair loop did. */
export function alphaLoraText(
  value: number,
  { shares, repaired }: Rounded,
  layer: number,
  total: number,
  beta: number,
  noun: [string, string],
  what: string,
): string {
  const change = nth(repaired, layer);
  const repair =
    change === 0
      ? ''
      : `, ${change > 0 ? `raised by ${change}` : `lowered by ${-change}`} to keep the minimum and the total`;
  return `${what} ${short(value)} to the power ${beta} is ${percent(nth(shares, layer) / total)} of the sum over layers: ${nth(shares, layer).toFixed(2)} of ${total} ${noun[1]}${repair}`;
}

/** @throws LayerifError `badRequest` */
export function requireNotNegative(values: readonly number[], rule: string): void {
  const layer = values.findIndex((value) => value < 0);
  if (layer < 0) return;
  throw new LayerifError(
    'badRequest',
    `rule ${rule} takes powers of scores, but layer ${layer} has the score ${short(nth(values, layer))}: use --aggregation positive or top25, or the rule released, which normalises the scores first`,
  );
}
