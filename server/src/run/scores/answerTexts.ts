/**
 * Answers with whether they are hallucinated, for scores that compare the two. They come from a column with labels,
 * from pairs of a right and a wrong answer, or from the model itself, whose answers are compared with the right ones.
 * Each is a text of prompt and answer of which equally many tokens of both kinds are counted.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, ScoredTexts, Task } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { docOf } from '../../data/examples.ts';
import { usesChat } from '../../data/chatTurns.ts';
import { promptOf } from '../../data/context.ts';
import { harnessIds } from '../../data/continuations.ts';
import { fewshotForEvaluation, fewshotPool } from '../../data/fewshot.ts';
import { sampleOf } from '../../data/samples.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { openDataset, placeOf, readSlice } from '../../data/splits.ts';
import { compileField, givenList, givenText } from '../../data/templates.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import { holdsAnswer } from '../../evaluation/truthfulness.ts';
import { Random } from '../../random/random.ts';
import { HALLUCINATED } from '../../scores/eavss.ts';
import { equalTokens } from '../../scores/equalTokens.ts';
import type { Labels } from '../../scores/types.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import { nth } from '../../lists/nth.ts';

export interface AnswerTexts {
  samples: EncodedSample[];
  /** Where each sample comes from. */
  places: { file: string; line: number | null }[];
  labels: Labels;
  words: string;
  /** Absolute paths. */
  files: string[];
}

/** A prompt that the model is to answer. */
export interface AskedAnswer {
  tokens: Int32Array;
  maxNewTokens: number;
  stop: readonly string[];
}

export interface AnswerTools {
  tokenizer: TextTokenizer;
  /** @returns for each prompt the text, and its tokens without the end of the text */
  write: (prompts: AskedAnswer[]) => Promise<{ text: string; tokens: readonly number[] }[]>;
}

/** Fewer of a kind have no variance. */
const FEWEST = 2;
const NEW_TOKENS = 32;
/** Columns that are read without being named. */
const known = { label: 'hallucination', answer: 'answer', truthful: 'best_answer', incorrect: 'incorrect_answers' };

/** One answer, not yet cut. */
interface Answer {
  row: Row;
  question: number;
  hallucinated: boolean;
  tokens: Int32Array;
  countedFrom: number;
}

interface Reading {
  name: string;
  source: ScoredTexts;
  task: Task | undefined;
  rows: readonly Row[];
  columns: readonly string[];
  maxLength: number;
  prompt: (row: Row) => string;
  tools: AnswerTools;
}

/**
 * @throws LayerifError `badData` with dataset or row: no answers, labels that do not tell which answers are
 *   hallucinated, one kind alone
 */
export async function answerTexts(
  { datasets, tasks, model }: Experiment,
  source: ScoredTexts,
  baseDir: string,
  tools: AnswerTools,
): Promise<AnswerTexts> {
  const { dataset: name, split, max_length } = source;
  const dataset = await openDataset(name, datasetNamed(datasets, name), baseDir);
  const task = tasks.find((t) => t.dataset === name && t.doc_to_text !== undefined);
  const fewshot = task ? fewshotForEvaluation(task, await fewshotPool(task, dataset)) : () => [];
  const prompted = source.prompt ?? ['question', 'prompt'].find((column) => dataset.columns.includes(column));
  const prompt =
    source.prompt === undefined && task
      ? (row: Row) => promptOf(task, row, fewshot(row))
      : prompted === undefined
        ? null
        : reader(source, 'prompt', prompted, dataset.columns);
  if (!prompt) {
    throw new LayerifError(
      'badData',
      `dataset "${name}" has no column question or prompt, and no task over it has a doc_to_text; name a column or a template with prompt; columns: ${listed(dataset.columns)}`,
    );
  }
  const reading: Reading = {
    name,
    source,
    task,
    rows: await readSlice(dataset, split),
    columns: dataset.columns,
    maxLength: max_length ?? model.max_length,
    prompt,
    tools,
  };
  const kind = kindOf(reading);
  const { answers, empty } = await kinds[kind](reading);
  const where = `${split} of ${name}`;
  const of = Int32Array.from(answers, ({ hallucinated }) => (hallucinated ? HALLUCINATED : 1 - HALLUCINATED));
  const groups = Int32Array.from(answers, ({ question }) => question);
  requireBoth(of, kind, where, empty);
  const counts = answers.map(({ tokens, countedFrom }) => tokens.length - countedFrom);
  const looked = equalTokens(counts, { of, groups });
  const random = new Random(0, 'answer tokens');
  const samples = answers.map(({ tokens, countedFrom }, i): EncodedSample => {
    if (looked[i] === counts[i]) return { tokens, countedFrom };
    const counted = new Uint8Array(tokens.length);
    for (const at of random.subset(nth(counts, i), nth(looked, i))) counted[countedFrom + at] = 1;
    return { tokens, countedFrom, counted };
  });
  const sum = looked.reduce((a, b) => a + b, 0);
  return {
    samples,
    places: answers.map(({ row: { file, line } }) => ({ file, line })),
    labels: { of, names: ['truthful', 'hallucinated'], groups, heldOut: 0 },
    words: `${where}: ${answers.length} answers (${kindWords[kind]}), ${sum} of their ${counts.reduce((a, b) => a + b, 0)} tokens${leftOut(empty)}`,
    files: dataset.files,
  };
}

