/** Pieces of the schemas of our files, and the words for what each piece should be. */
import * as z from 'zod/mini';
import { aggregationIds, dampingRuleIds, estimatorIds } from '../methods.ts';
import type { MeasuredMemory, Phases, Provenance } from '../provenance.ts';

/** A schema of the type that the rest of the program declares: the compiler compares the two. */
export type Schema<T> = z.ZodMiniType<T>;

export const text = z.string();
export const number = z.number();
export const flag = z.boolean();
export const count = z.int().check(z.gte(0));
export const texts = z.array(text);
export const status = z.enum(['partial', 'complete']);

/** Ids that readers take as keys: only those that this program has. */
export const estimator = z.enum(estimatorIds);
export const aggregation = z.enum(aggregationIds);
export const dampingRule = z.enum(dampingRuleIds);

/** An id that is only shown, or looked up by who needs its row: any text here, since tables grow with versions. */
export const id = <T extends string>(): Schema<T> => text as unknown as Schema<T>;

export const by = <T>(value: Schema<T>): Schema<Record<string, T>> => z.record(text, value);
export const some = by(z.unknown());
export const many = <T>(value: Schema<T>): Schema<T[]> => z.array(value);

/** A check in one go, for what is the bulk of a file: one loop, and one fault for the whole list. */
export function custom<T>(fits: (value: unknown) => boolean, what: string): Schema<T> {
  return z.custom<T>(fits, { error: ({ input }) => misfit(input, what) });
}
const listOf = (fits: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(fits);
export const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

export const numbers = custom<number[]>(listOf(isNumber), 'a list of numbers');
export const counts = custom<number[]>(listOf(isCount), 'a list of counts');
export const matrix = many(numbers);
/** Numbers of which some are not defined. */
export const gaps = custom<(number | null)[]>(
  listOf((one) => one === null || isNumber(one)),
  'a list of numbers and nulls',
);

/** `is missing; it should be a list` */
export function misfit(value: unknown, what: string): string {
  if (Array.isArray(value) && what.startsWith('a list of ')) return `holds something else; it should be ${what}`;
  return `is ${typeWord(value)}; it should be ${what}`;
}

function typeWord(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value.length > 40 ? 'a text' : JSON.stringify(value);
  return JSON.stringify(value);
}

export const interval: Schema<[number, number] | null> = z.nullable(z.tuple([number, number]));

export const provenance: Schema<Provenance<Phases> & MeasuredMemory> = z.object({
  layerif: text,
  onnxruntime: text,
  device: text,
  threads: number,
  date: text,
  seconds: by(number),
  peakMemoryBytes: number,
  dataSha256: by(text),
  seed: number,
});

/** A field that files of an earlier version lack: whoever reads it must have written it. */
export const later = <T>(schema: Schema<T>): Schema<T> => z.optional(schema) as unknown as Schema<T>;

/** Of files that hold one duration. */
export const madeBy = {
  layerif: text,
  onnxruntime: text,
  device: text,
  threads: number,
  date: text,
  seconds: number,
};

/** The model that a file is about. */
export const model = z.object({ name: text, family: text, sha256: text });
export const layeredModel = z.object({ name: text, family: text, layers: count, sha256: text });
