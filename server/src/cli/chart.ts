/**
 * A bar chart of one value per layer, in text. Pure: values and width in, lines out.
 *
 * Positive bars are solid and grow to the right in eighths of a character. When there is a negative value, the zero line
 * moves inward and negative bars are shaded and grow to the left, so that they differ by more than side or colour.
 */
import { percent, score } from './format.ts';

export interface Bar {
  label: string;
  value: number;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * @param width characters available for a whole line; below 40 the chart is drawn 40 wide.
 * @returns a heading and one line per bar: label, bar, share of the sum of absolute values, value.
 */
export function barChart(
  bars: readonly Bar[],
  { width, heading = 'layer' }: { width: number; heading?: string },
): string[] {
  const total = bars.reduce((sum, { value }) => sum + Math.abs(value), 0);
  const shares = bars.map(({ value }) => (total === 0 ? '-' : percent(Math.abs(value) / total)));
  const scores = bars.map(({ value }) => score(value));
  const labelWidth = Math.max(heading.length, ...bars.map(({ label }) => label.length));
  const shareWidth = Math.max('share'.length, ...shares.map((text) => text.length));
  const scoreWidth = Math.max('score'.length, ...scores.map((text) => text.length));
  const room = Math.max(8, Math.max(40, width) - labelWidth - shareWidth - scoreWidth - 6);

  const high = Math.max(0, ...bars.map(({ value }) => value));
  const low = Math.min(0, ...bars.map(({ value }) => value));
  const span = high - low;
  // Either side that has a bar has at least one character for it.
  const left = low === 0 ? 0 : Math.min(room - (high > 0 ? 2 : 1), Math.max(1, Math.round((-low / span) * (room - 1))));
  const right = room - left - (left > 0 ? 1 : 0);

  const line = (label: string, bar: string, share: string, value: string) =>
    `${label.padStart(labelWidth)}  ${bar.padEnd(room)}  ${share.padStart(shareWidth)}  ${value.padStart(scoreWidth)}`;
  return [
    line(heading, '', 'share', 'score'),
    ...bars.map(({ label, value }, index) =>
      line(label, drawn(value, { high, low, left, right }), shares[index], scores[index]),
    ),
  ];
}

function drawn(
  value: number,
  { high, low, left, right }: { high: number; low: number; left: number; right: number },
): string {
  const zeroLine = left > 0 ? '│' : '';
  if (value < 0) return '▒'.repeat(Math.max(1, Math.round((value / low) * left))).padStart(left) + zeroLine;
  const steps = high === 0 ? 0 : Math.round((value / high) * right * 8);
  // A value above zero never looks like zero.
  const visible = value > 0 ? Math.max(1, steps) : 0;
  return ' '.repeat(left) + zeroLine + '█'.repeat(Math.floor(visible / 8)) + eighths[visible % 8];
}
