/**
 * ESLint rule: a table is not indexed by a text from outside.
 *
 * `table[name]` with a name that a file or a user gave also finds `constructor`, `toString` and `__proto__`, which
 * every object literal inherits. `lookup(table, name)` of `server/src/text/lookup.ts` finds what the table itself
 * holds. The rule reports `table[name]` and `name in table` where `name` is any text (its type is `string`, not a list
 * of ids) and `table` is an object literal of a module, here or imported: `const table = { ... }`. Writing to a place
 * is no look-up.
 */
import ts from 'typescript';

const MESSAGE =
  'The name may be "constructor" or "__proto__": use lookup(table, name), or Object.hasOwn, or a Map, or a narrower type for the name.';

export const lookupRule = {
  meta: { type: 'problem', schema: [], messages: { outside: MESSAGE } },
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const isAnyText = (node) => {
      const type =
        checker.getBaseConstraintOfType(services.getTypeAtLocation(node)) ?? services.getTypeAtLocation(node);
      const parts = type.isUnion() ? type.types : [type];
      return parts.some(({ flags }) => (flags & (ts.TypeFlags.String | ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0);
    };
    return {
      MemberExpression(node) {
        if (!node.computed || node.property.type === 'Literal' || isWritten(node)) return;
        if (isAnyText(node.property) && isTable(services, checker, node.object))
          context.report({ node, messageId: 'outside' });
      },
      "BinaryExpression[operator='in']"(node) {
        if (node.left.type !== 'Literal' && isAnyText(node.left) && isTable(services, checker, node.right))
          context.report({ node, messageId: 'outside' });
      },
    };
  },
};

const isWritten = (node) =>
  (node.parent.type === 'AssignmentExpression' && node.parent.left === node) || node.parent.operator === 'delete';

/** Whether an expression names a constant of a module that is an object literal. */
function isTable(services, checker, node) {
  if (node.type === 'TSAsExpression' || node.type === 'TSNonNullExpression')
    return isTable(services, checker, node.expression);
  if (node.type !== 'Identifier') return false;
  let symbol = services.getSymbolAtLocation(node);
  if (symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol);
  const declaration = symbol?.valueDeclaration;
  if (!declaration || !ts.isVariableDeclaration(declaration)) return false;
  const { parent: list } = declaration;
  if (!ts.isVariableStatement(list.parent) || !ts.isSourceFile(list.parent.parent)) return false;
  let value = declaration.initializer;
  while (value && (ts.isAsExpression(value) || ts.isSatisfiesExpression(value))) value = value.expression;
  return value !== undefined && ts.isObjectLiteralExpression(value) && value.properties.length > 0;
}
