/**
 * Texts with the stretches whose vectors a score looks at, and what its view says of each: drawn tokens with their
 * place or how often they occur, whole texts with a label, or words of a list column with the labels of another.
 */
import { createHash } from 'node:crypto';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, ScoredTexts } from '../../../../protocol/experiment.ts';
import type { EncodedSample, Span } from '../../../../protocol/samples.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { openDataset, placeOf, readSlice } from '../../data/splits.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import { Random } from '../../random/random.ts';
import type { View, ViewAsk } from '../../scores/views.ts';
import { listed } from '../../text/listed.ts';
import type { EncodedText } from '../inputs/sampleRefusals.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

/** Ten folds, of which one is measured, with two vectors for each component. */
const FEWEST_VECTORS = 60;

/** A stretch of a text with its label. */
export interface Labelled {
  text: number;
  from: number;
  to: number;
  label: string;
}

export interface Viewed {
  samples: EncodedSample[];
  view: View;
}

/** Names of the classes, numbers and which vector belongs to which text, hashed. */
export function viewKey({ text, classes, numbers }: View): string {
  const hash = createHash('sha256').update(text);
  if (classes) hash.update(JSON.stringify(classes.names)).update(classes.of);
  if (numbers) hash.update(numbers);
  return `view ${hash.digest('hex').slice(0, 16)}`;
}

/** Tokens that are drawn from all texts. @throws LayerifError `badData` for too few */
export function drawnTokens(samples: readonly EncodedSample[], ask: ViewAsk, words: string): Viewed {
  const all = samples.flatMap(({ tokens }, text) =>
    Array.from({ length: tokens.length }, (_, position) => ({ text, position })).slice(ask.skipFirstToken ? 1 : 0),
  );
  const drawn = drawnOf(all, ask);
  requireEnough(drawn.length, words);
  const text = Int32Array.from(drawn, (one) => one.text);
  const tokenAt = ({ text, position }: (typeof all)[number]) => nth(nth(samples, text).tokens, position);
  const counts = new Map<number, number>();
  for (const { tokens } of samples) for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const numbers =
    ask.view === 'position'
      ? Float64Array.from(drawn, ({ position }) => position)
      : ask.view === 'token_frequency'
        ? Float64Array.from(drawn, (one) => Math.log(counts.get(tokenAt(one))!))
        : undefined;
  if (numbers && new Set(numbers).size < 2) {
    throw new LayerifError(
      'badData',
      `view ${ask.view}: all ${drawn.length} drawn tokens (${words}) have the same value, so there is nothing to tell; take more or longer texts`,
    );
  }
  return {
    samples: withSpans(
      samples,
      drawn.map(({ text, position }) => ({ text, from: position, to: position + 1 })),
    ),
    view: { text, words: `${drawn.length} tokens of ${new Set(text).size} texts`, ...(numbers ? { numbers } : {}) },
  };
}

/** @throws LayerifError `badData` for one class alone, or fewer vectors than two for each class */
export function drawnStretches(
  samples: readonly EncodedSample[],
  labelled: readonly Labelled[],
  ask: ViewAsk,
  { words, what }: { words: string; what: string },
): Viewed {
  const drawn = drawnOf(labelled, ask);
  requireEnough(drawn.length, words);
  const names = [...new Set(drawn.map(({ label }) => label))].sort();
  if (names.length < 2) {
    throw new LayerifError(
      'badData',
      `all ${drawn.length} ${what} (${words}) have the label ${JSON.stringify(names[0])}: at least two classes are needed; take more rows, or another label`,
    );
  }
  if (drawn.length < 2 * names.length) {
    throw new LayerifError(
      'badData',
      `${names.length} labels for ${drawn.length} ${what} (${words}): labels that hardly repeat tell nothing; take more rows or vectors, or a label with fewer classes`,
    );
  }
  const text = Int32Array.from(drawn, (one) => one.text);
  return {
    samples: withSpans(samples, drawn),
    view: {
      text,
      words: `${drawn.length} ${what} of ${new Set(text).size} texts, ${names.length} labels`,
      classes: { of: Int32Array.from(drawn, ({ label }) => names.indexOf(label)), names },
    },
  };
}

/** So many of all as are asked for, in their order. */
export function drawnOf<T>(all: readonly T[], { vectors, seed }: ViewAsk): T[] {
  const chosen = new Random(seed, 'vectors').subset(all.length, Math.min(vectors, all.length));
  return chosen.map((at) => nth(all, at));
}

