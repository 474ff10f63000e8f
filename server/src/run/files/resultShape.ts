/** What every reader of a result file relies on, checked before anything reads it: one row per place. */

type Check = (value: unknown) => boolean;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text: Check = (value) => typeof value === 'string';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const list: Check = (value) => Array.isArray(value);

interface Row {
  path: readonly string[];
  check: Check;
  is: string;
}

const object = (...path: string[]): Row => ({ path, check: isObject, is: 'an object' });
const row = (check: Check, is: string, ...path: string[]): Row => ({ path, check, is });

const whole: readonly Row[] = [
  row((value) => value === 'partial' || value === 'complete', 'partial or complete', 'status'),
  object('experiment'),
  object('experiment', 'score'),
  object('experiment', 'model'),
  object('experiment', 'datasets'),
  row(list, 'a list', 'experiment', 'tasks'),
  object('model'),
  row(text, 'a text', 'model', 'name'),
  row(text, 'a text', 'model', 'family'),
  row(count, 'a number', 'model', 'layers'),
  row(list, 'a list', 'model', 'modules'),
  object('score'),
  row(text, 'a text', 'score', 'estimator'),
  row(list, 'a list', 'tasks'),
];

const task: readonly Row[] = [
  row(text, 'a text', 'task'),
  object('train'),
  object('validation'),
  row(count, 'a number', 'train', 'samples'),
  row(count, 'a number', 'validation', 'samples'),
  row(list, 'a list', 'influence'),
  row((value) => list(value) && (value as unknown[]).every(isObject), 'a list of objects', 'layers'),
];

/** The first place that is not as it should be: `tasks[0].layers is missing; it should be a list`. Null for a sound result. */
export function resultFault(result: Record<string, unknown>): string | null {
  const first = faultIn(result, whole, '');
  if (first !== null) return first;
  for (const [i, value] of (result.tasks as unknown[]).entries()) {
    const fault = isObject(value) ? faultIn(value, task, `tasks[${i}].`) : `tasks[${i}] is no object`;
    if (fault !== null) return fault;
  }
  return null;
}

function faultIn(value: Record<string, unknown>, rows: readonly Row[], prefix: string): string | null {
  for (const { path, check, is } of rows) {
    let at: unknown = value;
    for (const key of path) at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
    if (!check(at))
      return `${prefix}${path.join('.')} is ${at === undefined ? 'missing' : 'something else'}; it should be ${is}`;
  }
  return null;
}
