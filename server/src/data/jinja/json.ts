/**
 * The filter `tojson`: Python's `json.dumps` with sorted keys and ASCII alone; `< > & '` as escapes, which HTML needs.
 */
import { floatText, isFloat, isWhole } from './numbers.ts';
import { Dict, Markup, Tuple, defined, isNumeric, typeName } from './objects.ts';
import { sorted } from './operators.ts';

/** @param indent spaces a level, or null for one line @throws Error for what is no JSON */
export function json(value: unknown, indent: number | null): string {
  return dump(value, indent, '\n').replace(/[<>&']/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

function dump(value: unknown, indent: number | null, newline: string): string {
  if (defined(value) === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (isWhole(value)) return String(value);
  if (isFloat(value)) return floatJson(Number(value));
  if (typeof value === 'string') return stringJson(value);
  if (value instanceof Markup) return stringJson(value.text);
  const inner = newline + ' '.repeat(indent ?? 0);
  const block = (open: string, parts: string[], close: string): string => {
    if (parts.length === 0) return open + close;
    return indent === null ? open + parts.join(', ') + close : open + inner + parts.join(`,${inner}`) + newline + close;
  };
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? (value as unknown[]) : value.items;
    return block(
      '[',
      items.map((item) => dump(item, indent, inner)),
      ']',
    );
  }
  if (value instanceof Dict) {
    const keys = sorted(value.keys(), (key) => key, false);
    return block(
      '{',
      keys.map((key) => `${stringJson(keyText(key))}: ${dump(value.get(key), indent, inner)}`),
      '}',
    );
  }
  throw new Error(`Object of type ${typeName(value)} is not JSON serializable`);
}

function floatJson(value: number): string {
  return Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? floatText(value) : value < 0 ? '-Infinity' : 'Infinity';
}

function stringJson(value: string): string {
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function keyText(key: unknown): string {
  if (typeof key === 'string') return key;
  if (isNumeric(key) || key === null) return dump(key, null, '');
  throw new Error(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}
