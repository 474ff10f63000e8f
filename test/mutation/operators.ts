/**
 * Small faults that a programmer may make, found in the syntax of a file: each is a place and what stands there
 * instead.
 */
import ts from 'typescript';

export interface Mutant {
  start: number;
  end: number;
  replacement: string;
  /** From 1. */
  line: number;
  /** What changed, such as `+ -> -`. */
  change: string;
}

const operators: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.PlusToken]: '-',
  [ts.SyntaxKind.MinusToken]: '+',
  [ts.SyntaxKind.AsteriskToken]: '/',
  [ts.SyntaxKind.SlashToken]: '*',
  [ts.SyntaxKind.PercentToken]: '*',
  [ts.SyntaxKind.LessThanToken]: '<=',
  [ts.SyntaxKind.LessThanEqualsToken]: '<',
  [ts.SyntaxKind.GreaterThanToken]: '>=',
  [ts.SyntaxKind.GreaterThanEqualsToken]: '>',
  [ts.SyntaxKind.EqualsEqualsEqualsToken]: '!==',
  [ts.SyntaxKind.ExclamationEqualsEqualsToken]: '===',
  [ts.SyntaxKind.AmpersandAmpersandToken]: '||',
  [ts.SyntaxKind.BarBarToken]: '&&',
  [ts.SyntaxKind.PlusEqualsToken]: '-=',
  [ts.SyntaxKind.MinusEqualsToken]: '+=',
};

const calls: Record<string, string> = {
  'Math.max': 'Math.min',
  'Math.min': 'Math.max',
  'Math.floor': 'Math.ceil',
  'Math.ceil': 'Math.floor',
  'Math.abs': 'Number',
  'Math.sqrt': 'Number',
};

/** All mutants of a source, in the order of their places. */
export function mutantsOf(name: string, source: string): Mutant[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true);
  const found: Mutant[] = [];
  const add = (node: ts.Node, replacement: string) => {
    const [start, end] = [node.getStart(file), node.getEnd()];
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    const before = source.slice(start, end).replace(/\s+/g, ' ');
    found.push({ start, end, replacement, line, change: `${before.slice(0, 60)} -> ${replacement.slice(0, 60)}` });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isImportDeclaration(node)) return;
    // What a user reads is asserted where it matters; the words of an Error thrown at programmers are not.
    if (ts.isThrowStatement(node)) return;
    if (ts.isBinaryExpression(node)) {
      const other = operators[node.operatorToken.kind];
      if (other !== undefined) add(node.operatorToken, other);
    }
    if (ts.isNumericLiteral(node)) add(node, changedNumber(node.text));
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken)
      add(node, node.operand.getText(file));
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
      add(node, node.operand.getText(file));
    if (ts.isPropertyAccessExpression(node) && calls[node.getText(file)]) add(node, calls[node.getText(file)]);
    if (ts.isConditionalExpression(node)) add(node.condition, `!(${node.condition.getText(file)})`);
    if (ts.isIfStatement(node)) {
      add(node.expression, 'true');
      add(node.expression, 'false');
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function changedNumber(text: string): string {
  const value = Number(text);
  if (value === 0) return '1';
  if (Number.isInteger(value) && value < 50) return String(value + 1);
  return value > 0 && value < 1e-3 ? String(value * 1e4) : String(value / 2);
}
