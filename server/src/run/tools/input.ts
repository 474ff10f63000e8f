/** What a chat model sends is held to the table of tools before anything is read: models slip in names and types. */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ToolInput, ToolRow } from '../../../../protocol/tools.ts';
import { didYouMean } from '../../text/nearest.ts';

export type ToolValues = Record<string, string | number | readonly string[] | undefined>;

const kinds: Readonly<Record<ToolInput['type'], string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  strings: 'a list of texts',
};

/** @throws LayerifError `badRequest` for an unknown, missing or unfit input */
export function toolInput({ id, inputs }: ToolRow, given: unknown): ToolValues {
  const values = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const names = Object.keys(inputs);
  for (const name of Object.keys(values))
    if (!names.includes(name))
      throw new LayerifError(
        'badRequest',
        `${id} has no input "${name}"${didYouMean(name, names)}: it takes ${names.join(', ')}`,
      );
  const read: ToolValues = {};
  for (const [name, input] of Object.entries(inputs)) {
    const value = values[name];
    if (value === undefined || value === null) {
      if (!input.required) continue;
      throw new LayerifError('badRequest', `${id} needs the input "${name}": ${input.description}`);
    }
    if (!fits(input, value))
      throw new LayerifError(
        'badRequest',
        `${id} cannot use ${JSON.stringify(value)} as "${name}": give ${allowed(input)}`,
      );
    read[name] = value as ToolValues[string];
  }
  return read;
}

function fits({ type, words, minimum }: ToolInput, value: unknown): boolean {
  if (type === 'strings')
    return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string' && one !== '');
  if (type === 'string') return typeof value === 'string' && value !== '' && (!words || words.includes(value));
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return (type === 'number' || Number.isInteger(value)) && value >= (minimum ?? -Infinity);
}

function allowed({ type, words, minimum }: ToolInput): string {
  if (words) return `one of ${words.join(', ')}`;
  return `${kinds[type]}${minimum === undefined ? '' : ` from ${minimum}`}`;
}
