/** Statements and texts of a template -> syntax tree; expressions are read by the class that this one extends. */
import { constants, ExpressionParser, type Known } from './expressionParser.ts';
import type { ExtraTag } from './dialects.ts';
import { failAt } from './lexer.ts';
import type { Expression, Signature, Statement, Target } from './nodes.ts';

const elsewhere = new Set(['include', 'import', 'from', 'extends']);

/** @throws TemplateSyntaxError */
export function parse(source: string, known: Known): Statement[] {
  return new Parser(source, known).template();
}

class Parser extends ExpressionParser {
  /** Loops around a place, as far as `break` and `continue` reach. */
  #loops = 0;

  template(): Statement[] {
    const body = this.body([]);
    if (this.token.type !== 'end') this.unexpected();
    return body;
  }

  /** Up to a tag that begins with one of `ends`, which stays. */
  protected body(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    for (;;) {
      const token = this.token;
      if (token.type === 'end') {
        if (ends.length > 0) failAt(this.source, token.at, `the template ends before {% ${ends.at(-1)} %}`);
        return body;
      }
      this.position += 1;
      if (token.type === 'data') body.push({ type: 'text', text: token.text });
      else if (token.type === 'variable_begin') {
        body.push({ type: 'output', value: this.tuple() });
        this.expect('variable_end');
      } else {
        if (ends.includes(this.token.text)) return body;
        body.push(...this.deeper(() => this.statement()));
      }
    }
  }

  /**
   * A body within a tag, from behind the tag's own end to behind the closing word.
   * @returns the body and the closing word
   */
  protected block(...ends: string[]): { body: Statement[]; end: string } {
    this.skip('operator', ':');
    this.expect('block_end');
    const body = this.body(ends);
    return { body, end: this.next().text };
  }

  /** A body whose loops are counted anew: `break` does not lead out of it. */
  #apart<T>(work: () => T, loops = 0): T {
    const around = this.#loops;
    this.#loops = loops;
    const result = work();
    this.#loops = around;
    return result;
  }

  protected closed<T>(result: T): T {
    this.expect('block_end');
    return result;
  }

  protected statement(): Statement[] {
    const { text, at } = this.expect('name');
    switch (text) {
      case 'if':
        return [this.if()];
      case 'for':
        return [this.for()];
      case 'set':
        return [this.set()];
      case 'with':
        return [this.with()];
      case 'macro': {
        const name = this.expect('name').text;
        const signature = this.signature();
        const { body } = this.#apart(() => this.block('endmacro'));
        return [this.closed({ type: 'macro', name, signature, body })];
      }
      case 'call': {
        const signature = this.op('(') ? this.signature() : { names: [], defaults: [] };
        const call = this.expression();
        if (call.type !== 'call') failAt(this.source, call.at, 'expected a call');
        const { body } = this.#apart(() => this.block('endcall'));
        return [this.closed({ type: 'callBlock', signature, call, body })];
      }
      case 'filter': {
        const filter = this.filters(null, true)!;
        return [this.closed({ type: 'filterBlock', filter, body: this.block('endfilter').body })];
      }
      case 'block': {
        const name = this.expect('name').text;
        while (this.skip('name', 'scoped') || this.skip('name', 'required'));
        const { body } = this.#apart(() => this.block('endblock'));
        this.skip('name', name);
        return [this.closed({ type: 'scope', body })];
      }
      case 'print': {
        const values: Statement[] = [];
        while (!this.is('block_end')) {
          if (values.length > 0) this.expect('operator', ',');
          values.push({ type: 'output', value: this.expression() });
        }
        return this.closed(values);
      }
      case 'break':
      case 'continue':
        if (!this.#knows(text)) break;
        if (this.#loops === 0) failAt(this.source, at, `{% ${text} %} stands in no loop`);
        return [this.closed({ type: 'jump', to: text })];
      case 'generation': {
        if (!this.#knows(text)) break;
        const { body } = this.#apart(() => this.block('endgeneration'));
        const [before = '', behind = ''] = this.known.dialect.generationMarks ?? [];
        const mark = (mark: string): Statement[] => (mark === '' ? [] : [{ type: 'text', text: mark }]);
        return [this.closed({ type: 'scope', body: [...mark(before), ...body, ...mark(behind)] })];
      }
    }
    const tags = ['if', 'for', 'set', 'with', 'macro', 'call', 'filter', 'block', 'print', ...this.known.dialect.tags];
    return failAt(
      this.source,
      at,
      elsewhere.has(text)
        ? `{% ${text} %} reads other files, which a template here cannot`
        : `unknown tag {% ${text} %}; tags are ${tags.join(', ')} and raw`,
    );
  }

  #knows(tag: ExtraTag): boolean {
    return this.known.dialect.tags.has(tag);
  }

  protected if(): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    let otherwise: Statement[] = [];
    for (;;) {
      const test = this.tuple(false);
      const { body, end } = this.block('elif', 'else', 'endif');
      branches.push({ test, body });
      if (end === 'elif') continue;
      if (end === 'else') otherwise = this.block('endif').body;
      return this.closed({ type: 'if', branches, otherwise });
    }
  }

  protected for(): Statement {
    const target = this.target(true);
    this.expect('name', 'in');
    const over = this.tuple(false, 'recursive');
    const test = this.skip('name', 'if') ? this.expression() : null;
    const recursive = this.skip('name', 'recursive');
    const { body, end } = this.#apart(() => this.block('endfor', 'else'), this.#loops + 1);
    const otherwise = end === 'else' ? this.block('endfor').body : [];
    return this.closed({ type: 'for', target, over, test, recursive, body, otherwise });
  }

  protected set(): Statement {
    const target = this.target(true);
    if (this.skip('operator', '=')) return this.closed({ type: 'set', target, value: this.tuple() });
    const filter = this.filters(null, false);
    return this.closed({ type: 'setBlock', target, filter, body: this.block('endset').body });
  }

  protected with(): Statement {
    const pairs: [Target, Expression][] = [];
    while (!this.is('block_end')) {
      if (pairs.length > 0) this.expect('operator', ',');
      const target = this.target(false);
      this.expect('operator', '=');
      pairs.push([target, this.expression()]);
    }
    return this.closed({ type: 'with', pairs, body: this.block('endwith').body });
  }

  protected target(tuple: boolean): Target {
    const one = (): Target => {
      if (this.skip('operator', '(')) {
        const inner = this.target(true);
        this.expect('operator', ')');
        return inner;
      }
      const { text, at } = this.expect('name');
      if (Object.hasOwn(constants, text)) failAt(this.source, at, `cannot assign to ${text}`);
      if (this.skip('operator', '.')) return { type: 'attribute', name: text, attribute: this.expect('name').text };
      return { type: 'name', name: text };
    };
    const first = one();
    if (!tuple || !this.op(',')) return first;
    const items = [first];
    while (this.skip('operator', ','))
      if ((this.is('name') && this.token.text !== 'in') || this.op('(')) items.push(one());
    return { type: 'tuple', items };
  }

  protected signature(): Signature {
    const names: string[] = [];
    const defaults: Expression[] = [];
    this.expect('operator', '(');
    while (!this.op(')')) {
      if (names.length > 0) this.expect('operator', ',');
      const { text, at } = this.expect('name');
      if (this.skip('operator', '=')) defaults.push(this.expression());
      else if (defaults.length > 0) failAt(this.source, at, 'a parameter without default follows one with a default');
      names.push(text);
    }
    this.expect('operator', ')');
    return { names, defaults };
  }
}
