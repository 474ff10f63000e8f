/**
 * Jinja as lm-evaluation-harness sets it up: undefined names are errors, line breaks are kept, values print and compare as in
 * Python. `@huggingface/jinja` is made for chat templates; the tables below supply what task templates use beyond that.
 * To add a string or list method or a filter, add a row.
 *
 * A template is data: it sees the columns it is given and nothing else, no file, no clock, no environment.
 */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';

type Value = ReturnType<Interpreter['evaluate']>;
type Statement = NonNullable<Parameters<Interpreter['evaluate']>[0]>;
/** Any node of the syntax tree. */
type Node = { type: string } & Record<string, unknown>;

export interface Template {
  /** The rendered text. @throws UnknownName, Error */
  render(columns: Record<string, unknown>): string;
  /** The value itself (a list, a number) where the template is one `{{ expression }}`, else the rendered text. */
  value(columns: Record<string, unknown>): unknown;
  /** Names that the template reads and does not define. */
  names: string[];
}

/** A template reads a name that is not there. */
export class UnknownName extends Error {
  readonly unknown: string;
  constructor(name: string, message = `"${name}" is not defined`) {
    super(message);
    this.unknown = name;
  }
}

/** @throws Error when `source` is not valid Jinja; the message says what is wrong. */
export function compileTemplate(source: string): Template {
  // The library drops one trailing line break; the harness keeps it.
  const program = parse(tokenize(source.endsWith('\n') ? `${source}\n` : source)) as unknown as Node;
  markOutputs(program);
  const body = program['body'] as Node[];
  const single = body.length === 1 && body[0].type === 'Output' ? body[0] : null;
  const run = (node: Node, columns: Record<string, unknown>): Value => new PythonInterpreter(scope(columns)).top(node);
  return {
    render: (columns) => text(run(program, columns)),
    value: (columns) => (single ? toPlain(run(single['expression'] as Node, columns)) : text(run(program, columns))),
    names: freeNames(program),
  };
}

/** `['no', "yes", 3]` -> the list, as the harness' `ast.literal_eval`; null when `source` is no list of literals. */
export function literalList(source: string): unknown[] | null {
  if (!/^\s*\[[^]*\]\s*$/.test(source)) return null;
  try {
    const body = (parse(tokenize(`{{${source}}}`)) as unknown as Node)['body'] as Node[];
    const items = body.length === 1 && body[0].type === 'ArrayLiteral' ? (body[0]['value'] as Node[]) : null;
    if (!items?.every((item) => ['StringLiteral', 'IntegerLiteral', 'FloatLiteral'].includes(item.type))) return null;
    return items.map((item) => item['value']);
  } catch {
    return null;
  }
}

/** Python's `str`. */
export function pythonText(value: unknown): string {
  return text(toValue(value));
}

/** Most elements that `range` gives, so that a slip cannot fill the memory. */
const LONGEST_RANGE = 100_000;

const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

type Method = (self: string, ...args: unknown[]) => unknown;

/** String methods that the library lacks, or has with other results than Python's. */
const stringMethods: Record<string, Method> = {
  find: (self, part, from = 0) => self.indexOf(String(part), Number(from)),
  rfind: (self, part) => self.lastIndexOf(String(part)),
  index: (self, part) => found(self.indexOf(String(part)), part),
  rindex: (self, part) => found(self.lastIndexOf(String(part)), part),
  count: (self, part) => self.split(String(part)).length - 1,
  strip: (self, set) => stripped(stripped(self, set, 'left'), set, 'right'),
  lstrip: (self, set) => stripped(self, set, 'left'),
  rstrip: (self, set) => stripped(self, set, 'right'),
  capitalize: (self) => capitalized(self),
  title: (self) => self.replace(/\p{L}+/gu, capitalized),
  swapcase: (self) => [...self].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join(''),
  join: (self, items) => (items as unknown[]).map(String).join(self),
  removeprefix: (self, part) => (self.startsWith(String(part)) ? self.slice(String(part).length) : self),
  removesuffix: (self, part) =>
    part !== '' && self.endsWith(String(part)) ? self.slice(0, -String(part).length) : self,
  splitlines: (self) => self.replace(/\r\n|\r|\n$/g, (end) => (end === '\r\n' || end === '\r' ? '\n' : '')).split('\n'),
  rsplit: (self, separator, most = -1) => rsplit(self, separator, Number(most)),
  partition: (self, separator) => partition(self, String(separator)),
  zfill: (self, width) => self.padStart(Number(width), '0'),
  isdigit: (self) => /^\d+$/.test(self),
  isnumeric: (self) => /^\p{N}+$/u.test(self),
  isalpha: (self) => /^\p{L}+$/u.test(self),
  isalnum: (self) => /^[\p{L}\p{N}]+$/u.test(self),
  isspace: (self) => /^\s+$/.test(self),
  isupper: (self) => self !== self.toLowerCase() && self === self.toUpperCase(),
  islower: (self) => self !== self.toUpperCase() && self === self.toLowerCase(),
  format: (self, ...args) => {
    let next = 0;
    return self.replace(/\{(\d*)\}/g, (_, index: string) => String(args[index === '' ? next++ : Number(index)]));
  },
};

