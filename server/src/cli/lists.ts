/** Values of options that are lists or numbers. */
import { LayerifError } from '../../../protocol/errors.ts';

/** "datainf, dot" -> two words. */
export function readList(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** @throws LayerifError `badRequest` */
export function readCount(name: string, text: string, from = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= from) return value;
  throw new LayerifError('badRequest', `--${name} "${text}" is not allowed: use a whole number from ${from}`);
}

/** "0.1, 10" -> two positive numbers. @throws LayerifError `badRequest` */
export function readFactors(text: string): number[] {
  const values = readList(text).map(Number);
  if (values.length > 0 && values.every((value) => value > 0 && Number.isFinite(value))) return values;
  throw new LayerifError(
    'badRequest',
    `--factor "${text}" is not allowed: use numbers above 0, for example 0.01,0.1,1`,
  );
}

/** Undefined where the option is not given. @throws LayerifError `badRequest` */
export function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw new LayerifError('badRequest', `--${name} "${text}" is not a number`);
}
