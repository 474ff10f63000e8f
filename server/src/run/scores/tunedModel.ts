/**
 * The other model of scores that compare two: the checkpoint of the option `tuned`, or without one the model without
 * its adapter. Layers are compared one by one and texts are those of the experiment, so both must have as many layers
 * and a place for every token.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ModelVariant } from '../../../../protocol/scores.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import { fetchModel } from '../inputs/hubInputs.ts';
import { openModel } from '../inputs/openModel.ts';
import type { OpenedModel } from '../inputs/openModel.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';

export class TunedModels {
  readonly #opened: OpenExperiment;
  readonly #known = new Map<string, OpenedModel>();
  readonly #bySha = new Map<string, OpenedModel>();

  constructor(opened: OpenExperiment) {
    this.#opened = opened;
  }

  /**
   * @throws LayerifError `badRequest` where there is nothing to compare with, `badModel` for a model that cannot be
   *   compared
   */
  async variant(score: string, { options }: ScoreNeed, samples: readonly EncodedSample[]): Promise<ModelVariant> {
    const { checkpoint, model, baseDir } = this.#opened;
    const named = typeof options.tuned === 'string' ? options.tuned : '';
    if (named === '') {
      if (checkpoint.adapter) return { variant: 'base' };
      throw new LayerifError(
        'badRequest',
        `score ${score} with view tuned compares two models, and the experiment names one: set model.adapter to a LoRA folder, or ${score}.tuned to a second checkpoint`,
      );
    }
    let other = this.#known.get(named);
    if (!other) {
      await fetchModel({ path: named }, baseDir, {});
      other = openModel({ path: named }, baseDir);
      this.#known.set(named, other);
    }
    if (other.model.layers !== model.layers) {
      throw new LayerifError(
        'badModel',
        `${score}.tuned ${other.checkpoint.path} has ${other.model.layers} layers, ${checkpoint.path} has ${model.layers}: layers are compared one by one`,
      );
    }
    const most = samples.reduce((max, { tokens }) => tokens.reduce((a, b) => Math.max(a, b), max), 0);
    if (most >= other.model.vocabulary) {
      throw new LayerifError(
        'badModel',
        `${score}.tuned ${other.checkpoint.path} has a vocabulary of ${other.model.vocabulary}, and the texts have the token ${most}: both models must share one tokenizer`,
      );
    }
    const sha256 = await other.checkpoint.sha256();
    this.#bySha.set(sha256, other);
    return { variant: 'checkpoint', sha256 };
  }

  /** The model of a need; undefined for the experiment's own. */
  of({ sha256 }: ModelVariant): OpenedModel | undefined {
    return sha256 === undefined ? undefined : this.#bySha.get(sha256);
  }

  close(): void {
    for (const { checkpoint } of this.#known.values()) checkpoint.close();
  }
}
