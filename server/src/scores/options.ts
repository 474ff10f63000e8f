/** Values of a score's options, from an experiment file or the command line, checked against their rows. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Json } from '../../../protocol/scores.ts';
import type { OptionRow, OptionValues, OptionRows, Score } from './types.ts';
import { entry } from '../lists/entry.ts';

/** "a number above 0", "mid or peak", "true or false". */
export function allowed(row: OptionRow): string {
  if (row.type === 'flag') return 'true or false';
  if (row.type === 'choice') return row.choices.join(' or ');
  if (row.type === 'text') return 'a text';
  const limits = [
    ...(row.above === undefined ? [] : [`above ${row.above}`]),
    ...(row.least === undefined ? [] : [`from ${row.least}`]),
    ...(row.most === undefined ? [] : [`up to ${row.most}`]),
  ];
  return [row.whole ? 'a whole number' : 'a number', ...limits].join(' ');
}

export function isAllowed(row: OptionRow, value: Json): boolean {
  if (row.type === 'flag') return typeof value === 'boolean';
  if (row.type === 'text') return typeof value === 'string';
  if (row.type === 'choice') return typeof value === 'string' && row.choices.includes(value);
  if (typeof value !== 'number' || !Number.isFinite(value) || (row.whole && !Number.isInteger(value))) return false;
  return value > (row.above ?? -Infinity) && value >= (row.least ?? -Infinity) && value <= (row.most ?? Infinity);
}

/**
 * Every option of the score, defaults filled in.
 * @throws LayerifError `badRequest` for an unknown option or a value that is not allowed
 */
export function optionValues(
  { id, options }: Pick<Score, 'id' | 'options'>,
  given: Readonly<Record<string, Json>>,
): OptionValues<OptionRows> & Record<string, Json> {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(options, name)) {
      const known = Object.keys(options).join(', ') || 'none';
      throw new LayerifError('badRequest', `score ${id} has no option "${name}"; its options: ${known}`);
    }
    if (!isAllowed(entry(options, name), value)) {
      throw new LayerifError(
        'badRequest',
        `${id}.${name} ${JSON.stringify(value)} is not allowed: use ${allowed(entry(options, name))}`,
      );
    }
  }
  return Object.fromEntries(Object.entries(options).map(([name, row]) => [name, given[name] ?? row.default])) as never;
}

/** "0.1" -> 0.1, "true" -> true, "peak" -> "peak": what a word of the command line means for an option. */
export function readOption(row: OptionRow, word: string): Json {
  if (row.type === 'flag') return word === 'true' ? true : word === 'false' ? false : word;
  if (row.type === 'choice' || row.type === 'text') return word;
  return word.trim() === '' ? word : Number.isNaN(Number(word)) ? word : Number(word);
}