const listMethods: Record<string, (self: unknown[], ...args: unknown[]) => unknown> = {
  index: (self, item) =>
    found(
      self.findIndex((other) => equal(other, item)),
      item,
    ),
  count: (self, item) => self.filter((other) => equal(other, item)).length,
};

/** Filters that the library lacks, or has with other results than Jinja's. `regex_replace` is the harness' own. */
const filters: Record<string, (self: unknown, ...args: unknown[]) => unknown> = {
  regex_replace: (self, pattern, replacement = '', count = 0) => {
    let left = Number(count) === 0 ? Infinity : Number(count);
    const to = String(replacement)
      .replaceAll('$', '$$$$')
      .replace(/\\(?:g<)?(\d+)>?/g, '$$$1');
    return String(self).replace(new RegExp(String(pattern), 'gu'), (match) => {
      left -= 1;
      return left < 0 ? match : match.replace(new RegExp(String(pattern), 'u'), to);
    });
  },
  list: (self) => (typeof self === 'string' ? [...self] : self),
  first: (self) => elements(self)[0],
  last: (self) => elements(self).at(-1),
  count: (self) => elements(self).length,
  max: (self) => elements(self).reduce((a, b) => ((b as number) > (a as number) ? b : a)),
  min: (self) => elements(self).reduce((a, b) => ((b as number) < (a as number) ? b : a)),
  sum: (self) => elements(self).reduce<number>((a, b) => a + Number(b), 0),
  join: (self, separator = '') =>
    elements(self)
      .map((item) => pythonText(item))
      .join(String(separator)),
  string: (self) => pythonText(self),
  trim: (self, set) => stringMethods['strip'](pythonText(self), set),
  lower: (self) => pythonText(self).toLowerCase(),
  upper: (self) => pythonText(self).toUpperCase(),
  capitalize: (self) => capitalized(pythonText(self)),
  title: (self) => stringMethods['title'](pythonText(self)),
  int: (self, fallback = 0) => {
    const number =
      typeof self === 'string'
        ? /^\s*[-+]?\d[\d_]*(\.\d*)?\s*$/.test(self)
          ? Number(self.replaceAll('_', ''))
          : NaN
        : Number(self);
    return Number.isNaN(number) ? fallback : Math.trunc(number);
  },
};

class PythonInterpreter extends Interpreter {
  /** Operands of `is defined` and `default`: they may be missing. */
  private readonly optional = new WeakSet<object>();

  top(node: Node): Value {
    return this.evaluate(node as unknown as Statement, this.global);
  }

  override evaluate(statement: Statement | undefined, environment: Environment): Value {
    const node = statement as unknown as Node | undefined;
    if (node === undefined) return super.evaluate(statement, environment);
    const inner = (key: string): Value => this.evaluate(node[key] as Statement, environment);
    switch (node.type) {
      case 'Output':
        return toValue(text(inner('expression')));
      case 'Identifier':
      case 'MemberExpression':
        return this.required(node, super.evaluate(statement, environment));
      case 'TestExpression':
        if (['defined', 'undefined'].includes((node['test'] as { value: string }).value))
          this.optional.add(node['operand'] as object);
        return super.evaluate(statement, environment);
      case 'BinaryExpression': {
        const operator = (node['operator'] as { value: string }).value;
        if (operator === '==' || operator === '!=')
          return toValue(equal(toPlain(inner('left')), toPlain(inner('right'))) === (operator === '=='));
        if (operator !== '%') return super.evaluate(statement, environment);
        const [left, right] = [toPlain(inner('left')), toPlain(inner('right'))];
        if (typeof left !== 'number' || typeof right !== 'number') return super.evaluate(statement, environment);
        return toValue(((left % right) + right) % right);
      }
      case 'CallExpression':
        return this.method(node, environment) ?? super.evaluate(statement, environment);
      case 'FilterExpression':
        return this.filter(node, environment) ?? super.evaluate(statement, environment);
      default:
        return super.evaluate(statement, environment);
    }
  }

