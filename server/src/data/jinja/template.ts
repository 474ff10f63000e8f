/**
 * Jinja as lm-evaluation-harness sets it up: undefined names are errors, line breaks are kept, values print and compare as in
 * Python. `@huggingface/jinja` is made for chat templates; `methods.ts` holds what task templates use beyond that.
 */
import { parse, tokenize } from '@huggingface/jinja';
import { constants, PythonInterpreter, scope, type Node } from './interpreter.ts';
import { text, toPlain, type Value } from './values.ts';

export interface Template {
  /** The rendered text. @throws UnknownName, Error */
  render(columns: Record<string, unknown>): string;
  /** The value itself (a list, a number) where the template is one `{{ expression }}`, else the rendered text. */
  value(columns: Record<string, unknown>): unknown;
  /** Names that the template reads and does not define. */
  names: string[];
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
