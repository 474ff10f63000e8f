/**
 * Renders a syntax tree over the columns of a row. A template sees the columns and the functions of its dialect, and
 * nothing else: no file, no environment, and a clock in chat templates alone.
 */
import { requirePublic, withheldBySandbox, type Dialect } from './dialects.ts';
import { applyFilter, filters, Group, type Context } from './filters.ts';
import { countElements, countStep, joinedTexts, withinLimits } from './limits.ts';
import { methodOf } from './methods.ts';
import { loopOf } from './loop.ts';
import type { Call, Expression, Signature, Statement, Target } from './nodes.ts';
import { PythonValue } from './pythonValue.ts';
import {
  Attributes,
  Blank,
  Callable,
  Dict,
  Tuple,
  countRead,
  defined,
  fromRow,
  made,
  typeName,
  type Arguments,
} from './objects.ts';
import { binary, compared, equal, item, iterate, negated, sliced, truth } from './operators.ts';
import { testsOf } from './tests.ts';
import { representation, text } from './text.ts';
import { lookup } from '../../text/lookup.ts';

const tests = testsOf(new Set(Object.keys(filters)));
export const testNames: ReadonlySet<string> = new Set(Object.keys(tests));

/** Deepest nesting of macros and recursive loops. */
const DEEPEST_CALLS = 100;

class Scope {
  readonly values = new Map<string, unknown>();
  readonly parent: Scope | null;
  constructor(parent: Scope | null) {
    this.parent = parent;
  }
  find(name: string): unknown {
    return this.values.has(name) ? this.values.get(name) : this.parent?.find(name);
  }
}

/** @throws UnknownName, Error */
export function renderTree(body: readonly Statement[], columns: Record<string, unknown>, dialect: Dialect): string {
  return withinLimits(() => new Renderer(columns, dialect).body(body, new Scope(null)));
}

class Renderer implements Context {
  readonly #columns: Record<string, unknown>;
  readonly #known = new Map<string, unknown>();
  readonly #names = new Map<readonly Statement[], ReadonlySet<string>>();
  #calls = 0;
  /** Set from a `break` or `continue` until its loop has seen it. */
  #jump: 'break' | 'continue' | null = null;
  readonly #dialect: Dialect;
  readonly missing: Dialect['missing'];

  constructor(columns: Record<string, unknown>, dialect: Dialect) {
    this.#columns = columns;
    this.#dialect = dialect;
    this.missing = dialect.missing;
  }