  private required(node: Node, value: Value): Value {
    if (value.type !== 'UndefinedValue' || this.optional.has(node)) return value;
    if (node.type === 'Identifier') throw new UnknownName(node['value'] as string);
    const property = node['property'] as Node;
    throw new Error(
      `${written(node)} does not exist${property.type === 'Identifier' && node['computed'] !== true ? '' : ' (no such element)'}`,
    );
  }

  /** `text.find("x")`, `list.index(3)`. */
  private method(node: Node, environment: Environment): Value | null {
    const callee = node['callee'] as Node;
    if (callee.type !== 'MemberExpression' || callee['computed'] === true) return null;
    const name = (callee['property'] as { value: string }).value;
    if (!Object.hasOwn(stringMethods, name) && !Object.hasOwn(listMethods, name)) return null;
    const self = toPlain(this.evaluate(callee['object'] as Statement, environment));
    const args = (): unknown[] => this.plainArguments(node['args'] as Node[], environment);
    if (typeof self === 'string' && Object.hasOwn(stringMethods, name))
      return toValue(stringMethods[name](self, ...args()));
    if (Array.isArray(self) && Object.hasOwn(listMethods, name)) return toValue(listMethods[name](self, ...args()));
    return null;
  }

  private filter(node: Node, environment: Environment): Value | null {
    const filter = node['filter'] as Node;
    const call = filter.type === 'CallExpression';
    const name = ((call ? filter['callee'] : filter) as { value: string }).value;
    if (name === 'default' || name === 'd') {
      const operand = node['operand'] as Node;
      this.optional.add(operand);
      const args = call ? this.plainArguments(filter['args'] as Node[], environment) : [];
      const value = this.evaluate(operand as unknown as Statement, environment);
      const replaced = value.type === 'UndefinedValue' || (args[1] === true && !value.__bool__().value);
      return replaced ? toValue(args[0] ?? '') : value;
    }
    if (!Object.hasOwn(filters, name)) return null;
    const self = toPlain(this.evaluate(node['operand'] as Statement, environment));
    return toValue(filters[name](self, ...(call ? this.plainArguments(filter['args'] as Node[], environment) : [])));
  }

  private plainArguments(args: Node[], environment: Environment): unknown[] {
    return args.map((arg) => {
      const node = arg.type === 'KeywordArgumentExpression' ? arg['value'] : arg;
      return toPlain(this.evaluate(node as Statement, environment));
    });
  }
}

/** Wraps what a template prints, so that printing follows Python. */
function markOutputs(node: Node): void {
  const statements = new Set([
    'If',
    'For',
    'Set',
    'Macro',
    'CallStatement',
    'FilterStatement',
    'Break',
    'Continue',
    'Comment',
  ]);
  for (const key of ['body', 'alternate', 'defaultBlock']) {
    const block = node[key];
    if (!Array.isArray(block)) continue;
    node[key] = (block as Node[]).map((child) => {
      markOutputs(child);
      return statements.has(child.type) ? child : { type: 'Output', expression: child };
    });
  }
}

function scope(columns: Record<string, unknown>): Environment {
  const globals = new Environment();
  for (const [name, value] of Object.entries(constants)) globals.set(name, value);
  globals.set('range', (...args: number[]) => range(args));
  const environment = new Environment(globals);
  // `setVariable`, since a column may be called like a built-in name.
  for (const [name, value] of Object.entries(columns))
    if (value !== undefined) environment.setVariable(name, toValue(value));
  return environment;
}

