/**
 * Does token masking keep a model from forgetting? LoRA factors are trained on the same rows with and without the
 * masks of `token_mask`, the same steps, initial factors and order of batches; beside the held-out loss of the
 * task stands that of texts that have nothing to do with it, and the norm of what was added to the weights.
 */
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Comparison } from '../../../../protocol/validation.ts';
import { readSafetensors, openSafetensors } from '../../checkpoints/safetensors.ts';
import { readPlainTexts } from '../../data/plainTexts.ts';
import type { Sample } from '../../data/types.ts';
import { maskedTokens } from '../../scores/tokenMask.ts';
import type { MaskVariant } from '../../scores/tokenMask.ts';
import { mean } from '../../statistics/moments.ts';
import { updateNorm } from '../../linear/updateNorm.ts';
import { paired } from '../../validation/comparison.ts';
import { nth } from '../../lists/nth.ts';
import type { Facts, Protocol, ProtocolAnswer } from './protocol.ts';
import { compared, sentences, shown, wordOf } from './validateComparison.ts';
import type { MaskableSample, ValidationContext } from './validateContext.ts';

export const forgetting: Protocol = {
  title: 'Does token masking keep the model from forgetting?',
  obstacle,
  requires: corpusOf,
  run,
};

const variants = ['highest', 'lowest', 'random'] as const satisfies readonly MaskVariant[];
const PLAIN = 'no mask';

/** What trainings of one kind end with, one for each seed. */
interface Trained {
  way: string;
  /** Seed x sample. */
  target: number[][];
  corpus: number[][];
  norm: number[];
}

function obstacle({ prepared, settings }: Facts): string | null {
  if (settings.forgetting.corpus ?? prepared.experiment.evaluate?.perplexity) return null;
  return 'it needs texts that have nothing to do with the task: name a dataset and split as validate.forgetting.corpus, or as evaluate.perplexity';
}

async function run(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings } = context.options;
  const { threshold, seeds } = settings.forgetting;
  const samples = await context.labelled({}, settings, 'target');
  const corpus = await corpusOf(context.options);
  const perplexities = await context.perplexities(samples.train);
  const notes: string[] = [];
  const all: Trained[] = [];
  let masked = 0;
  const trainings = [PLAIN, ...variants];
  for (const [turn, way] of trainings.entries()) {
    context.phase(turn / trainings.length, (turn + 1) / trainings.length);
    const train = samples.train.map((sample, row): MaskableSample => {
      if (way === PLAIN) return sample;
      const mask = maskedTokens(nth(perplexities, row), null, row, {
        threshold,
        variant: way as MaskVariant,
        seed: context.seed,
      });
      if (way === 'highest') masked += mask.reduce((sum, one) => sum + one, 0);
      const counted = new Uint8Array(sample.tokens.length);
      mask.forEach((drop, t) => (counted[sample.countedFrom + t] = 1 - drop));
      return { ...sample, counted };
    });
    // A row without a counted token has no loss; it stays in the request, and out of the batches.
    const members = train.flatMap(({ counted }, row) => (!counted || counted.includes(1) ? [row] : []));
    if (members.length === 0) {
      notes.push(`${way} masks every token of every row at threshold ${threshold} and is not trained.`);
      continue;
    }
    if (members.length < train.length)
      notes.push(
        `${way} masks every token of ${train.length - members.length} of ${train.length} rows, which are left out.`,
      );
    const usable = train.map((sample, row) => (members.includes(row) ? sample : nth(samples.train, row)));
    all.push(await trained(context, way, { train: usable, members, target: samples.validation, corpus, seeds }));
  }
  const ofUntrained = await context.retrain(
    { key: 'forgetting', train: samples.train, validation: [...samples.validation, ...corpus] },
    [{ id: 'forgetting-untrained', seed: context.seed, samples: [0], start: null, steps: 0, save: null }],
  );
  const before = nth(ofUntrained, 0);
  const untrained = {
    target: before.validation.slice(0, samples.validation.length),
    corpus: before.validation.slice(samples.validation.length),
  };
  const plain = nth(all, 0);
  const others = all.slice(1);
  const ways = others.length;
  const tables = (
    [
      ['Held-out loss of the task (nats per token)', ({ target }) => target, mean(untrained.target)],
      ['Loss of other texts (nats per token)', ({ corpus: texts }) => texts, mean(untrained.corpus)],
      ['Norm of the update', ({ norm }) => norm.map((value) => [value]), 0],
    ] as [string, (one: Trained) => number[][], number][]
  ).map(([name, of, start]): Comparison => ({
    name,
    better: 'lower',
    baseline: PLAIN,
    ways: [
      ...others.map((one) =>
        compared(one.way, mean(of(one).map(mean)), paired(of(one), of(plain), ways), one.way !== 'highest'),
      ),
      shown(PLAIN, mean(of(plain).map(mean))),
      shown('untrained', start),
    ],
  }));
  const still = (rows: number[][], values: number[]) =>
    paired(
      rows,
      rows.map(() => values),
      1,
    );
  const forgets = wordOf(still(plain.corpus, untrained.corpus), 'lower', 'seeds') === 'worse';
  const learns = wordOf(still(plain.target, untrained.target), 'lower', 'seeds') === 'better';
  const counted = samples.train.reduce((sum, { tokens, countedFrom }) => sum + tokens.length - countedFrom, 0);
  return {
    how: `${samples.train.length} rows, the loss of their answers (${counted} tokens, of which perplexities above ${threshold} mask ${masked}); LoRA trained from its initial factors with ${seeds} seeds, ${settings.retrain.steps} steps each; judged on ${samples.validation.length} samples of the task and ${corpus.length} other texts. Intervals are over other seeds and other held-out samples and texts, for the ${ways} masks of a table together.`,
    measures: [],
    comparisons: tables,
    verdict: [
      ...(learns
        ? []
        : [
            'Training without a mask does not lower the held-out loss of the task beyond chance: there is no gain that a mask could keep.',
          ]),
      ...(forgets
        ? []
        : [
            'Training without a mask does not raise the loss of the other texts beyond chance: nothing was forgotten here that a mask could prevent.',
          ]),
      ...tables.flatMap((table) => sentences(table, 'seeds')),
      ...notes,
    ],
  };
}

