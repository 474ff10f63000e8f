/**
 * The finished parts of a computation, so that an interrupted one goes on where it was.
 *
 * A part is told by a key: which computation it belongs to (model, data, settings, program, device), what it is, and
 * the plan that decides its numbers (projection, batches, ...). Each of the three is hashed, as canonical JSON, into
 * its name:
 *
 *     <computation>-<what>-<plan>.json   its value, written when it is finished
 *     <computation>-<what>-<plan>/       its files, where it has any: tensors, an adapter
 *
 * So parts of two plans never share a file. What does not fit is removed before anything is written: parts of another
 * computation when the store is opened, parts of another plan when theirs is asked for. One process writes at a time
 * (the lock in `results.ts`).
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { EngineInfo } from '../../../../protocol/engine.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { readText } from '../../files/textFile.ts';
import { version } from './version.ts';
import { writeJson } from './results.ts';
import { cannotWrite, makeFolder } from '../../files/writing.ts';

/** Files of a run's folder `partial` that are no parts. */
const others = new Set(['lock']);

export class FinishedParts {
  readonly folder: string;
  readonly #computation: string;
  /** Whether parts of another computation were there, and are no more. */
  readonly removed: boolean;

  /**
   * @param computation everything that decides the numbers of every part
   * @throws LayerifError `cannotWrite`
   */
  constructor(folder: string, computation: unknown) {
    this.folder = folder;
    this.#computation = hashOf(computation);
    makeFolder(folder);
    this.removed = this.#remove((name) => !name.startsWith(`${this.#computation}-`));
  }

  /**
   * @param what it is; one part has one plan at a time
   * @param plan everything else that decides its numbers
   * @throws LayerifError `cannotWrite`
   */
  part(what: unknown, plan: unknown = null): FinishedPart {
    const start = `${this.#computation}-${hashOf(what)}-`;
    const name = start + hashOf(plan);
    const replaced = this.#remove((entry) => entry.startsWith(start) && entry !== name && entry !== `${name}.json`);
    return new FinishedPart(path.join(this.folder, name), what, replaced);
  }

  /** Removes all parts: they are worth nothing, as when the model was changed under them. */
  discard(): void {
    this.#remove(() => true);
  }

  /** Removes the store, once what it was for is written. */
  clear(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  #remove(unfit: (name: string) => boolean): boolean {
    try {
      const names = fs.readdirSync(this.folder).filter((name) => !others.has(name) && unfit(name));
      for (const name of names) fs.rmSync(path.join(this.folder, name), { recursive: true, force: true });
      return names.length > 0;
    } catch (error) {
      throw cannotWrite(this.folder, error);
    }
  }
}

export class FinishedPart {
  readonly #what: unknown;
  readonly #path: string;
  /** Whether the same part by another plan was there, and is no more. */
  readonly replaced: boolean;

  constructor(place: string, what: unknown, replaced: boolean) {
    this.#path = place;
    this.#what = what;
    this.replaced = replaced;
  }

  /** For files of the part, the unfinished ones too. */
  get folder(): string {
    return this.#path;
  }

  /** Null where the part is not finished, or its file is damaged. */
  read<T>(): T | null {
    try {
      return (JSON.parse(readText(`${this.#path}.json`, 'result')) as { value: T }).value ?? null;
    } catch {
      return null;
    }
  }

  /** @throws LayerifError `cannotWrite` */
  write(value: unknown): void {
    writeJson(`${this.#path}.json`, { what: this.#what, value });
  }

  /** The kept value, else the computed one, which is kept. */
  async once<T>(compute: () => Promise<T>): Promise<T> {
    if (this.read<T>() === null) this.write(await compute());
    return this.read<T>()!;
  }
}

/** What a user is told of a part whose plan is another one now. @param subject what the part is of */
export function replacedText(subject: string): string {
  return `${subject}: the interrupted run had another plan (memory, projection or batches), so what it had finished is removed and computed anew`;
}

/** What a user is told where a store held parts of another computation. @param what was interrupted */
export function removedText(what: string): string {
  return `what an interrupted ${what} had finished is of another model, setting, version or device: it is removed and computed anew`;
}

/** What of the engine decides numbers to the last bits. */
export function engineOf({ onnxruntime, device }: EngineInfo): Record<string, string> {
  return { layerif: version, onnxruntime, device };
}

/** Of samples as the engine sees them, which tells the tokenizer and the templates too. */
export function tokensHash(samples: readonly Pick<EncodedSample, 'tokens' | 'countedFrom'>[]): string {
  const hash = createHash('sha256');
  for (const { tokens, countedFrom } of samples) hash.update(`${tokens.length} ${countedFrom} `).update(tokens);
  return hash.digest('hex');
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
}

/** JSON with sorted keys, so that the same key has one text however it was put together. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (ArrayBuffer.isView(inner)) return Array.from(inner as unknown as Iterable<number>);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
