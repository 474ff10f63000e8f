/** Expressions of a template, with the grammar and precedence of Jinja 3.1. */
import type { Dialect } from './dialects.ts';
import { failAt, normalised, tokenize, type Token, type TokenType } from './lexer.ts';
import type { Call, Expression } from './nodes.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

/** What a template may use; anything else is refused with its place. */
export interface Known {
  dialect: Dialect;
  filters: ReadonlySet<string>;
  tests: ReadonlySet<string>;
  /** Filters of Jinja that are not run here, with the reason. */
  refused: Readonly<Record<string, string>>;
}

export const constants: Record<string, unknown> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};
const comparisons = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** Deepest nesting of expressions and blocks. */
const DEEPEST = 200;

export class ExpressionParser {
  protected readonly source: string;
  protected readonly tokens: Token[];
  protected readonly known: Known;
  protected position = 0;
  protected depth = 0;

  constructor(source: string, known: Known) {
    this.source = normalised(source, known.dialect);
    this.tokens = tokenize(this.source, known.dialect);
    this.known = known;
  }

  // Tokens.

  protected get token(): Token {
    return nth(this.tokens, this.position);
  }
  protected next(): Token {
    return nth(this.tokens, this.position++);
  }
  protected is(type: TokenType, text?: string): boolean {
    return this.token.type === type && (text === undefined || this.token.text === text);
  }
  protected op(text: string): boolean {
    return this.is('operator', text);
  }
  protected skip(type: TokenType, text: string): boolean {
    if (!this.is(type, text)) return false;
    this.position += 1;
    return true;
  }
  protected expect(type: TokenType, text?: string): Token {
    if (!this.is(type, text)) this.unexpected(text ?? type.replace('_', ' '));
    return this.next();
  }
  protected unexpected(expected?: string): never {
    const { text, at } = this.token;
    failAt(
      this.source,
      at,
      `unexpected ${JSON.stringify(text)}${expected === undefined ? '' : `, expected ${expected}`}`,
    );
  }
  protected deeper<T>(work: () => T): T {
    this.depth += 1;
    if (this.depth > DEEPEST) failAt(this.source, this.token.at, `more than ${DEEPEST} levels of nesting`);
    const result = work();
    this.depth -= 1;
    return result;
  }

  // Expressions.

  /** Expressions with commas between them are a tuple. @param end a name that ends it too */
  protected tuple(condition = true, end?: string, parentheses = false): Expression {
    const { at } = this.token;
    const items: Expression[] = [];
    let tuple = false;
    const ended = (): boolean =>
      this.is('variable_end') || this.is('block_end') || this.op(')') || (end !== undefined && this.is('name', end));
    for (;;) {
      if (items.length > 0) this.expect('operator', ',');
      if (ended()) break;
      items.push(condition ? this.expression() : this.or());
      if (!this.op(',')) break;
      tuple = true;
    }
    const [only] = items;
    if (!tuple && only) return only;
    if (!tuple && !parentheses) this.unexpected('an expression');
    return { type: 'tuple', items, at };
  }

  protected expression(): Expression {
    return this.deeper(() => {
      let result = this.or();
      while (this.skip('name', 'if')) {
        const test = this.or();
        const otherwise = this.skip('name', 'else') ? this.expression() : null;
        result = { type: 'condition', test, then: result, otherwise, at: result.at };
      }
      return result;
    });
  }

  protected or(): Expression {
    let left = this.and();
    while (this.skip('name', 'or')) left = { type: 'logic', operator: 'or', left, right: this.and(), at: left.at };
    return left;
  }

  protected and(): Expression {
    let left = this.not();
    while (this.skip('name', 'and')) left = { type: 'logic', operator: 'and', left, right: this.not(), at: left.at };
    return left;
  }

  protected not(): Expression {
    const { at } = this.token;
    return this.skip('name', 'not') ? this.deeper(() => ({ type: 'not', of: this.not(), at })) : this.compare();
  }

