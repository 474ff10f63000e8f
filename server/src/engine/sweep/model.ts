/** A model that is open and warm: checkpoint, architecture, weights and the sessions made so far. */
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { adapted } from '../../models/adapter.ts';
import { architectureOf } from '../../models/families.ts';
import type { Architecture } from '../../models/types.ts';
import type { BuiltGraph } from './graphs.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';
import { WeightStore } from './weights.ts';

export interface Prepared<T extends BuiltGraph> {
  built: T;
  session: Session;
}

/** Something that is released with the model. */
export interface Kept {
  release(): Promise<void>;
}

export class Model {
  readonly architecture: Architecture;
  readonly weights: WeightStore;
  readonly runtime: Runtime;
  readonly #checkpoint: Checkpoint;
  readonly #sessions = new Map<string, Prepared<BuiltGraph>>();
  readonly #kept = new Map<string, Kept>();

  private constructor(runtime: Runtime, checkpoint: Checkpoint) {
    this.runtime = runtime;
    this.#checkpoint = checkpoint;
    this.architecture = adapted(architectureOf(checkpoint.config, checkpoint.tensors), checkpoint.adapter);
    this.weights = new WeightStore(checkpoint, this.architecture);
  }

  /**
   * @param adapter folder of a PEFT LoRA adapter that is applied
   * @throws LayerifError `badModel`; Error for a configuration that no family takes (runs check it before)
   */
  static open(runtime: Runtime, path: string, adapter?: string): Model {
    return new Model(runtime, openCheckpoint(path, { adapter }));
  }

  /** The session of a graph, made once per `key`. */
  async session<T extends BuiltGraph>(key: string, build: () => T): Promise<Prepared<T>> {
    let prepared = this.#sessions.get(key);
    if (!prepared) {
      const made = build();
      prepared = { built: made, session: await this.runtime.session(made.graph) };
      this.#sessions.set(key, prepared);
    }
    return prepared as Prepared<T>;
  }

  /** What holds sessions of its own, made once per `key` and released with the model. */
  async kept<T extends Kept>(key: string, make: () => Promise<T>): Promise<T> {
    let made = this.#kept.get(key);
    if (!made) {
      made = await make();
      this.#kept.set(key, made);
    }
    return made as T;
  }

  async release(): Promise<void> {
    for (const made of this.#kept.values()) await made.release();
    this.#kept.clear();
    for (const { session } of this.#sessions.values()) await session.release();
    this.#sessions.clear();
    this.#checkpoint.close();
  }
}