async function trained(
  context: ValidationContext,
  way: string,
  {
    train,
    members,
    target,
    corpus,
    seeds,
  }: {
    train: MaskableSample[];
    members: number[];
    target: readonly Sample[];
    corpus: readonly Sample[];
    seeds: number;
  },
): Promise<Trained> {
  const runs = Array.from({ length: seeds }, (_, s) => {
    const id = `forgetting-${way}-s${s}`;
    const { steps } = context.options.settings.retrain;
    return { id, seed: context.seed + s, samples: members, start: null, steps, save: context.adapter(id) };
  });
  const done = await context.retrain({ key: 'forgetting', train, validation: [...target, ...corpus] }, runs);
  return {
    way,
    target: done.map(({ validation }) => validation.slice(0, target.length)),
    corpus: done.map(({ validation }) => validation.slice(target.length)),
    norm: runs.map(({ save }) => normOf(save, context.lora.rank, context.lora.alpha)),
  };
}

/** Of everything that an adapter adds to the weights. */
function normOf(folder: string, rank: number, alpha: number): number {
  const file = path.join(folder, 'adapter_model.safetensors');
  const { tensor } = readSafetensors(file);
  const factor = (name: string) => tensor(name) as Float32Array;
  const names = openSafetensors(file)
    .tensors.map(({ name }) => name)
    .filter((name) => name.includes('.lora_A.'));
  const squares = names.map(
    (name) => updateNorm(factor(name), factor(name.replace('.lora_A.', '.lora_B.')), rank, alpha / rank) ** 2,
  );
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

/** @throws LayerifError `badData` */
async function corpusOf({ prepared, settings }: Facts): Promise<Sample[]> {
  const { experiment, baseDir, opened } = prepared;
  const source = settings.forgetting.corpus ?? experiment.evaluate!.perplexity!;
  await opened.fetchDatasets([source.dataset]);
  const { texts } = await readPlainTexts(experiment, source, baseDir);
  const samples = texts.slice(0, settings.forgetting.texts).map(({ text, row }): Sample => ({
    ...{ file: row.file, row: row.row, line: row.line, text, countedFrom: 1 },
    ...opened.tokenizer.encodeStart(text, experiment.model.max_length),
  }));
  const usable = samples.filter(({ tokens }) => tokens.length > 1);
  if (usable.length >= 2) return usable;
  throw new LayerifError(
    'badData',
    `validate.forgetting.corpus: ${source.split} of ${source.dataset} has ${usable.length} texts of two tokens or more, at least 2 are needed`,
  );
}
