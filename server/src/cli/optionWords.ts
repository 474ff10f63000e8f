/** Options of a score in words: "multiple 5, texts train". Pure. */
import type { Json } from '../../../protocol/scores.ts';

export function optionWords(options: Record<string, Json>): string {
  return Object.entries(options)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
