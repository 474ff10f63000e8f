/**
 * Which facts to tune on? LoRA factors are trained on facts of each level of mastery, and on as many of any level,
 * the same steps; then the model answers questions about held-out facts, the likeliest token at a time.
 */
import path from 'node:path';
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { factLevels, SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { Comparison } from '../../../../protocol/validation.ts';
import { endTokens } from '../../checkpoints/generationConfig.ts';
import { firstOfSlice, readSlice } from '../../data/splits.ts';
import type { LabelledSample } from '../../data/labelledTask.ts';
import { languageConfig } from '../../models/wrappers.ts';
import { Random } from '../../random/random.ts';
import { names } from '../../scores/factAnswers.ts';
import type { MatchId } from '../../scores/factAnswers.ts';
import { mean } from '../../statistics/moments.ts';
import { paired } from '../../validation/comparison.ts';
import { experimentName } from '../files/results.ts';
import { generateTexts } from '../generate/generateTexts.ts';
import { computeDataScores } from '../scores/dataScores.ts';
import { factOf } from '../scores/factRows.ts';
import { nth } from '../../lists/nth.ts';
import type { Facts, Protocol, ProtocolAnswer } from './protocol.ts';
import { compared, sentences, shown } from './validateComparison.ts';
import type { SampleSet, ValidationContext } from './validateContext.ts';

export const mastery: Protocol = { title: 'Which facts to tune on?', obstacle, run };

const MIXED = 'any level';

function obstacle({ prepared }: Facts): string | null {
  const asked = askedFor(prepared.experiment.data_scores);
  const { task } = nth(prepared.tasks, 0);
  if (!asked) return 'the experiment does not name mastery among its data_scores';
  const dataset = asked.texts?.dataset ?? nth(prepared.experiment.tasks, 0).dataset;
  if (dataset !== task.dataset)
    return `mastery is of the dataset ${dataset}, and the task "${task.task}" asks about ${task.dataset}: choose a task over the facts (--task)`;
  return task.doc_to_text === undefined ? `task "${task.task}" has no doc_to_text that asks about a fact` : null;
}

const askedFor = (asked: readonly AskedScore[] = []) => asked.find(({ id }) => id === 'mastery');

async function run(context: ValidationContext): Promise<ProtocolAnswer> {
  const { settings } = context.options;
  const { facts: size, seeds } = settings.mastery;
  const { task, dataset, slices } = await context.slices();
  const pool = await firstOfSlice(dataset, slices.training, 0, settings.train);
  const held = await firstOfSlice(dataset, slices.validation, 0, settings.mastery.held_out);
  const samples = await context.labelled(
    { training_split: pool.text, validation_split: held.text },
    { train: pool.rows, validation: held.rows },
    'target',
  );
  context.phase(0, 0.4);
  const levels = await levelsOf(context, `${pool.text}+${held.text}`);
  const ofTraining = levels.slice(0, pool.rows);
  const ofHeldOut = levels.slice(pool.rows);
  const members = (level: number) => ofTraining.flatMap((one, row) => (one === level ? [row] : []));
  const enough = factLevels.filter((level) => members(level).length >= size);
  const notes = factLevels
    .filter((level) => !enough.includes(level))
    .map(
      (level) =>
        `Level ${level} has ${members(level).length} of ${pool.rows} training facts, fewer than ${size}: nothing is trained on it.`,
    );
  const everything = ofTraining.map((_, row) => row);
  const ways = new Map<string, number[]>([
    ...enough.map((level): [string, number[]] => [`level ${level}`, members(level)]),
    [MIXED, everything],
  ]);
  if (enough.length === 0 || everything.length < size)
    return {
      how: `${pool.rows} facts, of which no level has ${size}.`,
      measures: [],
      verdict: [
        ...notes,
        'No level has enough facts: nothing can be said. Take more facts (validate.train) or fewer for a training (validate.mastery.facts).',
      ],
    };
  const rows = (await readSlice(dataset, held.text)).slice(0, held.rows);
  const answers = rows.map((row) => factOf(row).answers);
  const match = (askedFor(context.options.prepared.experiment.data_scores)?.options.match ?? 'contains') as MatchId;
  const set: SampleSet = { key: 'mastery', train: samples.train, validation: samples.validation };
  /** @param turn among all that are asked; the untrained model is the first */
  const right = async (id: string, adapter: string | null, turn: number) => {
    const share = 0.4 / (1 + ways.size * seeds);
    context.phase(0.6 + turn * share, 0.6 + (turn + 1) * share);
    return (await answered(context, id, adapter, samples.validation)).map((text, fact) =>
      Number(names(text, nth(answers, fact), match)),
    );
  };
  const results = new Map<string, number[][]>();
  const trainings = [...ways].map(([way, from]) => ({
    way,
    runs: Array.from({ length: seeds }, (_, s) => {
      const id = `mastery-${way}-s${s}`;
      const drawn = new Random(context.seed + s, `facts of ${way}`).subset(from.length, size).map((i) => nth(from, i));
      const { steps } = settings.retrain;
      return { id, seed: context.seed + s, samples: drawn, start: null, steps, save: context.adapter(id) };
    }),
  }));
  context.phase(0.4, 0.6);
  await context.retrain(
    set,
    trainings.flatMap(({ runs }) => runs),
  );
  let turn = 0;
  const before = await right('untrained', null, turn);
  for (const { way, runs } of trainings) {
    const found: number[][] = [];
    for (const { id, save } of runs) found.push(await right(id, save, ++turn));
    results.set(way, found);
  }
  const mixed = results.get(MIXED)!;
  const among = (facts: readonly number[], name: string, tested: boolean): Comparison => {
    const only = (found: readonly number[][]) => found.map((one) => facts.map((fact) => nth(one, fact)));
    return {
      name,
      better: 'higher',
      baseline: `facts of ${MIXED}`,
      ways: [
        ...[...results].flatMap(([way, found]) => {
          if (way === MIXED) return [];
          const value = mean(only(found).map(mean));
          return [
            tested
              ? compared(way, value, paired(only(found), only(mixed), enough.length))
              : { ...shown(way, value), control: false },
          ];
        }),
        shown(MIXED, mean(only(mixed).map(mean))),
        shown('untrained', mean(facts.map((fact) => nth(before, fact)))),
      ],
    };
  };
  const whole = among(
    ofHeldOut.map((_, fact) => fact),
    'Accuracy on held-out facts',
    true,
  );
  const byLevel = factLevels.flatMap((level) => {
    const facts = ofHeldOut.flatMap((one, fact) => (one === level ? [fact] : []));
    return facts.length === 0
      ? []
      : [among(facts, `Accuracy on the ${facts.length} held-out facts of level ${level}`, false)];
  });
  return {
    how: `${size} facts of each level of ${pool.rows} training facts (${task.training_split}), drawn anew for each of ${seeds} seeds; LoRA trained from its initial factors on the loss of their objects, ${settings.retrain.steps} steps each; judged on ${held.rows} other facts by at most ${settings.mastery.max_new_tokens} tokens behind the task's prompt. Intervals are over other draws with other seeds and over other held-out facts, for the ${enough.length} levels together.`,
    measures: [],
    comparisons: [whole, ...byLevel],
    verdict: [...sentences(whole, 'seeds'), ...notes],
  };
}

/** Levels of facts, in the order of the slice. */
async function levelsOf(context: ValidationContext, split: string): Promise<(number | null)[]> {
  const { prepared, machine, pool, signal, finished } = context.options;
  const { task } = nth(prepared.tasks, 0);
  const asked = askedFor(prepared.experiment.data_scores)!;
  const { file } = await computeDataScores({
    file: prepared.file,
    experiment: { ...prepared.experiment, tasks: [task] },
    asked: [{ ...asked, texts: { ...asked.texts, dataset: task.dataset, split } }],
    scoresFile: path.join(path.dirname(finished.folder), 'mastery', `${experimentName(prepared.file)}${SCORES_SUFFIX}`),
    run: { machine, engine: pool },
    onProgress: (event) => context.progress(event),
    signal,
  });
  const { level } = file.tables.at(-1)?.parts ?? {};
  if (!level) throw new Error('the table of mastery has no levels');
  return level;
}

/** The likeliest texts behind the prompts, kept as they are finished. */
async function answered(
  context: ValidationContext,
  id: string,
  adapter: string | null,
  facts: readonly LabelledSample[],
): Promise<string[]> {
  const { prepared, finished, settings, pool, machine, signal } = context.options;
  const { checkpoint, model, opened } = prepared;
  const { tokenizer } = opened;
  return finished.part({ answers: id }).once(async () => {
    const eos = endTokens(checkpoint, languageConfig(checkpoint.config), (token) => tokenizer.idOf(token));
    const greedy = { doSample: false, temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0 };
    const { texts } = await generateTexts(
      { checkpoint, model, adapter },
      facts.map(({ prompt }) => ({ tokens: prompt, maxNewTokens: settings.mastery.max_new_tokens, stop: [] })),
      { eos, sampling: greedy },
      {
        ...{ pool, machine, tokenizer, signal },
        onProgress: ({ done, total }) => context.progress({ message: `answers after training ${id}`, done, total }),
      },
    );
    return texts.map(({ text }) => text);
  });
}
