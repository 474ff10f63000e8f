/**
 * A bar chart of one value per layer, in text. Pure: values and width in, lines out.
 *
 * Positive bars are solid and grow to the right in eighths of a character. When there is a negative value, the zero
 * line moves inward and negative bars are shaded and grow to the left, so that they differ by more than side or colour.
 * Whiskers are drawn over the bars.
 */
import { percent, score } from './format.ts';

export interface Bar {
  label: string;
  value: number;
  /** Drawn as a whisker, ├ to ┤, where no bar is negative. */
  interval?: [low: number, high: number] | undefined;
  /** A last column. */
  note?: string | undefined;
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * @param width characters available for a whole line; below 40 the chart is drawn 40 wide.
 * @returns a heading and one line per bar: label, bar, share of the sum of absolute values, value.
 */
export function barChart(
  bars: readonly Bar[],
  { width, heading = 'layer', noteHeading = '' }: { width: number; heading?: string; noteHeading?: string },
): string[] {
  const total = bars.reduce((sum, { value }) => sum + Math.abs(value), 0);
  const rows = bars.map((bar) => ({
    ...bar,
    share: total === 0 ? '-' : percent(Math.abs(bar.value) / total),
    shown: score(bar.value),
    note: bar.note ?? '',
  }));
  const labelWidth = Math.max(heading.length, ...bars.map(({ label }) => label.length));
  const shareWidth = Math.max('share'.length, ...rows.map(({ share }) => share.length));
  const scoreWidth = Math.max('score'.length, ...rows.map(({ shown }) => shown.length));
  const noteWidth = Math.max(noteHeading.length, ...rows.map(({ note }) => note.length));
  const noteRoom = noteWidth > 0 ? noteWidth + 2 : 0;
  const room = Math.max(8, Math.max(40, width) - labelWidth - shareWidth - scoreWidth - noteRoom - 6);

  const whiskers = bars.every(({ value }) => value >= 0);
  const top = ({ value, interval }: Bar) => (whiskers && interval ? Math.max(value, interval[1]) : value);
  const high = Math.max(0, ...bars.map(top));
  const low = Math.min(0, ...bars.map(({ value }) => value));
  const span = high - low;
  // Either side that has a bar has at least one character for it.
  const left = low === 0 ? 0 : Math.min(room - (high > 0 ? 2 : 1), Math.max(1, Math.round((-low / span) * (room - 1))));
  const right = room - left - (left > 0 ? 1 : 0);

  const line = (label: string, bar: string, share: string, value: string, note: string) =>
    `${label.padStart(labelWidth)}  ${bar.padEnd(room)}  ${share.padStart(shareWidth)}  ${value.padStart(scoreWidth)}${note ? `  ${note}` : ''}`;
  return [
    line(heading, '', 'share', 'score', noteHeading),
    ...rows.map(({ label, value, interval, share, shown, note }) => {
      const bar = drawn(value, { high, low, left, right });
      const whiskered = whiskers && interval && high > 0 ? withWhisker(bar, interval, right / high) : bar;
      return line(label, whiskered, share, shown, note);
    }),
  ];
}

/** The bar alone, of `left` and `right` characters on either side of zero. */
export function drawn(
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

/** @param scale characters per unit */
function withWhisker(bar: string, [low, high]: readonly [number, number], scale: number): string {
  const end = Math.max(0, Math.ceil(high * scale) - 1);
  const start = Math.min(end, Math.max(0, Math.floor(low * scale)));
  if (start === end) return bar;
  const characters = [...bar.padEnd(end + 1)].map((c, i) => (c === ' ' && i > start && i < end ? '─' : c));
  characters[start] = '├';
  characters[end] = '┤';
  return characters.join('');
}
