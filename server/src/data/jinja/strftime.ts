/** Python's `strftime` on Linux in the C locale, of a moment without time zone. To add a directive, add a row. */
import { nth } from '../../lists/nth.ts';
import { lookup } from '../../text/lookup.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const padded = (value: number, width = 2, fill = '0'): string => String(value).padStart(width, fill);
const hour12 = (date: Date): number => date.getHours() % 12 || 12;
const month = (date: Date): string => nth(MONTHS, date.getMonth());
const day = (date: Date): string => nth(DAYS, date.getDay());

/** From 0 on the first of January. */
function dayOfYear(date: Date): number {
  return Math.round((Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - yearStart(date)) / 86_400_000);
}
const yearStart = (date: Date): number => Date.UTC(date.getFullYear(), 0, 1);

/** Week of the year, whose first week begins on the first such day. @param first 0 for Sunday, 1 for Monday */
function week(date: Date, first: 0 | 1): number {
  return Math.floor((dayOfYear(date) + 7 - ((date.getDay() - first + 7) % 7)) / 7);
}

/** Year and week of ISO 8601: those of the week's Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 4 - (date.getDay() || 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

const directives: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => day(date).slice(0, 3),
  A: day,
  b: (date) => month(date).slice(0, 3),
  B: month,
  c: (date) => `${strftime(date, '%a %b')} ${padded(date.getDate(), 2, ' ')} ${strftime(date, '%T %Y')}`,
  C: (date) => padded(Math.floor(date.getFullYear() / 100)),
  d: (date) => padded(date.getDate()),
  D: (date) => strftime(date, '%m/%d/%y'),
  e: (date) => padded(date.getDate(), 2, ' '),
  f: (date) => padded(date.getMilliseconds() * 1000, 6),
  F: (date) => strftime(date, '%Y-%m-%d'),
  g: (date) => padded(isoWeek(date).year % 100),
  G: (date) => String(isoWeek(date).year),
  h: (date) => month(date).slice(0, 3),
  H: (date) => padded(date.getHours()),
  I: (date) => padded(hour12(date)),
  j: (date) => padded(dayOfYear(date) + 1, 3),
  k: (date) => padded(date.getHours(), 2, ' '),
  l: (date) => padded(hour12(date), 2, ' '),
  m: (date) => padded(date.getMonth() + 1),
  M: (date) => padded(date.getMinutes()),
  n: () => '\n',
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  r: (date) => strftime(date, '%I:%M:%S %p'),
  R: (date) => strftime(date, '%H:%M'),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  S: (date) => padded(date.getSeconds()),
  t: () => '\t',
  T: (date) => strftime(date, '%H:%M:%S'),
  u: (date) => String(date.getDay() || 7),
  U: (date) => padded(week(date, 0)),
  V: (date) => padded(isoWeek(date).week),
  w: (date) => String(date.getDay()),
  W: (date) => padded(week(date, 1)),
  x: (date) => strftime(date, '%D'),
  X: (date) => strftime(date, '%T'),
  y: (date) => padded(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  z: () => '',
  Z: () => '',
  '%': () => '%',
};

/**
 * The clock is that of this machine's time zone. `-` before a directive leaves out the filling; a directive that is not
 * known stays as it stands.
 */
export function strftime(date: Date, format: string): string {
  return format.replace(/%(-?)([A-Za-z%])/g, (found, bare: string, name: string) => {
    const shown = lookup(directives, name)?.(date);
    if (shown === undefined) return found;
    return bare ? shown.replace(/^[0 ]+(?=\d)/, '') : shown;
  });
}
