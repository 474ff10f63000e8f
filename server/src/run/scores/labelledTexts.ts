/**
 * Texts with labels, for scores that look for the labels in hidden states. The text never holds its own label: no
 * answer is appended.
 */
import { createHash } from 'node:crypto';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, ScoredTexts, Task } from '../../../../protocol/experiment.ts';
import { usesChat } from '../../data/chatTurns.ts';
import { byHarness } from '../../data/continuations.ts';
import { exampleOf } from '../../data/context.ts';
import { encodedWithin } from '../../data/graphSamples.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { openDataset, placeOf, readSlice } from '../../data/splits.ts';
import { compileField, givenText } from '../../data/templates.ts';
import type { Field } from '../../data/templates.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import type { Labels } from '../../scores/types.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import type { EncodedText } from '../inputs/sampleRefusals.ts';

export interface LabelledTexts {
  /** Held-out texts last. */
  texts: EncodedText[];
  labels: Labels;
  words: string;
  /** Absolute paths. */
  files: string[];
}

/** `answers`: of the first task over the dataset the answers are the labels, whatever columns there are. */
export type LabelSource = ScoredTexts & { answers?: boolean };

/** Fewer rows of a class cannot stand in five folds. */
const FEWEST = 5;

/**
 * @param fewestOfClass rows that each class must have where none are held out
 * @throws LayerifError `badData` with dataset or row: no label, one class alone, too few rows of a class, a held-out
 *   class never seen
 */
export async function labelledTexts(
  { datasets, tasks, model }: Experiment,
  source: LabelSource,
  baseDir: string,
  tokenizer: TextTokenizer,
  fewestOfClass = FEWEST,
): Promise<LabelledTexts> {
  const { dataset: name, split, held_out, max_length } = source;
  const dataset = await openDataset(name, datasetNamed(datasets, name), baseDir);
  const task = tasks.find((t) => t.dataset === name && t.doc_to_text !== undefined);
  const labelOf = labelReader(source, task, dataset.columns);
  const textOf = textReader(name, task);
  const by = task && usesChat(task) ? byHarness(tokenizer) : tokenizer;
  const read = async (slice: string) =>
    (await readSlice(dataset, slice)).map((row) => ({
      file: row.file,
      line: row.line,
      label: labelOf(row),
      tokens: encodedWithin(by, textOf(row), max_length ?? model.max_length).tokens,
      row,
    }));
  const fitted = await read(split);
  const held = held_out === undefined ? [] : await read(held_out);
  const all = [...fitted, ...held];
  const empty = all.find(({ tokens }) => tokens.length === 0);
  if (empty) {
    throw new LayerifError(
      'badData',
      `row ${empty.row.row} of dataset "${name}" has an empty text, which has no vector`,
      {
        place: placeOf(empty.row),
      },
    );
  }
  const classes = [...new Set(fitted.map(({ label }) => label))].sort();
  const where = `${split} of ${name}`;
  if (classes.length < 2) {
    throw new LayerifError(
      'badData',
      `all ${fitted.length} texts (${where}) have the label ${JSON.stringify(classes[0] ?? null)}: at least two classes are needed; take more rows, or another label`,
    );
  }
  const unseen = held.find(({ label }) => !classes.includes(label));
  if (unseen) {
    throw new LayerifError(
      'badData',
      `the held-out row ${unseen.row.row} has the label ${JSON.stringify(unseen.label)}, which no text of ${where} has; labels: ${listed(classes)}`,
      { place: placeOf(unseen.row) },
    );
  }
  const fewest = held.length > 0 ? 1 : fewestOfClass;
  const few = classes.find((label) => fitted.filter((text) => text.label === label).length < fewest);
  if (few !== undefined) {
    const count = fitted.filter((text) => text.label === few).length;
    throw new LayerifError(
      'badData',
      `${count} of ${fitted.length} texts (${where}) have the label ${JSON.stringify(few)}, at least ${FEWEST} are needed for five folds; take more rows, name held-out texts with held_out, or another label (${classes.length} labels found)`,
    );
  }
  return {
    texts: all,
    labels: {
      of: Int32Array.from(all, ({ label }) => classes.indexOf(label)),
      names: classes,
      heldOut: held.length,
    },
    words: `${where}${held.length > 0 ? `, ${held_out} held out` : ''}: ${all.length} texts with ${classes.length} labels`,
    files: dataset.files,
  };
}

/** Names of the classes, class and question of every text, hashed. */
export function labelsKey({ of, names, heldOut, groups }: Labels): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([names, heldOut]))
    .update(of);
  if (groups) hash.update(groups);
  return `labels ${hash.digest('hex').slice(0, 16)}`;
}

function labelReader(
  { dataset, label, answers }: LabelSource,
  task: Task | undefined,
  columns: string[],
): (row: Row) => string {
  const field: Field | null =
    label !== undefined
      ? compileField('texts', 'label', label)
      : columns.includes('label') && !answers
        ? compileField('texts', 'label', 'label')
        : null;
  if (label !== undefined && /^[\w.-]+$/.test(label) && !columns.includes(label)) {
    throw new LayerifError(
      'badData',
      `dataset "${dataset}" has no column "${label}" for the labels; columns: ${listed(columns)}${didYouMean(label, columns)}`,
    );
  }
  if (!field && task?.doc_to_target === undefined) {
    throw new LayerifError(
      'badData',
      `the texts of dataset "${dataset}" have no labels: it has no column "label" and no task over it has a doc_to_target; name a column with label; columns: ${listed(columns)}`,
    );
  }
  return (row) => {
    const text = (field ? givenText(field, row) : exampleOf(task!, row).answer).trim();
    if (text === '') {
      throw new LayerifError('badData', `row ${row.row} of dataset "${dataset}" has an empty label`, {
        place: placeOf(row),
      });
    }
    return text;
  };
}

function textReader(dataset: string, task: Task | undefined): (row: Row) => string {
  return (row) => {
    const { text } = row.values;
    if (typeof text === 'string') return text;
    if (task) return exampleOf(task, row).prompt.trimEnd();
    throw new LayerifError(
      'badData',
      `row ${row.row} of dataset "${dataset}" has no column "text", and no task over it has a doc_to_text; name the column with field_mapping: { text: COLUMN }`,
      { place: placeOf(row) },
    );
  };
}
