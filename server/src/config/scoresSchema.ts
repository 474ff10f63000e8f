/** The lists `scores` and `data_scores`, made from the tables of scores: an id, or an id with options and texts. */
import { z } from 'zod';
import type { AskedScore } from '../../../protocol/experiment.ts';
import { allowed } from '../scores/options.ts';
import { dataScores as ownDataScores } from '../scores/dataScores.ts';
import { scores as ownScores } from '../scores/scores.ts';
import type { OptionRow, Score } from '../scores/types.ts';
import { doc, maxLength, splitSlice, textSource } from './words.ts';

/** @param scores the table; the product's own but for tests */
export function scoresSchemaOf(scores: readonly Score[]) {
  const source = { ...textSource, max_length: doc(maxLength, 'Tokens of a text.').optional() };
  const texts = doc(
    z.strictObject(source),
    'Texts that the score looks at; default: prune.calibration, else the training samples of the first task.',
  ).optional();
  const label = doc(
    z.string().min(1),
    'Label of a text: a column or a template; default: the column label, else doc_to_target of the first task over the dataset.',
  ).optional();
  const viewed = doc(
    z.strictObject({
      ...source,
      label,
      words: doc(
        z.string().min(1),
        'Where the column of label holds lists: the column with the lists of words that they belong to; default: words, else tokens.',
      ).optional(),
      audio: doc(
        z.string().min(1),
        'For the .onnx graph of a speech encoder: the column with paths of .wav files (16-bit PCM, 16 kHz, one channel), from the folder of the data file.',
      ).optional(),
      times: doc(
        z.string().min(1),
        'With audio, where the column of label holds lists: the column with lists of [start, end] in seconds, one for each label.',
      ).optional(),
    }),
    'Texts that the score looks at, with labels for the view label; default: prune.calibration, else the training samples of the first task.',
  ).optional();
  const labelled = doc(
    z.strictObject({
      ...source,
      label,
      held_out: doc(splitSlice, 'Texts of the same dataset that are measured and not fitted on; default: five folds.', [
        'test[:100]',
      ]).optional(),
    }),
    'Labelled texts that the score looks at: the column text, else doc_to_text of the first task over the dataset; default: the training split of the first task.',
  ).optional();
  const field = (words: string, example: string) => doc(z.string().min(1), words, [example]).optional();
  const answers = doc(
    z.strictObject({
      ...source,
      prompt: field(
        'Question: a column or a template; default: doc_to_text of the first task over the dataset, else the column question or prompt.',
        'question',
      ),
      answer: field('Of labelled answers: a column or a template; default: the column answer.', 'answer'),
      label: field(
        'Of labelled answers: which ones are hallucinated; default: the column hallucination or label.',
        'hallucination',
      ),
      hallucinated: field(
        'The label of a hallucinated answer; default: one that says so, or yes, true or 1 in a column hallucination.',
        'yes',
      ),
      truthful: field(
        'Of pairs: the right answer, a column or a template; default: the column best_answer, else the right choice.',
        'best_answer',
      ),
      incorrect: field(
        'Of pairs: a wrong answer, of a list the first; default: the column incorrect_answers, else a wrong choice.',
        'incorrect_answers',
      ),
      aliases: field(
        "Right answers, with which the model's own greedy ones are compared: a column or a template, text or list; default: doc_to_target of the first task over the dataset.",
        'answers',
      ),
      max_new_tokens: doc(z.int().min(1), "Most tokens of the model's own answers. Default 32.", [32]).optional(),
    }),
    "Answers that the score looks at: labelled ones, pairs of a right and a wrong one, or the model's own, whichever keys are given or columns are there; default: the training split of the first task.",
  ).optional();
  const kinds = { texts: labelled, answers };
  const task = field(
    'Task whose training samples the score looks at, with its labels, in place of texts; default: the first.',
    'sentiment',
  );
  return listOf(scores, (score): Record<string, z.ZodType> => {
    const own = score.labelled ? kinds[score.labelled] : score.viewed ? viewed : texts;
    return { texts: own, ...(readsTask(score) ? { task } : {}) };
  });
}

/** Whether the key `task` names its texts: one of influence has an option of that name, one of scores reads none. */
export const readsTask = (score: Score) => !score.among && !score.influence && !('task' in score.options);

function dataScoresSchemaOf() {
  const texts = doc(
    z.strictObject({ ...textSource, max_length: doc(maxLength, 'Tokens of prompt and answer together.').optional() }),
    'Rows that are scored, by the first task over the dataset; default: the training samples of the first task.',
  ).optional();
  return listOf(ownDataScores, ({ influence }): Record<string, z.ZodType> => (influence ? {} : { texts }));
}

type Named = Pick<Score, 'id' | 'title' | 'formula' | 'source' | 'options'>;

/** Entries: an id, or an id with its options and these further keys. */
function listOf<S extends Named>(scores: readonly S[], further: (score: S) => Record<string, z.ZodType>) {
  const withOptions = Object.fromEntries(
    scores.map((score) => [
      score.id,
      doc(z.strictObject({ ...optionsOf(score), ...further(score) }), sentence(score)).optional(),
    ]),
  );
  const named = z
    .strictObject(withOptions)
    .refine((entry) => Object.keys(entry).length === 1, 'one score for each entry of the list');
  return z.array(z.union([z.enum(scores.map(({ id }) => id)), named])).min(1);
}

/** "Block Influence: ... (ShortGPT, ...)." */
function sentence({ title, formula, source }: Named): string {
  return `${title}: ${formula} (${source}).`;
}

function optionsOf({ options }: Named): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(options).map(([name, row]) => {
      const words = `${row.words} Default ${String(row.default)}; ${allowed(row)}.`;
      return [name, doc(valueOf(row), words, [row.default]).optional()];
    }),
  );
}

function valueOf(row: OptionRow): z.ZodType {
  if (row.type === 'flag') return z.boolean();
  if (row.type === 'text') return z.string();
  if (row.type === 'choice') return z.enum([...row.choices]);
  let number = row.whole ? z.int() : z.number();
  if (row.above !== undefined) number = number.gt(row.above);
  if (row.least !== undefined) number = number.min(row.least);
  if (row.most !== undefined) number = number.max(row.most);
  return number;
}

export const scoresSchema = scoresSchemaOf(ownScores);
export const dataScoresSchema = dataScoresSchemaOf();

export const scoreExamples = ownScores
  .slice(0, 2)
  .map((score, i) => (i === 0 ? score.id : { [score.id]: firstOptions(score) }));
export const dataScoreExamples = ['ifd_ppl', { diversity: { among: 'ifd_ppl' } }];

function firstOptions({ options }: Named): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options)
      .slice(0, 1)
      .map(([name, row]) => [name, row.default]),
  );
}

export function resolveAsked(entry: z.output<typeof scoresSchema>[number]): AskedScore {
  if (typeof entry === 'string') return { id: entry, options: {} };
  // The schema allows one key.
  const [asked] = Object.entries(entry) as [string, { texts?: AskedScore['texts'] } & AskedScore['options']][];
  const [id, { texts, ...rest }] = asked ?? ['', {}];
  const chosen = { id, options: rest, ...(texts === undefined ? {} : { texts }) };
  const score = ownScores.find((one) => one.id === id);
  if (!score || !readsTask(score) || rest.task === undefined) return chosen;
  const { task, ...options } = rest;
  return { ...chosen, options, task: String(task) };
}
