/**
 * Does selection work? LoRA factors are trained on the rows that each score of rows chooses and on as many random
 * rows, the same steps, initial factors and order of batches, and the loss of held-out samples is compared. Scores
 * that compare rows with validation samples see other samples than those on which they are judged.
 */
import path from 'node:path';
import { labelOf } from '../../../../protocol/rowSelection.ts';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import type { Comparison } from '../../../../protocol/validation.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { firstOfSlice } from '../../data/splits.ts';
import { Random } from '../../random/random.ts';
import { findDataScore } from '../../scores/dataScores.ts';
import { mean } from '../../statistics/moments.ts';
import { againstDraws } from '../../validation/comparison.ts';
import { overColumns } from '../../validation/agreementMeasures.ts';
import { chosenRows, controlIds } from '../decide/selection.ts';
import { computeDataScores } from '../scores/dataScores.ts';
import { experimentName } from '../files/results.ts';
import { nth } from '../../lists/nth.ts';
import type { Facts, Protocol, ProtocolAnswer } from './protocol.ts';
import { compared, sentences, shown } from './validateComparison.ts';
import { taskSlices } from './validateContext.ts';
import type { SampleSet, ValidationContext } from './validateContext.ts';
import { gramPredictors } from './validatePredictors.ts';

export const selection: Protocol = { title: 'Does selection work?', obstacle, requires: heldOut, run };

/** A choice of rows. */
interface Chosen {
  name: string;
  control: boolean;
  rows: number[];
}

const LEAST_HELD_OUT = 4;

function obstacle({ prepared }: Facts): string | null {
  if (rowScores(prepared.experiment.data_scores).length > 0) return null;
  return 'the experiment names no scores of rows to select by; give data_scores, such as [ifd_ppl, bm25, loss, length]';
}

/** Facts and tokens are no rows that are chosen. */
const rowScores = (asked: readonly AskedScore[] = []) =>
  asked.filter(({ id }) => findDataScore(id).subject === 'sample');

async function run(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings, train, validation } = context.options;
  const { draws, share } = settings.selection;
  const { dataset, held } = await heldOut(context.options);
  const size = Math.max(1, Math.round(share * train.length));
  context.phase(0, 0.3);
  const { choices, notes } = await choicesOf(context, dataset, size);
  const samples = await context.labelled(
    { validation_split: held },
    { train: train.length, validation: settings.selection.held_out },
  );
  const set: SampleSet = { key: 'selection', train: samples.train, validation: samples.validation };
  const random = new Random(context.seed, 'random subsets');
  const subsets = Array.from({ length: draws }, () => random.subset(train.length, size));
  // Together, so that what lies below the trained layers is computed once.
  const sets: { id: string; rows: readonly number[]; steps?: number }[] = [
    ...subsets.map((rows, r) => ({ id: `random-${r}`, rows })),
    ...choices.map(({ name, rows }) => ({ id: `by ${name} ${rows.join('+')}`, rows })),
    { id: 'all', rows: train.map((_, i) => i) },
    { id: 'untrained', rows: [0], steps: 0 },
  ];
  const runs = sets.map(({ id, rows, steps = settings.retrain.steps }) =>
    Array.from({ length: steps === 0 ? 1 : settings.seeds }, (_, s) => ({
      ...{ id: `selection-${id}-s${s}`, seed: context.seed + s, samples: [...rows], start: null, steps, save: null },
    })),
  );
  context.phase(0.3, 1);
  const done = await context.retrain(set, runs.flat());
  let next = 0;
  /** Of each set, the losses of the held-out samples, seeds averaged. */
  const losses = runs.map(({ length }) => {
    const own = done.slice(next, (next += length));
    return samples.validation.map((_, j) => mean(own.map((one) => nth(one.validation, j))));
  });
  const ofDraws = losses.slice(0, draws);
  const ofChoices = losses.slice(draws, -2);
  const [everything, before] = [nth(losses, losses.length - 2), nth(losses, losses.length - 1)];
  const baseline = `random choices of ${size} rows`;
  const comparison: Comparison = {
    name: 'Held-out loss (nats per token)',
    better: 'lower',
    baseline,
    ways: [
      ...choices.map(({ name, control }, i) => {
        const own = nth(ofChoices, i);
        return compared(name, mean(own), againstDraws(own, ofDraws, choices.length), control);
      }),
      shown(`${baseline}, mean of ${draws}`, mean(ofDraws.map(mean))),
      shown(`all ${train.length} rows`, mean(everything)),
      shown('untrained', mean(before)),
    ],
  };
  const trains = mean(ofDraws.map(mean)) < mean(before);
  return {
    how: `${size} of ${train.length} training samples, chosen by each score and ${draws} times at random; LoRA trained from its initial factors ${settings.seeds === 1 ? 'with one seed' : `with ${settings.seeds} seeds`}, ${settings.retrain.steps} steps each, and judged on ${samples.validation.length} samples (${held}) that no score has seen. Scores that compare rows with validation samples took ${validation.length} others.`,
    measures: [],
    comparisons: [comparison],
    verdict: [
      ...(trains
        ? []
        : [
            'Training on random rows does not lower the held-out loss at all: what is chosen can hardly matter. Try more steps or another learning rate.',
          ]),
      ...sentences(comparison, 'draws'),
      `p is exact for each choice by itself, whatever the scatter: a random choice would be said to beat, or to be worse, in at most one of twenty cases each${draws < 19 ? `; with ${draws} draws it cannot be told at all (at least 19 are needed)` : ''}. Intervals hold for the ${choices.length} choices together where draws scatter normally.`,
      ...notes,
    ],
  };
}