  body(statements: readonly Statement[], scope: Scope): string {
    let out = '';
    for (const statement of statements) {
      out += this.#statement(statement, scope);
      if (this.#jump !== null) break;
    }
    return out;
  }

  #statement(node: Statement, scope: Scope): string {
    countStep();
    switch (node.type) {
      case 'text':
        countElements(node.text.length);
        return node.text;
      case 'output': {
        const shown = text(this.#value(node.value, scope));
        countElements(shown.length);
        return shown;
      }
      case 'if': {
        const taken = node.branches.find(({ test }) => truth(this.#value(test, scope)));
        return this.body(taken?.body ?? node.otherwise, scope);
      }
      case 'for':
        return this.#for(node, this.#value(node.over, scope), scope, 1);
      case 'set':
        this.#assign(node.target, this.#value(node.value, scope), scope);
        return '';
      case 'setBlock': {
        const block = this.body(node.body, new Scope(scope));
        if (this.#jump !== null) return '';
        this.#assign(node.target, node.filter ? this.#filtered(node.filter, block, scope) : block, scope);
        return '';
      }
      case 'with': {
        const inner = new Scope(scope);
        for (const [target, value] of node.pairs) this.#assign(target, this.#value(value, scope), inner);
        return this.body(node.body, inner);
      }
      case 'macro':
        scope.values.set(node.name, this.#macro(node.name, node.signature, node.body, scope));
        return '';
      case 'callBlock': {
        if (node.call.type !== 'call') return '';
        const args = this.#arguments(node.call.args, scope);
        args.named.set('caller', this.#macro('caller', node.signature, node.body, scope));
        return text(this.#called(this.#value(node.call.of, scope), args));
      }
      case 'filterBlock': {
        const block = this.body(node.body, new Scope(scope));
        return this.#jump === null ? text(this.#filtered(node.filter, block, scope)) : '';
      }
      case 'jump':
        this.#jump = node.to;
        return '';
      case 'scope':
        return this.body(node.body, new Scope(scope));
    }
  }

  #for(node: Extract<Statement, { type: 'for' }>, over: unknown, scope: Scope, depth: number): string {
    const { target, test } = node;
    countRead(over);
    let items = iterate(over);
    if (test)
      items = items.filter((one) => {
        const inner = new Scope(scope);
        this.#assign(target, one, inner);
        return truth(this.#value(test, inner));
      });
    const again = node.recursive
      ? (args: Arguments): string => this.#deeper(() => this.#for(node, args.positional[0], scope, depth + 1))
      : null;
    let last: unknown[] | null = null;
    const changed = new Callable('changed', ({ positional }) => {
      const same = last !== null && equal(last, positional);
      last = positional;
      return !same;
    });
    let out = '';
    // Jinja's rule: `else` stands for a loop of which no round came to its end.
    let complete = false;
    for (const [index, one] of items.entries()) {
      countStep();
      const inner = new Scope(scope);
      inner.values.set('loop', loopOf(items, index, depth, changed, again, this.missing));
      this.#assign(target, one, inner);
      out += this.body(node.body, inner);
      const jump = this.#jump;
      this.#jump = null;
      complete ||= jump === null;
      if (jump === 'break') break;
    }
    return complete ? out : out + this.body(node.otherwise, scope);
  }

  #deeper<T>(work: () => T): T {
    this.#calls += 1;
    if (this.#calls > DEEPEST_CALLS) throw new Error(`macros or loops call themselves more than ${DEEPEST_CALLS} deep`);
    const result = work();
    this.#calls -= 1;
    return result;
  }

  #assign(target: Target, value: unknown, scope: Scope): void {
    if (target.type === 'name') scope.values.set(target.name, value);
    else if (target.type === 'attribute') {
      const space = this.#named(target.name, scope);
      if (!(space instanceof Attributes) || space.type !== 'namespace')
        throw new Error(`cannot assign attribute on non-namespace object "${target.name}"`);
      if (this.#dialect.sandboxed) requirePublic(target.attribute);
      space.values.set(target.attribute, value);
    } else {
      const items = iterate(value);
      if (items.length !== target.items.length)
        throw new Error(`${items.length} values for ${target.items.length} names`);
      target.items.forEach((one, i) => this.#assign(one, items[i], scope));
    }
  }

  #macro(name: string, signature: Signature, body: readonly Statement[], scope: Scope): Callable {
    const { names, defaults } = signature;
    const read = this.#namesOf(body);
    return new Callable(name, ({ positional, named }) => {
      const inner = new Scope(scope);
      const rest = new Map(named);
      names.forEach((parameter, i) => {
        const fallback = defaults[i - (names.length - defaults.length)] as Expression | undefined;
        let value: unknown;
        if (i < positional.length) value = positional[i];
        else if (rest.has(parameter)) value = rest.get(parameter);
        else
          value = fallback ? this.#value(fallback, inner) : this.missing(`parameter "${parameter}" was not provided`);
        rest.delete(parameter);
        inner.values.set(parameter, value);
      });
      if (read.has('caller')) inner.values.set('caller', rest.get('caller') ?? this.missing('No caller defined'));
      rest.delete('caller');
      if (read.has('varargs')) inner.values.set('varargs', new Tuple(positional.slice(names.length)));
      else if (positional.length > names.length)
        throw new Error(`macro "${name}" takes not more than ${names.length} argument(s)`);
      if (read.has('kwargs')) inner.values.set('kwargs', new Dict(rest));
      else if (rest.size > 0) throw new Error(`macro "${name}" takes no keyword argument "${[...rest.keys()][0]}"`);
      return this.#deeper(() => this.body(body, inner));
    });
  }

  /** A body may be defined again in every round of a loop. */
  #namesOf(body: readonly Statement[]): ReadonlySet<string> {
    const known = this.#names.get(body) ?? namesRead(body);
    this.#names.set(body, known);
    return known;
  }

  // Expressions.

  #named(name: string, scope: Scope): unknown {
    const local = scope.find(name);
    if (local !== undefined) return local;
    if (this.#known.has(name)) return this.#known.get(name);
    const { globals } = this.#dialect;
    const value =
      Object.hasOwn(this.#columns, name) && this.#columns[name] !== undefined
        ? fromRow(this.#columns[name])
        : Object.hasOwn(globals, name)
          ? lookup(globals, name)
          : this.missing(`"${name}" is not defined`, name);
    this.#known.set(name, value);
    return value;
  }

  #value(node: Expression, scope: Scope): unknown {
    countStep();
    switch (node.type) {
      case 'constant':
        return node.value;
      case 'name':
        return this.#named(node.name, scope);
      case 'attribute':
        return this.#attribute(this.#value(node.of, scope), node.name, node);
      case 'item': {
        const of = this.#value(node.of, scope);
        if (node.key.type === 'slice')
          return sliced(
            of,
            node.key.bounds.map((bound) => (bound ? this.#value(bound, scope) : null)),
          );
        return this.#item(of, this.#value(node.key, scope), node);
      }
      case 'slice':
        throw new Error('a slice stands in brackets behind a value');
      case 'call':
        return this.#called(this.#value(node.of, scope), this.#arguments(node.args, scope));
      case 'filter':
        return this.#filtered(node, undefined, scope);
      case 'test':
        return this.test(node.name, this.#value(node.of, scope), this.#arguments(node.args, scope));
      case 'not':
        return !truth(this.#value(node.of, scope));
      case 'sign': {
        const value = this.#value(node.of, scope);
        return node.operator === '-' ? negated(value) : binary('+', value, 0);
      }
      case 'binary':
        return binary(node.operator, this.#value(node.left, scope), this.#value(node.right, scope));
      case 'logic': {
        const left = this.#value(node.left, scope);
        return truth(left) === (node.operator === 'or') ? left : this.#value(node.right, scope);
      }
      case 'concat': {
        return made(
          joinedTexts(
            node.parts.map((part) => text(this.#value(part, scope))),
            '',
          ),
        );
      }
      case 'compare':
        return this.#compare(node, scope);
      case 'condition':
        if (truth(this.#value(node.test, scope))) return this.#value(node.then, scope);
        if (node.otherwise) return this.#value(node.otherwise, scope);
        return new Blank('the condition of an if without else is false');
      case 'list':
        return node.items.map((one) => this.#value(one, scope));
      case 'tuple':
        return new Tuple(node.items.map((one) => this.#value(one, scope)));
      case 'dict':
        return new Dict(
          node.pairs.map(([key, value]) => [this.#value(key, scope), this.#value(value, scope)] as const),
        );
    }
  }

  #attribute(value: unknown, name: string, node: Expression): unknown {
    defined(value);
    if (this.#dialect.sandboxed && withheldBySandbox(value, name))
      return this.missing(`${written(node)} is withheld: a chat template changes no list or mapping`);
    if (value instanceof Attributes && value.values.has(name)) return value.values.get(name);
    if (value instanceof PythonValue && value.part(name) !== undefined) return value.part(name);
    if (value instanceof Group && (name === 'grouper' || name === 'list')) return value[name];
    const method = methodOf(value, name);
    if (method) return method;
    const found = item(value, name);
    return found === undefined ? this.missing(`there is no ${written(node)}`) : found;
  }

  #item(value: unknown, key: unknown, node: Expression): unknown {
    defined(value);
    if (!(key instanceof Blank)) defined(key);
    const found = item(value, key);
    if (found !== undefined) return found;
    if (typeof key !== 'string') return this.missing(`there is no ${written(node)}`);
    return this.#attribute(value, key, node);
  }

  #compare(node: Extract<Expression, { type: 'compare' }>, scope: Scope): boolean {
    let left = this.#value(node.left, scope);
    for (const { operator, right } of node.rest) {
      const value = this.#value(right, scope);
      if (!compared(operator, left, value)) return false;
      left = value;
    }
    return true;
  }

  /** A chain of filters; `block` is what the innermost one works on where it stands in a tag. */
  #filtered(node: Expression, block: string | undefined, scope: Scope): unknown {
    if (node.type !== 'filter') return this.#value(node, scope);
    const value = node.of === null ? block! : this.#filtered(node.of, block, scope);
    return this.filter(node.name, value, this.#arguments(node.args, scope));
  }

  filter(name: string, value: unknown, args: Arguments): unknown {
    countRead(value);
    return made(applyFilter(this.#dialect.filters, name, value, args, this));
  }

  test(name: string, value: unknown, { positional }: Arguments): boolean {
    const own = lookup(tests, name);
    if (!own) throw new Error(`there is no test "${name}"`);
    countRead(value);
    return own(value, positional);
  }

  #arguments({ positional, named, list, dict }: Call, scope: Scope): Arguments {
    const args: Arguments = {
      positional: positional.map((one) => this.#value(one, scope)),
      named: new Map(named.map(([name, one]) => [name, this.#value(one, scope)])),
    };
    if (list) args.positional = [...args.positional, ...iterate(this.#value(list, scope))];
    if (dict) {
      const more = this.#value(dict, scope);
      if (!(more instanceof Dict)) throw new Error(`** needs a mapping, not ${typeName(more)}`);
      for (const [name, one] of more.entries()) args.named.set(text(name), one);
    }
    return args;
  }

  #called(value: unknown, args: Arguments): unknown {
    defined(value);
    args.positional.forEach(countRead);
    if (value instanceof Callable) return made(value.call(args));
    if (value instanceof Attributes && value.call) return made(value.call(args));
    throw new Error(`'${typeName(value)}' object is not callable`);
  }
}

/** An expression as it was written, near enough for a message. */
function written(node: Expression): string {
  if (node.type === 'name') return node.name;
  if (node.type === 'attribute') return `${written(node.of)}.${node.name}`;
  if (node.type !== 'item') return '(...)';
  const { key } = node;
  return `${written(node.of)}[${key.type === 'constant' ? (typeof key.value === 'string' ? JSON.stringify(key.value) : representation(key.value)) : '...'}]`;
}

/** Every name that stands in a body, whoever gives it its value. */
export function namesRead(tree: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(tree)) tree.forEach((one) => namesRead(one, found));
  else if (typeof tree === 'object' && tree !== null) {
    const node = tree as { type?: string; name?: string } & Record<string, unknown>;
    if (node.type === 'name' && 'at' in node) found.add(node.name!);
    for (const child of Object.values(node)) if (typeof child === 'object') namesRead(child, found);
  }
  return found;
}