  protected compare(): Expression {
    const left = this.sum();
    const rest: { operator: string; right: Expression }[] = [];
    for (;;) {
      let operator: string;
      if (this.is('operator') && comparisons.has(this.token.text)) operator = this.next().text;
      else if (this.skip('name', 'in')) operator = 'in';
      else if (this.is('name', 'not') && nth(this.tokens, this.position + 1).text === 'in') {
        this.position += 2;
        operator = 'not in';
      } else break;
      rest.push({ operator, right: this.sum() });
    }
    return rest.length === 0 ? left : { type: 'compare', left, rest, at: left.at };
  }

  protected sum(): Expression {
    let left = this.concat();
    while (this.op('+') || this.op('-'))
      left = { type: 'binary', operator: this.next().text, left, right: this.concat(), at: left.at };
    return left;
  }

  protected concat(): Expression {
    const parts = [this.product()];
    while (this.skip('operator', '~')) parts.push(this.product());
    return parts.length === 1 ? nth(parts, 0) : { type: 'concat', parts, at: nth(parts, 0).at };
  }

  protected product(): Expression {
    let left = this.power();
    while (['*', '/', '//', '%'].some((operator) => this.op(operator)))
      left = { type: 'binary', operator: this.next().text, left, right: this.power(), at: left.at };
    return left;
  }

  protected power(): Expression {
    let left = this.unary(true);
    while (this.skip('operator', '**'))
      left = { type: 'binary', operator: '**', left, right: this.unary(true), at: left.at };
    return left;
  }

  protected unary(withFilter: boolean): Expression {
    const { at, text } = this.token;
    let node: Expression;
    if (this.op('-') || this.op('+')) {
      this.position += 1;
      node = this.deeper(() => ({ type: 'sign', operator: text as '-' | '+', of: this.unary(false), at }));
    } else node = this.primary();
    node = this.postfix(node);
    return withFilter ? this.filterExpression(node) : node;
  }

  protected primary(): Expression {
    const token = this.next();
    const { at, text } = token;
    if (token.type === 'name') {
      return Object.hasOwn(constants, text)
        ? { type: 'constant', value: lookup(constants, text), at }
        : { type: 'name', name: text, at };
    }
    if (token.type === 'number') return { type: 'constant', value: token.value, at };
    if (token.type === 'string') {
      let value = token.value as string;
      while (this.is('string')) value += this.next().value as string;
      return { type: 'constant', value, at };
    }
    if (token.type === 'operator' && text === '(') {
      const inner = this.deeper(() => this.tuple(true, undefined, true));
      this.expect('operator', ')');
      return inner;
    }
    if (token.type === 'operator' && text === '[')
      return { type: 'list', items: this.items(']', () => this.expression()), at };
    if (token.type === 'operator' && text === '{') {
      const pairs = this.items('}', (): [Expression, Expression] => {
        const key = this.expression();
        this.expect('operator', ':');
        return [key, this.expression()];
      });
      return { type: 'dict', pairs, at };
    }
    this.position -= 1;
    return this.unexpected();
  }

  protected items<T>(end: string, one: () => T): T[] {
    const items: T[] = [];
    while (!this.op(end)) {
      if (items.length > 0) this.expect('operator', ',');
      if (this.op(end)) break;
      items.push(one());
    }
    this.position += 1;
    return items;
  }

  protected postfix(start: Expression): Expression {
    let node = start;
    for (;;) {
      const { at } = this.token;
      if (this.skip('operator', '.')) {
        const token = this.next();
        if (token.type === 'name') node = { type: 'attribute', of: node, name: token.text, at };
        else if (token.type === 'number')
          node = { type: 'item', of: node, key: { type: 'constant', value: token.value, at }, at };
        else failAt(this.source, token.at, 'expected a name or a number behind the point');
      } else if (this.skip('operator', '[')) {
        const keys = this.items(']', () => this.subscript());
        const key: Expression = keys.length === 1 ? nth(keys, 0) : { type: 'tuple', items: keys, at };
        node = { type: 'item', of: node, key, at };
      } else if (this.op('(')) node = { type: 'call', of: node, args: this.args(), at };
      else return node;
    }
  }

