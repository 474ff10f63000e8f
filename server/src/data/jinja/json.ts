/** Python's `json.dumps`, and Jinja's own filter `tojson` that is made of it. */
import { countElements, joinedTexts, repeatedText, requireText } from './limits.ts';
import { floatText, isFloat, isWhole, wholeText } from './numbers.ts';
import { Dict, Markup, Tuple, defined, isNumeric, typeName } from './objects.ts';
import { sorted } from './operators.ts';

export interface JsonForm {
  /** What a level is indented by; null for one line. */
  indent: string | null;
  /** Between elements, and between key and value. */
  separators: readonly [string, string];
  ascii: boolean;
  sortKeys: boolean;
}

/**
 * Jinja's filter: sorted keys, ASCII alone, `< > & '` as escapes, which HTML needs.
 *
 * @param indent spaces a level, or null for one line
 * @throws Error for what is no JSON
 */
export function htmlJson(value: unknown, indent: number | null): string {
  const form = {
    indent: indent === null ? null : repeatedText(' ', indent),
    separators: separatorsOf(indent !== null),
    ascii: true,
    sortKeys: true,
  };
  return json(value, form).replace(/[<>&']/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

/** Python's separators where none are given. */
export function separatorsOf(indented: boolean): [string, string] {
  return [indented ? ',' : ', ', ': '];
}

/** @throws Error for what is no JSON */
export function json(value: unknown, form: JsonForm): string {
  return dump(value, form, '\n');
}

function dump(value: unknown, form: JsonForm, newline: string): string {
  const { indent, separators, ascii } = form;
  countElements(1);
  if (defined(value) === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (isWhole(value)) return wholeText(value);
  if (isFloat(value)) return floatJson(Number(value));
  if (typeof value === 'string') return stringJson(value, ascii);
  if (value instanceof Markup) return stringJson(value.text, ascii);
  const inner = newline + (indent ?? '');
  const block = (open: string, parts: string[], close: string): string => {
    if (parts.length === 0) return open + close;
    requireText(inner.length);
    return indent === null
      ? open + joinedTexts(parts, separators[0]) + close
      : open + inner + joinedTexts(parts, separators[0] + inner) + newline + close;
  };
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? (value as unknown[]) : value.items;
    return block(
      '[',
      items.map((item) => dump(item, form, inner)),
      ']',
    );
  }
  if (value instanceof Dict) {
    const keys = form.sortKeys ? sorted(value.keys(), (key) => key, false) : value.keys();
    return block(
      '{',
      keys.map((key) => stringJson(keyText(key, form), ascii) + separators[1] + dump(value.get(key), form, inner)),
      '}',
    );
  }
  throw new Error(`Object of type ${typeName(value)} is not JSON serializable`);
}

function floatJson(value: number): string {
  return Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? floatText(value) : value < 0 ? '-Infinity' : 'Infinity';
}

function stringJson(value: string, ascii: boolean): string {
  const quoted = JSON.stringify(value);
  if (!ascii) return quoted;
  return quoted.replace(/[\x7f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function keyText(key: unknown, form: JsonForm): string {
  if (typeof key === 'string') return key;
  if (isNumeric(key) || key === null) return dump(key, form, '');
  throw new Error(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}
