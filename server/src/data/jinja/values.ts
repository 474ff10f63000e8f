/** Runtime values of `@huggingface/jinja` to plain values and back, and how Python prints and compares them. */
import { Environment, type Interpreter } from '@huggingface/jinja';

export type Value = ReturnType<Interpreter['evaluate']>;

/** Python's `str`. */
export function pythonText(value: unknown): string {
  return text(toValue(value));
}

const factory = new Environment();

export function toValue(value: unknown): Value {
  factory.variables.delete('value');
  return factory.set('value', value);
}

export function toPlain(value: Value): unknown {
  if (value.type === 'ArrayValue' || value.type === 'TupleValue') return (value.value as Value[]).map(toPlain);
  if (value.type === 'ObjectValue')
    return Object.fromEntries([...(value.value as Map<string, Value>)].map(([name, item]) => [name, toPlain(item)]));
  return value.value;
}

export function text(value: Value): string {
  switch (value.type) {
    case 'StringValue':
      return value.value as string;
    case 'UndefinedValue':
      return '';
    default:
      return representation(value);
  }
}

/** Python's `repr`. */
export function representation(value: Value): string {
  switch (value.type) {
    case 'BooleanValue':
      return value.value === true ? 'True' : 'False';
    case 'NullValue':
      return 'None';
    case 'StringValue': {
      const escaped = (value.value as string)
        .replaceAll('\\', '\\\\')
        .replaceAll('\n', '\\n')
        .replaceAll('\t', '\\t')
        .replaceAll('\r', '\\r');
      return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
    }
    case 'ArrayValue':
      return `[${(value.value as Value[]).map(representation).join(', ')}]`;
    case 'TupleValue': {
      const items = (value.value as Value[]).map(representation);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
    }
    case 'ObjectValue':
      return `{${[...(value.value as Map<string, Value>)].map(([name, item]) => `${representation(toValue(name))}: ${representation(item)}`).join(', ')}}`;
    default:
      return value.toString();
  }
}

export function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  // In Python, True == 1.
  const number = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value);
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => name in b && equal(a[name], b[name]));
  }
  return number(a) === number(b);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
