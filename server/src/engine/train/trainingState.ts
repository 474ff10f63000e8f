/**
 * A training between two steps in one file: float64 parameters and moments, losses so far. It is replaced as a whole,
 * so that an interrupted training goes on behind its last kept step with the same numbers to the last bit; a file of
 * another training, or a damaged one, counts for nothing.
 */
import fs from 'node:fs';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { OptimizerState } from '../../training/types.ts';
import type { Parameters } from '../../training/parameters.ts';

export interface TrainingState {
  /** Steps that were taken. */
  step: number;
  parameters: Parameters;
  optimizer: OptimizerState;
  /** Losses of the steps so far. */
  curve: Float64Array;
}

const CURVE = 'curve';

export class KeptTraining {
  readonly #file: string;
  readonly #key: string;
  readonly #milliseconds: number;
  #saved = performance.now();

  constructor({ file, key, seconds }: { file: string; key: string; seconds: number }) {
    this.#file = file;
    this.#key = key;
    this.#milliseconds = 1000 * seconds;
  }

  /** @param sizes numbers of every parameter */
  load(sizes: ReadonlyMap<string, number>): TrainingState | null {
    if (!fs.existsSync(this.#file)) return null;
    try {
      const { metadata, names, tensor } = readSafetensors(this.#file);
      if (metadata.key !== this.#key) return null;
      const moments: Record<string, Parameters> = {};
      const parameters: Parameters = new Map();
      let curve = new Float64Array(0);
      for (const name of names()) {
        const data = Float64Array.from(tensor(name) as Float64Array);
        const [kind, ...rest] = name.split('/');
        if (kind === CURVE) curve = data;
        else if (kind === 'parameters') parameters.set(rest.join('/'), data);
        else (moments[kind] ??= new Map()).set(rest.join('/'), data);
      }
      for (const [name, size] of sizes) if (parameters.get(name)?.length !== size) return null;
      const step = Number(metadata.step);
      return { step, parameters, optimizer: { steps: Number(metadata.steps), moments }, curve };
    } catch {
      return null;
    }
  }

  /** Where the last time is long enough ago. */
  save({ step, parameters, optimizer, curve }: TrainingState): void {
    if (performance.now() - this.#saved < this.#milliseconds) return;
    const all = { parameters, ...optimizer.moments };
    const tensors = Object.entries(all).flatMap(([kind, numbers]) =>
      [...numbers].map(([name, data]) => ({
        name: `${kind}/${name}`,
        dtype: 'F64' as const,
        shape: [data.length],
        data,
      })),
    );
    writeSafetensors(this.#file, [...tensors, { name: CURVE, dtype: 'F64', shape: [curve.length], data: curve }], {
      key: this.#key,
      step: String(step),
      steps: String(optimizer.steps),
    });
    this.#saved = performance.now();
  }

  remove(): void {
    fs.rmSync(this.#file, { force: true });
  }
}
