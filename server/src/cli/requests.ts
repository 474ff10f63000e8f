/** Options of the command line -> an allocation request; `allocate` and `export` share it. */
import { aggregationIds, sparsityUnits, tailFits } from '../../../protocol/methods.ts';
import path from 'node:path';
import { allocationKinds } from '../../../protocol/allocation.ts';
import type { AllocationKind, AllocationRequest } from '../../../protocol/allocation.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import type { OptionName } from './options.ts';
import type { Options } from './types.ts';
import { readText } from '../files/textFile.ts';

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

/** @throws LayerifError `badRequest` for words that are no numbers and for unknown words */
export function readRequest<K extends AllocationKind | undefined>(
  { values, flags }: Pick<Options, 'values' | 'flags'>,
  fallback: K,
): AllocationRequest & { kind: AllocationKind | K } {
  const number = (name: OptionName) => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    if (Number.isFinite(value)) return value;
    throw new LayerifError('badRequest', `--${name} "${text}" is not a number`);
  };
  const word = <W extends string>(name: OptionName, known: readonly W[]): W | undefined => {
    const text = values[name];
    if (text === undefined || known.includes(text as W)) return text as W | undefined;
    throw new LayerifError('badRequest', `--${name} "${text}" is unknown: use one of ${known.join(', ')}`);
  };
  return {
    kind: word('kind', allocationKinds) ?? fallback,
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
    try {
      const list: unknown = JSON.parse(readText(path.resolve(baseDir, file), 'config'));
      if (Array.isArray(list) && list.every((value) => typeof value === 'number')) return Promise.resolve(list);
    } catch (error) {
      throw new LayerifError('badRequest', `--outliers ${file}: ${(error as Error).message}`, { cause: error });
    }
    throw new LayerifError('badRequest', `--outliers ${file} is not a JSON list of numbers, one for each layer`);
  };
}
