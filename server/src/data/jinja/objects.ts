/**
 * Python's types inside a template. None, bool, int, float and str are null, boolean, whole and other numbers
 * (`../numbers.ts`) and string; a list is an array. The rest are the classes below.
 */
import { countElements, countPieces, joinedTexts, requireText } from './limits.ts';
import { PythonDecimal } from './pythonDecimal.ts';
import { PythonValue } from './pythonValue.ts';
import { WholeFloat, isFloat, isWhole } from './numbers.ts';

export class Tuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Keys that are equal in Python (1, 1.0 and True) are one key; order is that of insertion. */
export class Dict {
  readonly #entries = new Map<string, [key: unknown, value: unknown]>();

  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    for (const [key, value] of entries) this.set(key, value);
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: unknown): unknown {
    return this.#entries.get(hash(key))?.[1];
  }
  has(key: unknown): boolean {
    return this.#entries.has(hash(key));
  }
  set(key: unknown, value: unknown): void {
    const id = hash(key);
    const known = this.#entries.get(id);
    if (known) known[1] = value;
    else this.#entries.set(id, [key, value]);
  }
  delete(key: unknown): void {
    this.#entries.delete(hash(key));
  }
  entries(): (readonly [unknown, unknown])[] {
    return [...this.#entries.values()];
  }
  keys(): unknown[] {
    return this.entries().map(([key]) => key);
  }
  values(): unknown[] {
    return this.entries().map(([, value]) => value);
  }
}

/** An error that is Jinja's own in Python: an undefined value, what a sandbox withholds, `raise_exception`. */
export class TemplateError extends Error {}

/** What is not there: any use but a test or `default` is an error (StrictUndefined). */
export class Undefined {
  /** For a name without a value: the name. */
  readonly unknown: string | null;
  readonly message: string;
  constructor(message: string, unknown: string | null = null) {
    this.message = message;
    this.unknown = unknown;
  }
  refuse(): never {
    throw this.unknown === null ? new TemplateError(this.message) : new UnknownName(this.unknown, this.message);
  }
}

/**
 * What is not there in chat templates, and everywhere what an `if` without `else` gives when its condition is false:
 * prints as nothing, is empty and false (Jinja's Undefined).
 */
export class Blank extends Undefined {}

/** A template reads a name that is not there. */
export class UnknownName extends TemplateError {
  readonly unknown: string;
  constructor(name: string, message = `"${name}" is not defined`) {
    super(message);
    this.unknown = name;
  }
}

/** Text that `escape`, `safe` or `tojson` made: it prints as text; operators on it would escape the other side. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A generator or view: may be looped over, joined or made a list; `label` is how it prints, null where Python prints an
 * address.
 */
export class Lazy {
  readonly items: readonly unknown[];
  readonly label: string | null;
  /** What Python calls it. */
  readonly type: string;
  constructor(items: readonly unknown[], type = 'generator', label: string | null = null) {
    this.items = items;
    this.type = type;
    this.label = label;
  }
}

/** `range(...)`: like a list that cannot change. */
export class Range extends Lazy {}

export interface Arguments {
  positional: unknown[];
  named: Map<string, unknown>;
}

/** A method, macro or global function. */
export class Callable {
  readonly name: string;
  readonly call: (args: Arguments) => unknown;
  constructor(name: string, call: (args: Arguments) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** Things with attributes: `loop`, `namespace()`, macros' `caller`. */
export class Attributes {
  readonly type: string;
  readonly values: Map<string, unknown>;
  readonly call: ((args: Arguments) => unknown) | null;
  constructor(type: string, values: Iterable<readonly [string, unknown]> = [], call: Attributes['call'] = null) {
    this.type = type;
    this.values = new Map(values);
    this.call = call;
  }
}

/** A value of a row -> a value of a template; lists and dicts are copied, since templates may change them. */
export function fromRow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromRow);
  if (value === undefined) return null;
  const isValue = value instanceof WholeFloat || value instanceof Dict || value instanceof PythonValue;
  if (typeof value !== 'object' || value === null || isValue) return value;
  return new Dict(Object.entries(value).map(([key, inner]) => [key, fromRow(inner)] as const));
}

export function typeName(value: unknown): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (isWhole(value)) return 'int';
  if (isFloat(value)) return 'float';
  if (typeof value === 'string') return 'str';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Tuple) return 'tuple';
  if (value instanceof Dict) return 'dict';
  if (value instanceof Markup) return 'Markup';
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Lazy || value instanceof Attributes || value instanceof PythonValue) return value.type;
  return 'function';
}

/** Counts the characters or elements that whoever reads the value goes through. @throws OverLimit */
export function countRead(value: unknown): void {
  if (typeof value === 'string' || Array.isArray(value)) countElements(value.length);
  else if (value instanceof Markup) countElements(value.text.length);
  else if (value instanceof Tuple || value instanceof Lazy) countElements(value.items.length);
  else if (value instanceof Dict) countPieces(value.size);
}

/** What a filter or method gives, counted. @throws OverLimit */
export function made<T>(value: T): T {
  countRead(value);
  if (typeof value === 'string') requireText(value.length);
  return value;
}

export function isNumeric(value: unknown): value is number | bigint | boolean | WholeFloat {
  return typeof value === 'boolean' || isWhole(value) || isFloat(value);
}

/** @throws Error for an undefined value */
export function defined(value: unknown): unknown {
  return value instanceof Undefined ? value.refuse() : value;
}

/** Equal values have equal hashes; lists and dicts have none. */
function hash(value: unknown): string {
  if (value instanceof Blank) return 'Undefined';
  defined(value);
  if (typeof value === 'string') return `s${value}`;
  if (value instanceof Markup) return `s${value.text}`;
  if (typeof value === 'bigint') return `n${value}`;
  if (isNumeric(value)) return `n${Number(value)}`;
  if (value === null) return 'None';
  if (value instanceof PythonDecimal) return `n${value.toFloat()}`;
  if (value instanceof PythonValue) return value.representation();
  if (value instanceof Tuple) {
    const parts = value.items.map((item) => hash(item).replaceAll(',', ',,'));
    return made(`t${joinedTexts(parts, ',;')}`);
  }
  throw new Error(`unhashable type: '${typeName(value)}'`);
}

export { hash };
