/**
 * The section `validate` of an experiment file: how influence is checked against retraining. Defaults take minutes on a
 * small model.
 */
import type { ValidateSettings } from '../../../protocol/experiment.ts';
import { influenceProtocols, protocolIds } from '../../../protocol/experiment.ts';
import { optimizerIds, scheduleIds } from '../../../protocol/optimizer.ts';
import { z } from 'zod';
import { doc, textSource } from './words.ts';

const count = (least: number) => z.int().min(least);

const retrainSchema = z.strictObject({
  layers: doc(
    z.array(z.int().min(0)).min(1),
    'Layers that get LoRA factors and whose influence is checked; default: the two highest scored layers. The lower the lowest one, the longer it takes.',
    [[28, 29]],
  ).optional(),
  rank: doc(count(1).default(8), 'LoRA rank.'),
  alpha: doc(z.number().positive().default(16), 'LoRA alpha; the low-rank term is scaled with alpha / rank.'),
  optimizer: doc(z.enum(optimizerIds).default('adamw'), 'adamw, or sgd.'),
  steps: doc(count(1).default(12), 'Optimiser steps of a training; a warm start takes as many again.'),
  batch_size: doc(count(1).default(16), 'Samples of a step.'),
  learning_rate: doc(z.number().positive().default(0.001), 'Step size.'),
  weight_decay: doc(z.number().min(0).default(0.01), 'Decoupled for adamw, a part of the gradient for sgd.'),
  schedule: doc(
    z.enum(scheduleIds).default('constant'),
    'Learning rate after the warm-up: constant, linear to 0, or by half a cosine wave to 0.',
  ),
  warmup_steps: doc(count(0).default(0), 'Steps over which the learning rate rises from 0.'),
  max_grad_norm: doc(z.number().positive(), 'Largest norm of a gradient; absent: no clipping.').optional(),
});

export const validateSchema = z.strictObject({
  protocols: doc(
    z
      .array(z.enum(protocolIds))
      .min(1)
      .default([...influenceProtocols]),
    'lds: losses after training on random half subsets; loo: leave-one-out and leave-k-out; mislabel: finding changed labels; retrieval: finding training samples of the same kind; surrogate: exact leave-one-out of a classifier on frozen features; default: these. selection: training on the rows that data_scores choose against random ones; forgetting: training with token masks; mastery: training on facts of each level.',
  ),
  train: doc(count(4).default(48), 'Training samples of the task that are used, the first ones.'),
  validation: doc(count(2).default(16), 'Validation samples of the task that are used, the first ones.'),
  subsets: doc(count(4).default(24), 'Half subsets of the linear datamodeling score.'),
  leave_out: doc(count(4).default(12), 'Single samples, and groups, that are left out one after the other.'),
  group_size: doc(count(2).default(8), 'Samples of a group.'),
  seeds: doc(count(1).default(1), 'Trainings with other initial factors and batches, averaged.'),
  flip: doc(z.number().gt(0).lt(0.5).default(0.2), 'Share of labels that are changed for mislabel detection.'),
  retrain: doc(retrainSchema.prefault({}), 'How LoRA factors are trained.'),
  retrieval: doc(
    z
      .strictObject({
        train_per_class: doc(count(2).default(12), 'Training samples of each of the ten kinds, at most 90.'),
        validation_per_class: doc(count(1).default(3), 'Validation samples of each kind, at most 10.'),
      })
      .prefault({}),
    'Sizes of the built-in ten kinds of template tasks.',
  ),
  surrogate: doc(
    z
      .strictObject({
        pooling: doc(
          z.enum(['last', 'mean']).default('last'),
          'Hidden state of the prompt: of its last token, or the mean over its tokens.',
        ),
        components: doc(count(2).default(16), 'Principal components of the hidden states that the classifier reads.'),
        weight_decay: doc(z.number().positive().default(0.01), 'L2 penalty of the classifier.'),
        damping: doc(
          z.number().min(0).default(0),
          'Added to the Hessian of the influence function beside the weight decay, and to the objective when retraining: a proximal term around the optimum.',
        ),
      })
      .prefault({}),
    'The classifier on frozen features.',
  ),
  selection: doc(
    z
      .strictObject({
        share: doc(z.number().gt(0).lt(1).default(0.25), 'Share of the training samples that is chosen.'),
        draws: doc(count(2).default(19), 'Random choices of as many; 19 are the fewest that can show a difference.'),
        held_out: doc(
          count(4).default(32),
          'Samples that the trainings are judged on: of test_split, else of validation_split behind those that scores are compared with.',
        ),
      })
      .prefault({}),
    'Sizes of the protocol selection.',
  ),
  forgetting: doc(
    z
      .strictObject({
        threshold: doc(z.number().positive().default(2.5), 'Perplexity above which a token is masked.'),
        corpus: doc(
          z.strictObject(textSource),
          'Texts that have nothing to do with the task; default: evaluate.perplexity.',
        ).optional(),
        texts: doc(count(2).default(32), 'How many of them, the first ones.'),
        seeds: doc(count(1).default(3), 'Trainings of each mask, with initial factors and batches of their own.'),
      })
      .prefault({}),
    'Sizes of the protocol forgetting.',
  ),
  mastery: doc(
    z
      .strictObject({
        facts: doc(count(1).default(12), 'Facts of each level that are trained on.'),
        held_out: doc(count(2).default(24), 'Other facts that are asked about: the first of validation_split.'),
        max_new_tokens: doc(count(1).default(16), 'Most tokens of an answer.'),
        seeds: doc(count(1).default(3), 'Trainings of each level, with facts and initial factors of their own.'),
      })
      .prefault({}),
    'Sizes of the protocol mastery.',
  ),
});

/** With what files of earlier versions do not say. */
export type WholeSettings = ValidateSettings & Required<Pick<ValidateSettings, 'selection' | 'forgetting' | 'mastery'>>;

export function resolveValidation({
  retrain: { layers, max_grad_norm, ...retrain },
  forgetting: { corpus, ...forgetting },
  ...rest
}: z.output<typeof validateSchema>): WholeSettings {
  return {
    ...rest,
    forgetting: { ...forgetting, ...(corpus === undefined ? {} : { corpus }) },
    retrain: {
      ...retrain,
      ...(layers === undefined ? {} : { layers: [...new Set(layers)].sort((a, b) => a - b) }),
      ...(max_grad_norm === undefined ? {} : { max_grad_norm }),
    },
  };
}

/** Of an experiment without the section. */
export const defaultValidation: WholeSettings = resolveValidation(validateSchema.parse({}));