type Kind = 'labels' | 'pairs' | 'own';

const kindWords: Record<Kind, string> = {
  labels: 'labelled',
  pairs: 'pairs of a right and a wrong one',
  own: "the model's own, compared with the right ones",
};

/** What is named decides; else labels, pairs and own answers in this order, as far as the columns allow. */
function kindOf({ source, columns, task, name }: Reading): Kind {
  const named = (...keys: (keyof ScoredTexts)[]) => keys.some((key) => source[key] !== undefined);
  if (named('label', 'answer', 'hallucinated')) return 'labels';
  if (named('truthful', 'incorrect')) return 'pairs';
  if (named('aliases', 'max_new_tokens')) return 'own';
  if ([known.label, known.answer].every((column) => columns.includes(column))) return 'labels';
  if ([known.truthful, known.incorrect].every((column) => columns.includes(column))) return 'pairs';
  if (task?.doc_to_choice !== undefined) return 'pairs';
  if (task?.doc_to_target !== undefined) return 'own';
  throw new LayerifError(
    'badData',
    `dataset "${name}" says nothing of hallucinated answers: name columns with answer and label, with truthful and incorrect, or the right answers with aliases, with which the model's own are compared; columns: ${listed([...columns])}`,
  );
}

/** Answers, and rows whose answer is empty. */
interface Found {
  answers: Answer[];
  empty: Row[];
}

const kinds: Record<Kind, (reading: Reading) => Found | Promise<Found>> = {
  labels(reading) {
    const { source, rows, columns, name } = reading;
    const labelColumn = source.label ?? [known.label, 'label'].find((column) => columns.includes(column));
    if (labelColumn === undefined) {
      throw new LayerifError(
        'badData',
        `dataset "${name}" has no column that says which answers are hallucinated; name it with label; columns: ${listed([...columns])}`,
      );
    }
    const written = reader(source, 'label', labelColumn, columns);
    const label = (row: Row): string => {
      const text = written(row).trim();
      if (text !== '') return text;
      throw new LayerifError('badData', `row ${row.row} of dataset "${name}" has an empty label`, {
        place: placeOf(row),
      });
    };
    const answer = reader(source, 'answer', source.answer ?? known.answer, columns);
    const isHallucinated = hallucinatedLabel(source, labelColumn, rows.map(label));
    const questions = new Map<string, number>();
    const found: Found = { answers: [], empty: [] };
    for (const row of rows) {
      const prompt = reading.prompt(row);
      if (!questions.has(prompt)) questions.set(prompt, questions.size);
      add(reading, found, row, questions.get(prompt)!, { text: answer(row), hallucinated: isHallucinated(label(row)) });
    }
    return found;
  },
  pairs(reading) {
    const { source, rows, columns, task } = reading;
    const both = source.truthful !== undefined || source.incorrect !== undefined || columns.includes(known.truthful);
    const column = (key: 'truthful' | 'incorrect') => firstText(source, key, source[key] ?? known[key], columns);
    const [truthful, incorrect] = both ? [column('truthful'), column('incorrect')] : choicesOf(task!);
    const found: Found = { answers: [], empty: [] };
    rows.forEach((row, question) => {
      const [right, wrong] = [truthful(row), incorrect(row)];
      if (right.trim() === '' || wrong.trim() === '') {
        found.empty.push(row);
        return;
      }
      add(reading, found, row, question, { text: right, hallucinated: false });
      add(reading, found, row, question, { text: wrong, hallucinated: true });
    });
    return found;
  },
  async own(reading) {
    const { source, rows, columns, task, tools, maxLength } = reading;
    const most = source.max_new_tokens ?? NEW_TOKENS;
    if (most >= maxLength) {
      throw new LayerifError(
        'badData',
        `max_new_tokens ${most} leaves no room for a prompt in the ${maxLength} tokens of max_length; take fewer, or raise max_length`,
      );
    }
    const right =
      source.aliases === undefined && task
        ? (row: Row) => docOf(task, row).targets
        : texts(source, 'aliases', source.aliases ?? 'answers', columns);
    const until = task?.generation_kwargs?.until ?? [];
    const stop = (Array.isArray(until) ? until : [until]).map(String);
    const prompts = rows.map((row) => {
      const ids = harnessIds(tools.tokenizer, reading.prompt(row));
      const tokens = ids.slice(Math.max(0, ids.length - (maxLength - most)));
      if (tokens.length > 0) return { tokens, maxNewTokens: most, stop };
      throw new LayerifError('badData', `row ${row.row} of dataset "${source.dataset}" has an empty prompt`, {
        place: placeOf(row),
      });
    });
    const written = await tools.write(prompts);
    const found: Found = { answers: [], empty: [] };
    rows.forEach((row, question) => {
      const { text, tokens } = nth(written, question);
      if (tokens.length === 0 || text.trim() === '') {
        found.empty.push(row);
        return;
      }
      const prompt = nth(prompts, question).tokens;
      found.answers.push({
        row,
        question,
        hallucinated: !holdsAnswer(text, right(row)),
        tokens: Int32Array.from([...prompt, ...tokens]),
        countedFrom: prompt.length,
      });
    });
    return found;
  },
};

