/**
 * Finished observations beside a result: `observations/<hash>.safetensors`, with key and model hash in the metadata. A
 * file of another key, another model or one that is damaged is as good as none: it is observed again.
 */
import fs from 'node:fs';
import path from 'node:path';
import { OBSERVATIONS_FOLDER } from '../../../../protocol/scores.ts';
import type { Tensors } from '../../../../protocol/scores.ts';
import { dtypeOf, openSafetensors, readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { cannotWrite, makeFolder } from '../../files/writing.ts';
import type { KeyedNeed } from './needs.ts';

export class ObservationFiles {
  readonly folder: string;
  readonly #modelSha256: string;

  /** @param runFolder of the result or of the scores */
  constructor(runFolder: string, modelSha256: string) {
    this.folder = path.join(runFolder, OBSERVATIONS_FOLDER);
    this.#modelSha256 = modelSha256;
  }

  read({ key, hash }: Pick<KeyedNeed, 'key' | 'hash'>): Tensors | null {
    const file = this.#file(hash);
    if (!fs.existsSync(file)) return null;
    try {
      const { metadata, tensor } = readSafetensors(file);
      if (metadata.key !== key || metadata.model !== this.#modelSha256) return null;
      return Object.fromEntries(
        openSafetensors(file).tensors.map(({ name, shape }) => [
          name,
          { shape: [...shape], data: tensor(name) as Float64Array },
        ]),
      );
    } catch {
      return null;
    }
  }

  /** @throws LayerifError `cannotWrite` */
  write({ key, hash }: Pick<KeyedNeed, 'key' | 'hash'>, tensors: Tensors): void {
    makeFolder(this.folder);
    const list = Object.entries(tensors).map(([name, { shape, data }]) => {
      return { name, dtype: dtypeOf(data), shape, data };
    });
    try {
      writeSafetensors(this.#file(hash), list, { key, model: this.#modelSha256 });
    } catch (error) {
      throw cannotWrite(this.#file(hash), error);
    }
  }

  /** Where an interrupted pass is continued. */
  get workDir(): string {
    return path.join(this.folder, 'partial');
  }

  removeWork(): void {
    fs.rmSync(this.workDir, { recursive: true, force: true });
  }

  #file(hash: string): string {
    return path.join(this.folder, `${hash}.safetensors`);
  }
}
