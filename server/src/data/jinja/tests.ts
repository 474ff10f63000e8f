/** The tests of Jinja 3.1 (`is defined`, `is in`). To add one, add a row. */
import { isFloat, isWhole } from './numbers.ts';
import {
  Attributes,
  Blank,
  Callable,
  Dict,
  Lazy,
  Markup,
  Range,
  Tuple,
  Undefined,
  defined,
  isNumeric,
} from './objects.ts';
import { binary, compared, contains, equal } from './operators.ts';
import { PythonDecimal } from './pythonDecimal.ts';
import { text } from './text.ts';

type Test = (value: unknown, args: readonly unknown[]) => boolean;

const compares =
  (operator: string): Test =>
  (value, [other]) =>
    compared(operator, value, other);

const remainder = (value: unknown, divisor: unknown, rest: number): boolean => equal(binary('%', value, divisor), rest);
const cased = (value: unknown, change: (text: string) => string, other: (text: string) => string): boolean => {
  const shown = text(defined(value));
  return shown === change(shown) && shown !== other(shown);
};
const upper = (value: string): string => value.toUpperCase();
const lower = (value: string): string => value.toLowerCase();

function same(value: unknown, other: unknown): boolean {
  if (isFloat(value) || isFloat(other)) throw new Error('sameas of numbers depends on memory: use ==');
  return value === other;
}

/** `filters` and `tests` themselves are asked by `is filter` and `is test`. */
export function testsOf(filterNames: ReadonlySet<string>): Readonly<Record<string, Test>> {
  const tests: Record<string, Test> = {
    odd: (value) => remainder(value, 2, 1),
    even: (value) => remainder(value, 2, 0),
    divisibleby: (value, [number]) => remainder(value, number, 0),
    defined: (value) => !(value instanceof Undefined),
    undefined: (value) => value instanceof Undefined,
    filter: (value) => filterNames.has(String(value)),
    test: (value) => Object.hasOwn(tests, String(value)),
    none: (value) => value === null,
    boolean: (value) => typeof value === 'boolean',
    false: (value) => value === false,
    true: (value) => value === true,
    integer: (value) => isWhole(value),
    float: (value) => isFloat(value),
    lower: (value) => cased(value, lower, upper),
    upper: (value) => cased(value, upper, lower),
    string: (value) => typeof value === 'string' || value instanceof Markup,
    mapping: (value) => value instanceof Dict,
    number: (value) => isNumeric(value) || value instanceof PythonDecimal,
    sequence: (value) =>
      value instanceof Blank ||
      typeof value === 'string' ||
      value instanceof Markup ||
      Array.isArray(value) ||
      value instanceof Tuple ||
      value instanceof Dict ||
      value instanceof Range,
    iterable: (value) =>
      value instanceof Blank ||
      typeof defined(value) === 'string' ||
      value instanceof Markup ||
      Array.isArray(value) ||
      value instanceof Tuple ||
      value instanceof Dict ||
      value instanceof Lazy,
    callable: (value) =>
      value instanceof Blank || value instanceof Callable || (value instanceof Attributes && value.call !== null),
    sameas: (value, [other]) => same(value, other),
    escaped: (value) => value instanceof Markup,
    in: (value, [container]) => contains(container, value),
  };
  const operators: Record<string, string[]> = {
    '==': ['==', 'eq', 'equalto'],
    '!=': ['!=', 'ne'],
    '>': ['>', 'gt', 'greaterthan'],
    '>=': ['>=', 'ge'],
    '<': ['<', 'lt', 'lessthan'],
    '<=': ['<=', 'le'],
  };
  for (const [operator, names] of Object.entries(operators)) for (const name of names) tests[name] = compares(operator);
  return tests;
}
