/** Typed reading of GGUF metadata, with errors that name the key and its value. */
import { LayerifError } from '../../../protocol/errors.ts';
import { printable } from './printable.ts';
import type { GgufFile, MetadataArray, MetadataValue } from './gguf.ts';

export class Metadata {
  readonly file: string;
  readonly #values: ReadonlyMap<string, MetadataValue>;

  constructor({ file, metadata }: Pick<GgufFile, 'file' | 'metadata'>) {
    this.file = file;
    this.#values = metadata;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  text(key: string): string | undefined {
    return this.#typed(key, 'a text', (value) => typeof value === 'string');
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, 'true or false', (value) => typeof value === 'boolean');
  }

  /** A finite number. Decimal fractions that were stored as float32 come back as the decimal they were. */
  number(key: string): number | undefined {
    const value = this.#typed(key, 'a number', (found): found is number => Number.isFinite(found));
    return value === undefined ? undefined : decimal(value);
  }

  /** A positive whole number. */
  count(key: string): number | undefined {
    return this.#typed(
      key,
      'a positive whole number',
      (value): value is number => Number.isInteger(value) && (value as number) > 0,
    );
  }

  /** A token's number, from 0. */
  index(key: string, below: number): number | undefined {
    return this.#typed(
      key,
      `a whole number below ${below}`,
      (value): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < below,
    );
  }

  texts(key: string): readonly string[] | undefined {
    return this.#typed(
      key,
      'a list of texts',
      (value): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    );
  }

  /** A list of true and false; undefined for anything else. */
  flags(key: string): readonly boolean[] | undefined {
    const value = this.#values.get(key);
    return Array.isArray(value) && value.every((item): item is boolean => typeof item === 'boolean')
      ? value
      : undefined;
  }

  numbers(key: string): ArrayLike<number> | undefined {
    return this.#typed(
      key,
      'a list of numbers',
      (value): value is MetadataArray & ArrayLike<number> =>
        (ArrayBuffer.isView(value) && (value.length === 0 || typeof value[0] === 'number')) ||
        (Array.isArray(value) && value.length === 0),
    );
  }

  /** @throws LayerifError `badModel` when `value` is undefined */
  required<T>(key: string, value: T | undefined): T {
    if (value === undefined)
      throw this.error(`its metadata lack ${key}: download the file again, or convert the model anew`);
    return value;
  }

  error(what: string): LayerifError {
    return new LayerifError('badModel', `${this.file}: ${printable(what)}`);
  }

  #typed<T extends MetadataValue>(
    key: string,
    wanted: string,
    fits: (value: MetadataValue) => value is T,
  ): T | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    if (!fits(value)) throw this.error(`its metadata give ${key} as ${shown(value)}; ${wanted} is needed`);
    return value;
  }
}

function shown(value: MetadataValue): string {
  if (typeof value === 'object') return `a list of ${value.length}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The shortest decimal that has the same float32; the number itself when it is no float32. */
export function decimal(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
