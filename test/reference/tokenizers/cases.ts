/** What make.py wrote: texts, trained models, and cases in which "@name" stands for a model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const reference = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8'));

export const texts = reference('texts.json') as string[];
export const models = reference('models.json') as Record<string, unknown>;

export function filled(value: unknown): unknown {
  if (typeof value === 'string') return value.startsWith('@') ? structuredClone(models[value.slice(1)]) : value;
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]));
}

export const idsOf = (line: string): number[] => (line === '' ? [] : line.split(' ').map(Number));
