/**
 * The interpreter of `@huggingface/jinja` with the harness' strictness (an undefined name is an error) and Python's values. It sees
 * the columns it is given and nothing else: no file, no clock, no environment.
 */
import { Environment, Interpreter } from '@huggingface/jinja';
import { filters, listMethods, stringMethods } from './methods.ts';
import { equal, text, toPlain, toValue, type Value } from './values.ts';

type Statement = NonNullable<Parameters<Interpreter['evaluate']>[0]>;
/** Any node of the syntax tree. `Output` is ours: an expression whose value is printed. */
export type Node = { type: string } & Record<string, unknown>;

/** A template reads a name that is not there. */
export class UnknownName extends Error {
  readonly unknown: string;
  constructor(name: string, message = `"${name}" is not defined`) {
    super(message);
    this.unknown = name;
  }
}

export class PythonInterpreter extends Interpreter {
  /** Operands of `is defined` and `default`: they may be missing. */
  private readonly optional = new WeakSet<object>();

  top(node: Node): Value {
    return this.evaluate(node, this.global);
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
    throw new Error(`there is no ${written(node)}`);
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
      const value = this.evaluate(operand, environment);
      const replaced = value.type === 'UndefinedValue' || (args[1] === true && !value.__bool__().value);
      return replaced ? toValue(args[0] ?? '') : value;
    }
    if (!Object.hasOwn(filters, name)) return null;
    // `map(attribute="x")` is the library's own.
    if (name === 'map' && call && (filter['args'] as Node[])[0]?.type === 'KeywordArgumentExpression') return null;
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

/** Most elements that `range` gives, so that a slip cannot fill the memory. */
const LONGEST_RANGE = 100_000;

export const constants = { true: true, false: false, none: null, True: true, False: false, None: null };

export function scope(columns: Record<string, unknown>): Environment {
  const globals = new Environment();
  for (const [name, value] of Object.entries(constants)) globals.set(name, value);
  globals.set('range', (...args: number[]) => range(args));
  const environment = new Environment(globals);
  for (const [name, value] of Object.entries(columns)) {
    // `setVariable`, since a column may be called like a built-in function. Constants are words of the language.
    if (value !== undefined && !Object.hasOwn(constants, name)) environment.setVariable(name, toValue(value));
  }
  return environment;
}

function range(args: number[]): number[] {
  const [start, stop, step] = args.length === 1 ? [0, args[0], 1] : [args[0], args[1], args[2] ?? 1];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= LONGEST_RANGE)) throw new Error(`range() of ${count} elements; at most ${LONGEST_RANGE} are allowed`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** An expression as it was written, near enough for a message. */
function written(node: Node): string {
  if (node.type === 'Identifier') return node['value'] as string;
  if (node.type !== 'MemberExpression') return '(...)';
  const object = written(node['object'] as Node);
  const { type, value } = node['property'] as { type: string; value?: string | number };
  if (node['computed'] !== true) return `${object}.${value}`;
  if (type === 'IntegerLiteral' || type === 'StringLiteral') return `${object}[${JSON.stringify(value)}]`;
  return `${object}[...]`;
}
