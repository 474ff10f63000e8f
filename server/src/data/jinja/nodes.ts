/** The syntax tree of a template. */

export interface Call {
  positional: Expression[];
  named: [name: string, value: Expression][];
  /** `*list` and `**dict` */
  list: Expression | null;
  dict: Expression | null;
}

export type Expression = { at: number } & (
  | { type: 'constant'; value: unknown }
  | { type: 'name'; name: string }
  | { type: 'attribute'; of: Expression; name: string }
  | { type: 'item'; of: Expression; key: Expression }
  | { type: 'slice'; bounds: (Expression | null)[] }
  | { type: 'call'; of: Expression; args: Call }
  /** `of` is null in `{% filter %}` and `{% set %}`: the block's text. */
  | { type: 'filter'; of: Expression | null; name: string; args: Call }
  | { type: 'test'; of: Expression; name: string; args: Call }
  | { type: 'not'; of: Expression }
  | { type: 'sign'; operator: '-' | '+'; of: Expression }
  | { type: 'binary'; operator: string; left: Expression; right: Expression }
  | { type: 'logic'; operator: 'and' | 'or'; left: Expression; right: Expression }
  | { type: 'concat'; parts: Expression[] }
  | { type: 'compare'; left: Expression; rest: { operator: string; right: Expression }[] }
  | { type: 'condition'; test: Expression; then: Expression; otherwise: Expression | null }
  | { type: 'list' | 'tuple'; items: Expression[] }
  | { type: 'dict'; pairs: [Expression, Expression][] }
);

/** What a `for`, `set` or `with` gives a value to. */
export type Target =
  | { type: 'name'; name: string }
  | { type: 'attribute'; name: string; attribute: string }
  | { type: 'tuple'; items: Target[] };

export interface Signature {
  names: string[];
  /** Of the last names. */
  defaults: Expression[];
}

export type Statement =
  | { type: 'text'; text: string }
  | { type: 'output'; value: Expression }
  | { type: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | {
      type: 'for';
      target: Target;
      over: Expression;
      test: Expression | null;
      recursive: boolean;
      body: Statement[];
      otherwise: Statement[];
    }
  | { type: 'set'; target: Target; value: Expression }
  | { type: 'setBlock'; target: Target; filter: Expression | null; body: Statement[] }
  | { type: 'with'; pairs: [Target, Expression][]; body: Statement[] }
  | { type: 'macro'; name: string; signature: Signature; body: Statement[] }
  | { type: 'callBlock'; signature: Signature; call: Expression; body: Statement[] }
  | { type: 'filterBlock'; filter: Expression; body: Statement[] }
  | { type: 'scope'; body: Statement[] }
  /** `break` and `continue` */
  | { type: 'jump'; to: 'break' | 'continue' };
