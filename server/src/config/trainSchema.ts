/** The section `train` of an experiment file: fine-tuning of LoRA factors or of whole matrices on a task's rows. */
import type { TrainSettings } from '../../../protocol/experiment.ts';
import { optimizerIds, scheduleIds } from '../../../protocol/optimizer.ts';
import { z } from 'zod';
import { layerList, layersOf } from './layerList.ts';
import { doc, splitSlice } from './words.ts';

const count = (least: number) => z.int().min(least);

export const trainSchema = z.strictObject({
  task: doc(z.string().min(1), 'Task whose rows are trained on; default: the first.').optional(),
  method: doc(
    z.enum(['lora', 'full']).default('lora'),
    'lora: low-rank factors, written as a PEFT adapter; full: the weight matrices themselves, written as a model folder.',
  ),
  layers: layerList('Layers that are trained'),
  modules: doc(
    z.array(z.string().min(1)).min(1).default(['*']),
    'Globs over module names below a layer that are trained; `*` is every linear module.',
    [['self_attn.*', 'mlp.down_proj']],
  ),
  rank: doc(count(1).default(8), 'LoRA rank.'),
  alpha: doc(z.number().positive().default(16), 'LoRA alpha; the low-rank term is scaled with alpha / rank.'),
  training_split: doc(splitSlice, "Rows that are trained on; default: the task's training split.", [
    'train',
  ]).optional(),
  validation_split: doc(
    splitSlice,
    "Rows whose loss is measured before and after; default: the task's validation split.",
    ['test[:100]'],
  ).optional(),
  loss: doc(
    z.enum(['all', 'target', 'assistant']),
    "all: the mean over every token; target: over the tokens of the answer alone, of a conversation the last one; assistant: of whole conversations (apply_chat_template, loglikelihood_rolling) over every turn of the assistant's. Default: that of score.",
  ).optional(),
  loss_mask: doc(
    z.string().min(1),
    'Column with a list of 0 and 1, one for each token of the row: only tokens with 1 are trained on, within those that loss counts.',
    ['loss_mask'],
  ).optional(),
  optimizer: doc(z.enum(optimizerIds).default('adamw'), 'adamw, or sgd.'),
  learning_rate: doc(z.number().positive().default(0.0003), 'Step size.'),
  weight_decay: doc(z.number().min(0).default(0), 'Decoupled for adamw, a part of the gradient for sgd.'),
  betas: doc(
    z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
    'Of adamw: how much of the moments stays.',
  ),
  epsilon: doc(z.number().positive().default(1e-8), 'Of adamw: added to the root of the second moment.'),
  momentum: doc(z.number().min(0).lt(1).default(0), 'Of sgd.'),
  schedule: doc(
    z.enum(scheduleIds).default('constant'),
    'Learning rate after the warm-up: constant, linear to 0, or by half a cosine wave to 0.',
  ),
  warmup_steps: doc(count(0).default(0), 'Steps over which the learning rate rises from 0.'),
  max_grad_norm: doc(z.number().positive(), 'Largest norm of a gradient; absent: no clipping.').optional(),
  steps: doc(count(1).default(100), 'Optimiser steps.'),
  batch_size: doc(count(1).default(8), 'Samples of a mini-batch.'),
  gradient_accumulation_steps: doc(count(1).default(1), 'Mini-batches whose mean gradient makes a step.'),
  seed: doc(count(0), 'Of initial factors and of the order of rows; default: that of score.').optional(),
});

export function resolveTrain({ layers, ...rest }: z.output<typeof trainSchema>): TrainSettings {
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), layers: layersOf(layers) } as unknown as TrainSettings;
}

/** Of an experiment without the section. */
export const defaultTrain: TrainSettings = resolveTrain(trainSchema.parse({}));