function requireEnough(count: number, words: string): void {
  if (count >= FEWEST_VECTORS) return;
  throw new LayerifError(
    'badData',
    `${count} vectors (${words}) are too few to be told apart by fold: at least ${FEWEST_VECTORS} are needed; take more or longer texts`,
  );
}

function withSpans(samples: readonly EncodedSample[], drawn: readonly Omit<Labelled, 'label'>[]): EncodedSample[] {
  const spans = samples.map((): Span[] => []);
  drawn.forEach(({ text, from, to }, place) => nth(spans, text).push({ place, from, to }));
  return samples.map((sample, i) => ({ ...sample, spans: spans[i] }));
}

export interface WordTexts {
  texts: EncodedText[];
  labelled: Labelled[];
  /** Words that are cut off, or whose tokens are not their own. */
  left: number;
  words: string;
  files: string[];
}

/**
 * Rows with a list of words and a list of labels: words stand one space apart; null where the label is no list.
 * @throws LayerifError `badData` with the row
 */
export async function wordTexts(
  { datasets, model }: Experiment,
  { dataset: name, split, label = 'label', words: column, max_length }: ScoredTexts,
  ask: ViewAsk,
  { baseDir, tokenizer }: { baseDir: string; tokenizer: TextTokenizer },
): Promise<WordTexts | null> {
  const dataset = await openDataset(name, datasetNamed(datasets, name), baseDir);
  if (!dataset.columns.includes(label)) return null;
  const rows = await readSlice(dataset, split);
  if (!Array.isArray(nth(rows, 0).values[label])) return null;
  const wordColumn = column ?? ['words', 'tokens'].find((own) => dataset.columns.includes(own));
  if (wordColumn === undefined || !dataset.columns.includes(wordColumn)) {
    throw new LayerifError(
      'badData',
      `the column "${label}" of dataset "${name}" holds lists, one label for each word, and ${wordColumn === undefined ? 'no column "words" or "tokens" holds the words' : `there is no column "${wordColumn}"`}; name it with words; columns: ${listed(dataset.columns)}`,
    );
  }
  const limit = max_length ?? model.max_length;
  const texts: EncodedText[] = [];
  const labelled: Labelled[] = [];
  let left = 0;
  for (const row of rows) {
    const [own, labels] = take(
      [wordColumn, label].map((of) => textsOf(row, of, name)),
      2,
    );
    if (own.length !== labels.length || own.length === 0) {
      throw new LayerifError(
        'badData',
        `row ${row.row} of dataset "${name}" has ${own.length} words in "${wordColumn}" and ${labels.length} labels in "${label}": one label for each word is needed`,
        { place: placeOf(row) },
      );
    }
    const { tokens, ends } = wordEnds(tokenizer, own);
    const text = texts.push({ tokens: tokens.slice(0, limit), file: row.file, line: row.line }) - 1;
    own.forEach((_, i) => {
      const [from, to] = [nth(ends, i), nth(ends, i + 1)];
      if (from === null || to === null || to <= from || to > limit) left++;
      else labelled.push({ text, from: ask.pool === 'mean' ? from : to - 1, to, label: nth(labels, i) });
    });
  }
  return { texts, labelled, left, words: `${split} of ${name}: ${texts.length} texts`, files: dataset.files };
}

function textsOf(row: Row, column: string, dataset: string): string[] {
  const cell = row.values[column];
  if (Array.isArray(cell)) {
    const missing = cell.findIndex((item) => item === null || item === undefined);
    if (missing < 0) return cell.map((item) => String(item as string));
    throw new LayerifError(
      'badData',
      `row ${row.row} of dataset "${dataset}": entry ${missing} of column "${column}" is empty; give each word a label, or leave the row out`,
      { place: placeOf(row) },
    );
  }
  throw new LayerifError(
    'badData',
    `row ${row.row} of dataset "${dataset}": column "${column}" is ${JSON.stringify(cell)?.slice(0, 60) ?? 'missing'}, not a list as in the other rows`,
    { place: placeOf(row) },
  );
}

/** Where each word ends, in tokens, before the first word too; null where a token goes over the end of a word. */
function wordEnds(tokenizer: TextTokenizer, words: readonly string[]): { tokens: Int32Array; ends: (number | null)[] } {
  const tokens = tokenizer.encode(words.join(' '));
  const start = tokenizer.promptLength('');
  const ends: (number | null)[] = [start];
  let text = '';
  words.forEach((word, i) => {
    text = i === 0 ? word : `${text} ${word}`;
    const own = tokenizer.encodePlain(text);
    const same = own.every((id, at) => tokens[start + at] === id);
    ends.push(same ? start + own.length : null);
  });
  return { tokens, ends };
}