function range(args: number[]): number[] {
  const [start, stop, step] = args.length === 1 ? [0, args[0], 1] : [args[0], args[1], args[2] ?? 1];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= LONGEST_RANGE)) throw new Error(`range() of ${count} elements; at most ${LONGEST_RANGE} are allowed`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const factory = new Environment();

function toValue(value: unknown): Value {
  factory.variables.delete('value');
  return factory.set('value', value);
}

function toPlain(value: Value): unknown {
  if (value.type === 'ArrayValue' || value.type === 'TupleValue') return (value.value as Value[]).map(toPlain);
  if (value.type === 'ObjectValue')
    return Object.fromEntries([...(value.value as Map<string, Value>)].map(([name, item]) => [name, toPlain(item)]));
  return value.value;
}

function text(value: Value): string {
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
function representation(value: Value): string {
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

function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  // In Python, True == 1.
  const number = (value: unknown): unknown => (typeof value === 'boolean' ? Number(value) : value);
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => name in b && equal(a[name], b[name]));
  }
  return number(a) === number(b);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function elements(value: unknown): unknown[] {
  if (typeof value === 'string') return [...value];
  if (Array.isArray(value)) return value;
  if (isRecord(value)) return Object.keys(value);
  throw new Error(`a list or text is needed, not ${pythonText(value)}`);
}

function found(index: number, wanted: unknown): number {
  if (index < 0) throw new Error(`${representation(toValue(wanted))} is not in it`);
  return index;
}

function stripped(self: string, set: unknown, side: 'left' | 'right'): string {
  if (set === undefined || set === null) return side === 'left' ? self.trimStart() : self.trimEnd();
  const chars = new Set(String(set));
  const letters = [...self];
  while (letters.length > 0 && chars.has(side === 'left' ? letters[0] : letters.at(-1)!)) {
    if (side === 'left') letters.shift();
    else letters.pop();
  }
  return letters.join('');
}

/** Python's `capitalize`: the rest becomes lower case. */
function capitalized(self: string): string {
  const [first = '', ...rest] = self;
  return first.toUpperCase() + rest.join('').toLowerCase();
}

function rsplit(self: string, separator: unknown, most: number): string[] {
  const parts =
    separator === undefined || separator === null ? self.trim().split(/\s+/) : self.split(String(separator));
  if (most < 0 || parts.length <= most + 1) return parts;
  const kept = parts.length - most;
  return [
    parts.slice(0, kept).join(separator === undefined || separator === null ? ' ' : String(separator)),
    ...parts.slice(kept),
  ];
}

function partition(self: string, separator: string): string[] {
  const at = self.indexOf(separator);
  return at < 0 ? [self, '', ''] : [self.slice(0, at), separator, self.slice(at + separator.length)];
}

/** An expression as it was written, near enough for a message. */
function written(node: Node): string {
  if (node.type === 'Identifier') return node['value'] as string;
  if (node.type !== 'MemberExpression') return '(...)';
  const property = node['property'] as Node;
  const object = written(node['object'] as Node);
  if (node['computed'] !== true) return `${object}.${String(property['value'])}`;
  return `${object}[${property.type === 'StringLiteral' ? `"${String(property['value'])}"` : String(property['value'] ?? '...')}]`;
}

/** Names read but not set: not loop variables, `set` targets, macros and their parameters, built-ins. */
function freeNames(program: Node): string[] {
  const read = new Set<string>();
  const declared = new Set(['loop', 'range', 'namespace', 'caller', ...Object.keys(constants)]);
  const declare = (target: Node): void => {
    if (target.type === 'Identifier') declared.add(target['value'] as string);
    if (target.type === 'TupleLiteral') (target['value'] as Node[]).forEach(declare);
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node instanceof Map) return [...node].forEach(visit);
    if (typeof node !== 'object' || node === null || !('type' in node)) return;
    const tree = node as Node;
    const skipped = new Set<string>();
    if (tree.type === 'Identifier') read.add(tree['value'] as string);
    if (tree.type === 'For') declare(tree['loopvar'] as Node);
    if (tree.type === 'Set') declare(tree['assignee'] as Node);
    if (tree.type === 'Macro') [tree['name'] as Node, ...(tree['args'] as Node[])].forEach(declare);
    if (tree.type === 'MemberExpression' && tree['computed'] !== true) skipped.add('property');
    if (tree.type === 'FilterExpression' || tree.type === 'FilterStatement') {
      skipped.add('filter');
      visit((tree['filter'] as Node)['args']);
    }
    if (tree.type === 'TestExpression') skipped.add('test');
    if (tree.type === 'KeywordArgumentExpression') skipped.add('key');
    for (const [key, child] of Object.entries(tree)) if (!skipped.has(key)) visit(child);
  };
  visit(program);
  return [...read].filter((name) => !declared.has(name));
}
