/** Numbers and tables as people read them in a terminal. */
import { WARNING } from '../../../protocol/readability.ts';
import { nth } from '../lists/nth.ts';

/** 75.2 -> "1 min 15 s". */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${rest} s`;
}

/** 134515008 -> "134,515,008". */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** "1 sample", "300 samples". */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Three significant digits: "0.0312", "845", "8.46e11". */
export function score(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return (size >= 1e4 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(3)).replace('e+', 'e');
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** A note of a file as a line; warnings say so themselves. */
export function noteLine(note: string): string {
  return note.startsWith(WARNING) ? note : `Note: ${note}`;
}

/** Columns padded to equal width, two spaces between; `right` lists the columns that hold numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = nth(rows, 0).map((_, column) => Math.max(...rows.map((row) => nth(row, column).length)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      right.includes(column) ? cell.padStart(nth(widths, column)) : cell.padEnd(nth(widths, column)),
    );
    return cells.join('  ').trimEnd();
  });
}
