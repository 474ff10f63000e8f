/**
 * Numbers and quantities as text. Scores span 1e-12 to 1e12, so a number is plain between 0.001 and 99,999 and
 * scientific outside; the minus is U+2212, which is as wide as the plus. Nothing here ever prints `NaN`.
 */
export const MINUS = '\u2212';
export const MISSING = '\u2013';

/** Three significant digits, so that columns align: `0`, `12.3`, `−4.56e7`, `2.10e−8`. */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const rounded = Number(size.toPrecision(digits));
  const text = rounded >= 1e-3 && rounded < 1e5 ? plain(size, digits) : size.toExponential(digits - 1);
  return (value < 0 ? MINUS : '') + text.replace('e+', 'e').replace('e-', `e${MINUS}`);
}

function plain(size: number, digits: number): string {
  if (Number(size.toPrecision(digits)) >= 1000) return Math.round(size).toLocaleString('en-US');
  return size.toPrecision(digits);
}

/** For an axis: no more digits than the number needs. */
export const formatTick = (value: number) =>
  formatNumber(Number(value.toPrecision(3))).replace(/\.0+(?=e|$)|(\.\d*[1-9])0+(?=e|$)/, '$1');

/** With its sign in front even when positive: influence is read by its sign first. */
export function formatSigned(value: number | null | undefined): string {
  const text = formatNumber(value);
  return typeof value === 'number' && value > 0 && text !== MISSING ? `+${text}` : text;
}

/** 0.123 -> `12 %`; one decimal below 10 %. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return MISSING;
  const percent = Math.abs(share) * 100;
  const text = percent === 0 ? '0' : percent < 0.1 ? '<0.1' : percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0);
  return `${share < 0 && percent > 0 ? MINUS : ''}${text}\u00a0%`;
}

/** 134515008 -> `134.5 M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return MISSING;
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
  ] as const)
    if (count >= unit) return `${(count / unit).toFixed(1)}\u00a0${name}`;
  return Math.round(count).toLocaleString('en-US');
}

export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes <= 0) return MISSING;
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)}\u00a0GiB`;
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(0)}\u00a0MiB`;
  return `${Math.ceil(bytes / 1024)}\u00a0KiB`;
}

/** Seconds -> `0.4 s`, `12 s`, `3 min 12 s`, `2 h 05 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return MISSING;
  if (seconds < 9.95) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}\u00a0s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${String(whole % 60).padStart(2, '0')}\u00a0s`;
  return `${Math.floor(whole / 3600)}\u00a0h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}\u00a0min`;
}

/** ISO 8601 -> the reader's date and time; the text itself where it is no date. */
export function formatDate(iso: string): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso === '' ? MISSING : iso;
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
