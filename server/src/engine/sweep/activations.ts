/**
 * Activations or cotangents at one segment boundary, a tensor per batch: in memory (a plain array is one) or in a file
 * of raw float32 numbers below the run's folder, of which one batch is in memory at a time. Files are of use to the
 * process that wrote them only: what an earlier one left behind is wiped.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { cannotWrite, isWriteError, makeFolders } from '../../files/writing.ts';

export interface Activations {
  at(batch: number): Tensor | undefined;
  push(tensor: Tensor): unknown;
}

export class SpilledActivations implements Activations {
  readonly #file: string;
  readonly #fd: number;
  readonly #places: { offset: number; dims: readonly number[]; length: number }[] = [];
  #end = 0;

  /** @throws LayerifError `cannotWrite`, as `push` */
  constructor(file: string) {
    this.#file = file;
    try {
      this.#fd = fs.openSync(file, 'w+');
    } catch (error) {
      throw cannotWrite(file, error);
    }
  }

  push(tensor: Tensor): void {
    const data = numbers(tensor);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      for (let at = 0; at < bytes.length;) at += fs.writeSync(this.#fd, bytes, at, bytes.length - at, this.#end + at);
    } catch (error) {
      if (!isWriteError(error)) throw error;
      const { message } = cannotWrite(this.#file, error);
      throw new LayerifError('cannotWrite', `${message}, or raise --memory so that activations need no files`, {
        cause: error,
      });
    }
    this.#places.push({ offset: this.#end, dims: [...tensor.dims], length: data.length });
    this.#end += bytes.length;
  }

  at(batch: number): Tensor | undefined {
    const place = this.#places[batch];
    if (!place) return undefined;
    const data = new Float32Array(place.length);
    const bytes = new Uint8Array(data.buffer);
    for (let at = 0; at < bytes.length;) {
      const got = fs.readSync(this.#fd, bytes, at, bytes.length - at, place.offset + at);
      if (got === 0) throw new Error(`${this.#file} became shorter while the run used it; run the same command again`);
      at += got;
    }
    return floats(data, place.dims);
  }

  release(): void {
    fs.closeSync(this.#fd);
    fs.rmSync(this.#file, { force: true });
  }
}

/** Makes the activations of a run and lets them go. */
export class ActivationStore {
  readonly #folder: string | null;
  readonly #open = new Set<SpilledActivations>();
  #count = 0;

  /** @param folder where files go, wiped first; null keeps everything in memory */
  constructor(folder: string | null) {
    this.#folder = folder;
    if (folder === null) return;
    fs.rmSync(folder, { recursive: true, force: true });
    makeFolders(folder);
  }

  readonly make = (): Activations => {
    if (this.#folder === null) return [] as Tensor[];
    const made = new SpilledActivations(path.join(this.#folder, `${this.#count++}.float32`));
    this.#open.add(made);
    return made;
  };

  /** Frees what nobody reads any more. */
  release(activations: Activations): void {
    if (activations instanceof SpilledActivations) {
      if (this.#open.delete(activations)) activations.release();
    } else (activations as Tensor[]).length = 0;
  }

  close(): void {
    for (const spilled of this.#open) spilled.release();
    this.#open.clear();
    if (this.#folder !== null) fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