/** Samples that no score compares rows with. @throws LayerifError `badData` */
async function heldOut({ prepared, settings, validation }: Facts): Promise<{ dataset: OpenDataset; held: string }> {
  const { task, dataset, slices } = await taskSlices(prepared);
  const wanted = settings.selection.held_out;
  const [from, split] = task.test_split === undefined ? [validation.length, slices.validation] : [0, task.test_split];
  const { text: held, rows } = await firstOfSlice(dataset, split, from, wanted);
  if (rows >= LEAST_HELD_OUT) return { dataset, held };
  throw new LayerifError(
    'badData',
    `task "${task.task}": ${split} of ${task.dataset} has ${rows} rows beyond the ${from} that scores are compared with, at least ${LEAST_HELD_OUT} are needed to judge selections: give test_split, more rows in validation_split, or a smaller validate.validation`,
  );
}

async function choicesOf(
  context: ValidationContext,
  dataset: OpenDataset,
  size: number,
): Promise<{ choices: Chosen[]; notes: string[] }> {
  const { prepared, train, validation, machine, pool, signal, finished } = context.options;
  const { slices, task } = await context.slices();
  const asked = rowScores(prepared.experiment.data_scores);
  const [rows, targets] = [
    await firstOfSlice(dataset, slices.training, 0, train.length),
    await firstOfSlice(dataset, slices.validation, 0, validation.length),
  ];
  const texts = { dataset: task.dataset, split: rows.text };
  const own = asked.filter(({ id }) => !findDataScore(id).influence).map((one) => ({ ...one, texts }));
  const folder = path.join(path.dirname(finished.folder), 'selection');
  const scores =
    own.length === 0
      ? null
      : await computeDataScores({
          file: prepared.file,
          experiment: {
            ...prepared.experiment,
            tasks: [{ ...task, training_split: rows.text, validation_split: targets.text }],
          },
          asked: own,
          scoresFile: path.join(folder, `${experimentName(prepared.file)}${SCORES_SUFFIX}`),
          run: { machine, engine: pool },
          onProgress: (event) => context.progress(event),
          signal,
        });
  const tables = scores?.file.tables ?? [];
  const notes = (scores?.file.refused ?? []).map(({ score, message }) => `${score} is not there: ${message}`);
  const choices: Chosen[] = [];
  const add = (name: string, table: Pick<ScoreTable, 'values' | 'marks' | 'parts' | 'axes'>, lowest: boolean): void => {
    const { rows: chosen } = chosenRows(table, { keep: size, lowest });
    if (chosen.length === size)
      choices.push({
        name,
        rows: chosen,
        control: (controlIds as readonly string[]).includes(name.replace(/ .*/, '')),
      });
    else notes.push(`${name} is not compared: it can choose only ${chosen.length} of ${size} rows.`);
  };
  for (const table of tables) add(labelOf(table, tables), table, table.higherMeans === 'remove');
  const ofInfluence = asked.filter(({ id }) => findDataScore(id).influence);
  if (ofInfluence.length > 0) {
    const set: SampleSet = { key: 'task', train, validation };
    const { score } = prepared.experiment;
    const { predictors } = gramPredictors(await context.grams(set, null), 'pretrained', score.damping);
    const predictor = predictors.find(({ id }) => id === score.estimator);
    if (predictor?.B)
      add(
        `influence (${score.estimator})`,
        { values: [...overColumns(predictor.B, train.length, validation.length)], axes: [] },
        false,
      );
    else notes.push(`influence by ${score.estimator} is not compared: it needs more than Grams.`);
    const others = ofInfluence.filter(({ id }) => id !== 'influence').map(({ id }) => id);
    if (others.length > 0)
      notes.push(`${others.join(' and ')} are compared as influence, summed over the trained layers.`);
  }
  return { choices, notes };
}