/** Prompt and answer as one text, as `score` reads them with `loss: target`. */
function add(
  { prompt, source, task, tools, maxLength }: Reading,
  found: Found,
  row: Row,
  question: number,
  { text, hallucinated }: { text: string; hallucinated: boolean },
): void {
  if (text.trim() === '') {
    found.empty.push(row);
    return;
  }
  const given = prompt(row);
  const rendered = task !== undefined && source.prompt === undefined && usesChat(task);
  const before = given.trimEnd();
  const delimited = before === '' ? '' : before + (task?.target_delimiter ?? ' ');
  const example = { row, prompt: rendered ? given : delimited, answer: text, rendered };
  const { tokens, countedFrom } = sampleOf(example, tools.tokenizer, { maxLength, loss: 'target' });
  found.answers.push({ row, question, hallucinated, tokens, countedFrom });
}

/** The right choice of a row, and the first of the wrong ones. */
function choicesOf(task: Task): [(row: Row) => string, (row: Row) => string] {
  return [
    (row) => docOf(task, row).target,
    (row) => {
      const { choices, golds } = docOf(task, row);
      return choices?.find((_, i) => !golds.includes(i)) ?? '';
    },
  ];
}

type AnswerKey = 'prompt' | 'label' | 'answer' | 'truthful' | 'incorrect' | 'aliases';

function field({ dataset }: ScoredTexts, key: AnswerKey, written: string, columns: readonly string[]) {
  if (/^[\w.-]+$/.test(written) && !columns.includes(written)) {
    throw new LayerifError(
      'badData',
      `dataset "${dataset}" has no column "${written}" for ${key}; columns: ${listed([...columns])}${didYouMean(written, [...columns])}`,
    );
  }
  return compileField('texts', key, written);
}

function reader(source: ScoredTexts, key: AnswerKey, written: string, columns: readonly string[]) {
  const made = field(source, key, written, columns);
  return (row: Row): string => givenText(made, row);
}

/** A list, or one text. */
function texts(source: ScoredTexts, key: AnswerKey, written: string, columns: readonly string[]) {
  const made = field(source, key, written, columns);
  return (row: Row): string[] => givenList(made, row) ?? [givenText(made, row)];
}

function firstText(source: ScoredTexts, key: AnswerKey, written: string, columns: readonly string[]) {
  const all = texts(source, key, written, columns);
  return (row: Row): string => all(row).find((text) => text.trim() !== '') ?? '';
}

/** @throws LayerifError where nothing says which label means a hallucinated answer */
function hallucinatedLabel(
  { hallucinated, dataset, split }: ScoredTexts,
  column: string,
  labels: readonly string[],
): (label: string) => boolean {
  const found = [...new Set(labels)].sort();
  const spoken = /^hallucinat/i.test(column) ? /^(yes|true|1|hallucinat.*)$/i : /^hallucinat/i;
  const wanted = hallucinated === undefined ? found.filter((label) => spoken.test(label)) : [hallucinated];
  if (wanted.length === 0 || (hallucinated !== undefined && !found.includes(hallucinated))) {
    throw new LayerifError(
      'badData',
      `${hallucinated === undefined ? 'nothing says which label means a hallucinated answer' : `no answer has the label ${JSON.stringify(hallucinated)}`} (${split} of ${dataset}); set hallucinated to one of ${listed(found.map((label) => JSON.stringify(label)))}`,
    );
  }
  return (label) => wanted.includes(label.trim());
}

function requireBoth(of: Int32Array, kind: Kind, where: string, empty: readonly Row[]): void {
  const hallucinated = of.reduce((sum, one) => sum + Number(one === HALLUCINATED), 0);
  const least = Math.min(hallucinated, of.length - hallucinated);
  if (least >= FEWEST) return;
  const advice =
    kind === 'own'
      ? 'take more or other questions, or answers of a file (label, or truthful and incorrect)'
      : 'take more rows';
  throw new LayerifError(
    'badData',
    `${hallucinated} of ${of.length} answers (${where}) are hallucinated${leftOut(empty)}: at least ${FEWEST} of each kind are needed; ${advice}`,
    empty.length > 0 ? { place: placeOf(nth(empty, 0)) } : {},
  );
}

function leftOut(empty: readonly Row[]): string {
  if (empty.length === 0) return '';
  const rows = listed([...new Set(empty.map(({ row }) => String(row)))], 5);
  return `; empty answers of ${empty.length === 1 ? 'row' : 'rows'} ${rows} are left out`;
}
