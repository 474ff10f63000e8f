/**
 * The other model of scores that compare two: the checkpoint of the option `tuned`, or without one the model without
 * its adapter. Layers are compared one by one and texts are those of the experiment, so both must have as many layers
 * and a place for every token. A second model (`secondModel.ts`) reads the rows by itself and need not be alike.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { ModelVariant } from '../../../../protocol/scores.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import { graphOptions } from '../inputs/openModel.ts';
import type { OpenedModel } from '../inputs/openModel.ts';
import type { ObservedModel } from '../machine/observing.ts';
import { observedModel } from './graphScores.ts';
import type { KeyedNeed } from './needs.ts';
import { secondModel } from './secondModel.ts';
import type { SecondModel } from './secondModel.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';

export class TunedModels {
  readonly #opened: OpenExperiment;
  readonly #known = new Map<string, OpenedModel>();
  readonly #bySha = new Map<string, OpenedModel>();
  readonly #seconds = new Map<string, Promise<SecondModel>>();

  constructor(opened: OpenExperiment) {
    this.#opened = opened;
  }

  /**
   * @throws LayerifError `badRequest` where there is nothing to compare with, `badModel` for a model that cannot be
   *   compared
   */
  async variant(score: string, { options }: ScoreNeed, samples: readonly EncodedSample[]): Promise<ModelVariant> {
    const { checkpoint, model } = this.#opened;
    const named = typeof options.tuned === 'string' ? options.tuned : '';
    if (named === '') {
      if (checkpoint.adapter) return { variant: 'base' };
      throw new LayerifError(
        'badRequest',
        `score ${score} with view tuned compares two models, and the experiment names one: set model.adapter to a LoRA folder, or ${score}.tuned to a second checkpoint`,
      );
    }
    const other = await this.#open(named);
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

  /** @throws LayerifError `badRequest` where none is named, `badModel` for what cannot be opened or reads no texts */
  async second(score: string, named: string): Promise<SecondModel> {
    if (named === '') {
      throw new LayerifError(
        'badRequest',
        `score ${score} looks at the texts with two models: name the second one with ${score}.second, a folder, a .gguf or .onnx file or a hub id`,
      );
    }
    let found = this.#seconds.get(named);
    if (!found) this.#seconds.set(named, (found = secondModel(score, await this.#open(named))));
    const second = await found;
    this.#bySha.set(second.variant.sha256!, second.opened);
    return second;
  }

  async #open(named: string): Promise<OpenedModel> {
    const known = this.#known.get(named);
    if (known) return known;
    const other = await this.#opened.openOther(named);
    this.#known.set(named, other);
    return other;
  }

  /** The model that a need is observed of. */
  target({ need: { model: variant } }: KeyedNeed): ObservedModel {
    const other = variant.sha256 === undefined ? undefined : this.#bySha.get(variant.sha256);
    if (other) {
      const own = other.graph ? { graph: other.graph, options: {} } : undefined;
      return { checkpoint: other.checkpoint, model: other.model, adapter: null, graph: own };
    }
    const { checkpoint, model, graph, experiment } = this.#opened;
    return {
      checkpoint,
      model: observedModel(model, graph),
      adapter: variant.variant === 'base' ? null : (checkpoint.adapter?.path ?? null),
      graph: graph ? { graph, options: graphOptions(experiment.model) } : undefined,
    };
  }

  close(): void {
    for (const { checkpoint } of this.#known.values()) checkpoint.close();
  }
}
