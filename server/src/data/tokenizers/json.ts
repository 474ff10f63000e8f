import { lookup } from '../../text/lookup.ts';

/** Settings of tokenizer.json as they come. */
export type Json = Record<string, unknown>;

export const wordOf = (value: unknown, missing: string): string => (typeof value === 'string' ? value : missing);

/** Characters of a step that a message repeats. */
const LONGEST = 60;

/** What a table has for a step of the tokenizer. @throws Error for a type that is not in it, and for what has none */
export function makerOf<T>(part: string, settings: unknown, makers: Readonly<Record<string, T>>): T {
  const type = typeof settings === 'object' && settings !== null ? (settings as Json)['type'] : undefined;
  const known = typeof type === 'string' ? lookup(makers, type) : undefined;
  if (known !== undefined) return known;
  const given =
    typeof type === 'string' ? `"${type}"` : `${JSON.stringify(settings).slice(0, LONGEST)}, without a type`;
  throw new Error(`its ${part} is ${given}; known: ${Object.keys(makers).join(', ')}`);
}
