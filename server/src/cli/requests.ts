/** Options of the command line -> an allocation request; `allocate` and `export` share it. */
import { aggregationIds, sparsityUnits, tailFits } from '../../../protocol/methods.ts';
import path from 'node:path';
import { allocationKinds } from '../../../protocol/allocation.ts';
import type { AllocationKind, AllocationRequest } from '../../../protocol/allocation.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import type { OptionName } from './options.ts';
import { readNumber } from './lists.ts';
import type { Options } from './types.ts';
import { readText } from '../files/textFile.ts';
import { unreadableWords } from '../files/reading.ts';
import { NotJson, parsedJson } from '../text/jsonFault.ts';

export const requestOptions = [
  'kind',
  'rule',
  'by',
  'total',
  'minimum',
  'top-k',
  'beta',
  'budget',
  'step',
  'count',
  'ratio',
  'epsilon',
  'lambda',
  'unit',
  'structure',
  'paper',
  'aggregation',
  'fit',
  'outliers',
  'seed',
] as const satisfies readonly OptionName[];

/** What a kind of allocation reads beside the options that all kinds do. */
const readBy: Readonly<Record<AllocationKind, readonly (typeof requestOptions)[number][]>> = {
  experts: ['total', 'beta', 'minimum', 'top-k', 'seed'],
  rank: ['total', 'beta', 'minimum', 'budget', 'step', 'seed'],
  sparsity: ['ratio', 'epsilon', 'lambda', 'unit', 'structure', 'paper', 'outliers'],
  freeze: ['count'],
  tune: ['count'],
  drop: ['count'],
};

/** An option that has no effect is a slip: of the option, or of the kind. */
function requireRead(kind: AllocationKind, { values, flags }: Pick<Options, 'values' | 'flags'>): void {
  const own = readBy[kind];
  const given = (name: OptionName): boolean => values[name] !== undefined || flags.has(name);
  const idle = Object.values(readBy)
    .flat()
    .find((name) => given(name) && !own.includes(name));
  if (idle !== undefined)
    throw new LayerifError(
      'badRequest',
      `--${idle} does nothing for --kind ${kind}, which reads ${own.map((name) => `--${name}`).join(', ')}`,
    );
  if (values.outliers !== undefined && values.rule !== 'owl')
    throw new LayerifError('badRequest', '--outliers is read by the rule owl alone: add --rule owl, or leave it out');
}

/** @throws LayerifError `badRequest` for words that are no numbers, unknown words, options without an effect */
export function readRequest<K extends AllocationKind | undefined>(
  { values, flags }: Pick<Options, 'values' | 'flags'>,
  fallback: K,
): AllocationRequest & { kind: AllocationKind | K } {
  const number = (name: OptionName) => readNumber(name, values[name]);
  const word = <W extends string>(name: OptionName, known: readonly W[]): W | undefined => {
    const text = values[name];
    if (text === undefined || known.includes(text as W)) return text as W | undefined;
    throw new LayerifError('badRequest', `--${name} "${text}" is unknown: use one of ${known.join(', ')}`);
  };
  const kind = word('kind', allocationKinds) ?? fallback;
  if (kind !== undefined) requireRead(kind, { values, flags });
  return {
    kind,
    rule: values.rule,
    by: values.by,
    total: number('total'),
    minimum: number('minimum'),
    topK: number('top-k'),
    beta: number('beta'),
    budget: number('budget'),
    step: number('step'),
    count: number('count'),
    ratio: number('ratio'),
    epsilon: number('epsilon'),
    lambda: number('lambda'),
    unit: word('unit', sparsityUnits),
    structure: values.structure,
    paper: flags.has('paper') || undefined,
    aggregation: word('aggregation', aggregationIds),
    fit: word('fit', tailFits),
    seed: number('seed'),
  } as AllocationRequest & { kind: AllocationKind | K };
}

/** Reader of `--outliers`. */
export function outliersOf(
  { values }: Pick<Options, 'values'>,
  baseDir: string,
): (() => Promise<number[]>) | undefined {
  const file = values.outliers;
  if (file === undefined) return undefined;
  return () => {
    const advice = 'give a JSON list of ratios in %, one for each layer, such as [0.1, 0.3]';
    const list = readOutliers(path.resolve(baseDir, file), advice);
    if (Array.isArray(list) && list.length > 0 && list.every((value) => typeof value === 'number'))
      return Promise.resolve(list);
    throw new LayerifError('badRequest', `--outliers ${file} is not a list of numbers: ${advice}`);
  };
}

function readOutliers(file: string, advice: string): unknown {
  const fail = (why: string, cause: unknown) =>
    new LayerifError('badRequest', `cannot read the outlier ratios ${file}: ${why}; ${advice}`, { cause });
  let text: string;
  try {
    text = readText(file, 'config');
  } catch (error) {
    throw fail(unreadableWords(error), error);
  }
  try {
    return parsedJson(text);
  } catch (error) {
    throw error instanceof NotJson ? fail(`it is no JSON: ${error.message}`, error) : error;
  }
}
