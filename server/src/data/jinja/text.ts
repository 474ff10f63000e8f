/** Python's `str` and `repr`. */
import { countElements, requireText } from './limits.ts';
import { floatText, isFloat, isWhole, wholeText } from './numbers.ts';
import { PythonValue } from './pythonValue.ts';
import { Attributes, Blank, Callable, Dict, Lazy, Markup, Tuple, Undefined, fromRow, typeName } from './objects.ts';

/** Python's `str` of a value of a row. */
export function pythonText(value: unknown): string {
  return text(fromRow(value));
}

/** @throws Error for what is undefined, or prints as an address in memory */
export function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return value instanceof Blank ? '' : value.refuse();
  if (value instanceof PythonValue) return value.toString();
  return representation(value);
}

export function representation(value: unknown): string {
  countElements(1);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (isWhole(value)) return wholeText(value);
  if (isFloat(value)) return floatText(Number(value));
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (Array.isArray(value)) return `[${joined(value, representation)}]`;
  if (value instanceof Tuple) {
    const items = joined(value.items, representation);
    return value.items.length === 1 ? `(${items},)` : `(${items})`;
  }
  if (value instanceof Dict)
    return `{${joined(value.entries(), ([key, item]) => `${representation(key)}: ${representation(item)}`)}}`;
  if (value instanceof PythonValue) return value.representation();
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Lazy && value.label !== null)
    return value.label === '' ? `${value.type}(${representation([...value.items])})` : value.label;
  if (value instanceof Callable) throw new Error(`${value.name} is a function: call it as ${value.name}()`);
  if (value instanceof Attributes && value.type === 'namespace')
    return `<Namespace ${representation(new Dict(value.values))}>`;
  throw new Error(`a ${typeName(value)} prints as an address in memory: add |list, or |join`);
}

/** @throws OverLimit for what a list of lists of lists would come to */
function joined<T>(items: readonly T[], textOf: (item: T) => string): string {
  const parts: string[] = [];
  let length = 0;
  for (const item of items) {
    const part = textOf(item);
    length = requireText(length + part.length + 2);
    parts.push(part);
  }
  return parts.join(', ');
}

/** With the quotes that Python chooses; what cannot be printed becomes an escape. */
export function quoted(value: string, asciiOnly = false): string {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  let out = '';
  for (const char of value) {
    const code = char.codePointAt(0)!;
    if (char === quote || char === '\\') out += `\\${char}`;
    else if (char === '\n') out += '\\n';
    else if (char === '\r') out += '\\r';
    else if (char === '\t') out += '\\t';
    else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`;
    else if (code < 0x7f || (!asciiOnly && isPrintable(char))) out += char;
    else out += code <= 0xff ? `\\x${hex(code, 2)}` : code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  return quote + out + quote;
}

/** Python's rule: no control, format, surrogate, private or unassigned character, and no separator but the space. */
export function isPrintable(char: string): boolean {
  return char === ' ' || !/[\p{C}\p{Z}]/u.test(char);
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
