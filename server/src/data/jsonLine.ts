/**
 * A row as one line of JSON that reads back as the same values: whole floats keep their point, large whole numbers
 * their digits.
 */
import { isFloat, floatText } from './jinja/numbers.ts';
import { pythonText } from './jinja/text.ts';

/**
 * Dates and what JSON has no form for are written as Python prints them; NaN and infinities as Python's `json.dump`
 * does.
 */
export function jsonLine(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  if (isFloat(value)) return floatText(Number(value));
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(jsonLine).join(', ')}]`;
  const isPlain = Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null;
  if (!isPlain) return JSON.stringify(pythonText(value));
  const fields = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${jsonLine(one)}`);
  return `{${fields.join(', ')}}`;
}
