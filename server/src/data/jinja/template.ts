/**
 * Jinja 3.1, by default as lm-evaluation-harness sets it up: undefined names are errors, line breaks are kept, nothing
 * is escaped, one filter more (`regex_replace`). What is not the same as in Python is refused by name.
 */
import { harness, type Dialect } from './dialects.ts';
import { namesRead, renderTree, testNames } from './evaluate.ts';
import { refusedFilters } from './filters.ts';
import type { Statement, Target } from './nodes.ts';
import { parse } from './parser.ts';

export interface Template {
  /** The rendered text. @throws UnknownName, Error */
  render(columns: Record<string, unknown>): string;
  /** Names that the template reads and does not define. */
  names: string[];
}

/** @throws Error when `source` is not valid Jinja; the message says what is wrong and where. */
export function compileTemplate(source: string, dialect: Dialect = harness): Template {
  const tree = parse(source, {
    dialect,
    filters: new Set(Object.keys(dialect.filters)),
    tests: testNames,
    refused: refusedFilters,
  });
  return { render: (columns) => renderTree(tree, columns, dialect), names: freeNames(tree, dialect) };
}

/** Names read but not set: not loop variables, `set` targets, macros and their parameters, built-ins. */
function freeNames(tree: readonly Statement[], { globals }: Dialect): string[] {
  const declared = new Set(['loop', 'caller', 'varargs', 'kwargs', ...Object.keys(globals)]);
  const target = (one: Target): void => {
    if (one.type === 'tuple') one.items.forEach(target);
    else if (one.type === 'name') declared.add(one.name);
  };
  const visit = (statements: readonly Statement[]): void => {
    for (const node of statements) {
      if ('target' in node) target(node.target);
      if (node.type === 'with') node.pairs.forEach(([one]) => target(one));
      if (node.type === 'macro') declared.add(node.name);
      if ('signature' in node) node.signature.names.forEach((name) => declared.add(name));
      if (node.type === 'if') node.branches.forEach(({ body }) => visit(body));
      if ('otherwise' in node) visit(node.otherwise);
      if ('body' in node) visit(node.body);
    }
  };
  visit(tree);
  return [...namesRead(tree)].filter((name) => !declared.has(name));
}
