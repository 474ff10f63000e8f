/**
 * The section `train_experts` of an experiment file: LoRA experts trained for several allocations. Defaults are MoLA's
 * but for the size.
 */
import type { TrainExpertsSettings } from '../../../protocol/experiment.ts';
import { scheduleIds } from '../../../protocol/optimizer.ts';
import { z } from 'zod';
import { doc, splitSlice } from './words.ts';

const count = (least: number) => z.int().min(least);

export const trainExpertsSchema = z.strictObject({
  allocations: doc(
    z
      .array(z.string().min(1))
      .min(1)
      .default(['layerif', 'uniform', 'mola_2468', 'mola_5555', 'mola_8642', 'alphalora']),
    'How many experts each layer gets: rules of `layerif allocate`, or files NAME.layerif-allocation.json. The others are compared with the first.',
    [['layerif', 'uniform', 'alphalora']],
  ),
  total: doc(
    count(1),
    'Sum of experts over the layers; default: that of allocate.experts, else 5 a layer. A MoLA shape sets its own.',
  ).optional(),
  rank: doc(count(1).default(8), 'LoRA rank of every expert.'),
  alpha: doc(z.number().positive().default(16), "LoRA alpha; an expert's output is scaled with alpha / rank."),
  top_k: doc(count(1).default(2), 'Experts that are active per token; a layer with fewer activates all.'),
  modules: doc(
    z.array(z.string().min(1)).min(1).default(['*']),
    'Globs over module names below a layer that get experts; `*` is every linear module.',
    [['self_attn.*', 'mlp.down_proj']],
  ),
  training_split: doc(
    splitSlice,
    "Rows that are trained on, which may be more than those that were scored; default: the task's training split. None of them may be evaluated.",
    ['train'],
  ).optional(),
  loss: doc(
    z.enum(['all', 'target']),
    'all: the mean over every token; target: over the tokens of the answer alone. Default: that of score.',
  ).optional(),
  steps: doc(count(1).default(40), 'Optimiser steps of a training.'),
  batch_size: doc(count(1).default(16), 'Samples of a step.'),
  learning_rate: doc(z.number().positive().default(0.0003), 'Step size of AdamW.'),
  weight_decay: doc(z.number().min(0).default(0), 'Decoupled.'),
  schedule: doc(
    z.enum(scheduleIds).default('constant'),
    'Learning rate after the warm-up: constant, linear to 0, or by half a cosine wave to 0.',
  ),
  warmup_steps: doc(count(0).default(0), 'Steps over which the learning rate rises from 0.'),
  max_grad_norm: doc(z.number().positive(), 'Largest norm of a gradient; absent: no clipping.').optional(),
  balance: doc(z.number().min(0).default(0.001), "What the sum of the routers' balance losses is multiplied with."),
  seeds: doc(count(1).default(3), 'Trainings of each allocation, with other initial weights and batches.'),
});

export function resolveTrainExperts(parsed: z.output<typeof trainExpertsSchema>): TrainExpertsSettings {
  const given = Object.entries(parsed).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as TrainExpertsSettings;
}

/** Of an experiment without the section. */
export const defaultTrainExperts: TrainExpertsSettings = resolveTrainExperts(trainExpertsSchema.parse({}));