  protected subscript(): Expression {
    const { at } = this.token;
    const ended = (): boolean => this.op(']') || this.op(',') || this.op(':');
    const first = this.op(':') ? null : this.expression();
    if (!this.skip('operator', ':')) return first!;
    const second = ended() ? null : this.expression();
    const third = this.skip('operator', ':') && !ended() ? this.expression() : null;
    return { type: 'slice', bounds: [first, second, third], at };
  }

  protected args(): Call {
    const call: Call = { positional: [], named: [], list: null, dict: null };
    const { at } = this.expect('operator', '(');
    const ensure = (fine: boolean): void => {
      if (!fine) failAt(this.source, at, 'invalid syntax for a call');
    };
    let first = true;
    while (!this.op(')')) {
      if (!first) {
        this.expect('operator', ',');
        if (this.op(')')) break;
      }
      first = false;
      if (this.skip('operator', '*')) {
        ensure(call.list === null && call.dict === null);
        call.list = this.expression();
      } else if (this.skip('operator', '**')) {
        ensure(call.dict === null);
        call.dict = this.expression();
      } else if (this.is('name') && nth(this.tokens, this.position + 1).text === '=') {
        ensure(call.dict === null);
        const name = this.next().text;
        this.position += 1;
        call.named.push([name, this.expression()]);
      } else {
        ensure(call.list === null && call.dict === null && call.named.length === 0);
        call.positional.push(this.expression());
      }
    }
    this.position += 1;
    return call;
  }

  protected filterExpression(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.op('|')) node = this.filters(node, false)!;
      else if (this.is('name', 'is')) node = this.test(node);
      else if (this.op('(')) node = { type: 'call', of: node, args: this.args(), at: node.at };
      else return node;
    }
  }

  /** @param inline the first filter stands without `|` */
  protected filters(start: Expression | null, inline: boolean): Expression | null {
    let node = start;
    for (let bare = inline; bare || this.op('|'); bare = false) {
      if (!bare) this.position += 1;
      const { text: name, at } = this.dotted();
      this.must('filters', name, at);
      const args = this.op('(') ? this.args() : { positional: [], named: [], list: null, dict: null };
      node = { type: 'filter', of: node, name, args, at };
    }
    return node;
  }

  protected dotted(): { text: string; at: number } {
    const { at, text } = this.expect('name');
    let name = text;
    while (this.skip('operator', '.')) name += `.${this.expect('name').text}`;
    return { text: name, at };
  }

  protected test(of: Expression): Expression {
    this.position += 1;
    const negated = this.skip('name', 'not');
    const { text: name, at } = this.dotted();
    this.must('tests', name, at);
    const args: Call = { positional: [], named: [], list: null, dict: null };
    if (this.op('(')) Object.assign(args, this.args());
    else if (
      ['name', 'string', 'number'].includes(this.token.type)
        ? !(this.is('name') && ['else', 'or', 'and'].includes(this.token.text))
        : this.op('[') || this.op('{')
    ) {
      if (this.is('name', 'is')) failAt(this.source, this.token.at, 'tests cannot be chained with is');
      args.positional.push(this.postfix(this.primary()));
    }
    const test: Expression = { type: 'test', of, name, args, at };
    return negated ? { type: 'not', of: test, at } : test;
  }

  protected must(kind: 'filters' | 'tests', name: string, at: number): void {
    if (this.known[kind].has(name)) return;
    if (kind === 'filters' && Object.hasOwn(this.known.refused, name))
      failAt(this.source, at, `the filter ${name} is not run here: ${this.known.refused[name]}`);
    const known = [...this.known[kind]].filter((word) => /^\w/.test(word)).sort();
    failAt(this.source, at, `there is no ${kind.slice(0, -1)} "${name}"; ${kind}: ${known.join(', ')}`);
  }
}
