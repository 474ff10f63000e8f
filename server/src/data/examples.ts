/**
 * Task + row -> text, choices and right answers of the row by itself, by the rules of lm-evaluation-harness.
 * `context.ts` adds description, few-shot examples and delimiters.
 *
 * Target forms: index, digits, text equal to a choice, one letter A, B, C ... (where no choice equals it), a list of
 * these, of which any counts as right and the first is the one that is scored. When `doc_to_text` gives an index
 * (WinoGrande) the choices are contexts and the target is the continuation they share.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Task } from '../../../protocol/experiment.ts';
import { conversationOf } from './chatTemplate.ts';
import type { Message } from './chatTemplate.ts';
import { literalList } from './jinja/literal.ts';
import { WholeFloat } from './jinja/numbers.ts';
import { pythonText } from './jinja/text.ts';
import { listed } from '../text/listed.ts';
import { placeOf } from './splits.ts';
import {
  compileField,
  fieldList,
  fieldText,
  fieldValue,
  looksLikeColumn,
  noSuchColumn,
  withoutValue,
  type Field,
  type FieldValue,
} from './templates.ts';
import type { Row } from './types.ts';
import { nth } from '../lists/nth.ts';

/** What a task makes of one row. */
export interface Doc {
  /** `doc_to_text`; where the choices are contexts, the gold context. */
  text: string;
  /** The gold answer, without delimiter; the first where there are several. */
  target: string;
  /** All right answers. */
  targets: string[];
  /** Null for a task without `doc_to_choice`. */
  choices: string[] | null;
  /** Index of the gold choice; null where there are no choices, or the target of a generation is none of them. */
  gold: number | null;
  /** Indices of all right choices; empty where `gold` is null. */
  golds: number[];
  /** True: the choices are contexts and `target` is the continuation common to all of them. */
  choicesAreContexts: boolean;
}

interface Fields {
  text: Field | null;
  target: Field | number | (string | number)[] | null;
  choice: Field | string[] | null;
}

const compiled = new WeakMap<Task, Fields>();

/**
 * @throws LayerifError `badData` with task, key, file and row: missing column, failing template, target outside the
 *   choices.
 */
export function docOf(task: Task, row: Row): Doc {
  const fields = fieldsOf(task);
  const choices = choicesOf(task, row);
  if (task.output_type === 'multiple_choice' && choices === null)
    throw fault(
      task,
      'output_type multiple_choice needs doc_to_choice: a list of answers, a template or a list column',
    );
  const text = textOf(task, fields, row);
  if (choices !== null && task.output_type === 'multiple_choice' && text.index !== null) {
    const gold = inside(task, row, 'doc_to_text', text.index, choices, text.index, 'column');
    const targets = targetTexts(task, fields, row);
    return {
      text: nth(choices, gold),
      target: targets[0] ?? '',
      targets,
      choices,
      gold,
      golds: [gold],
      choicesAreContexts: true,
    };
  }
  const open = (targets: string[]): Doc => ({
    text: text.text,
    target: targets[0] ?? '',
    targets,
    choices,
    gold: null,
    golds: [],
    choicesAreContexts: false,
  });
  if (choices === null) return open(targetTexts(task, fields, row));
  const { values, from } = targetValues(task, fields, row);
  const golds = values.map((value) => goldIndex(value, from, choices));
  const isChoice = golds.every((gold) => gold !== null && gold in choices);
  if (!isChoice && task.output_type === 'generate_until' && values.every((value) => typeof value === 'string')) {
    return open(values);
  }
  if (golds[0] === null && isField(fields.target) && looksLikeColumn(fields.target, row)) {
    throw noSuchColumn(fields.target, fields.target.source, row);
  }
  const indices = golds.map((gold, i) => inside(task, row, 'doc_to_target', gold, choices, values[i], from));
  const targets = indices.map((index) => nth(choices, index));
  return { ...open(targets), gold: indices[0] ?? null, golds: indices };
}

/** The rendered choices, or null for a task without `doc_to_choice`. */
export function choicesOf(task: Task, row: Row): string[] | null {
  const { choice } = fieldsOf(task);
  if (choice === null || Array.isArray(choice)) return choice;
  const list = fieldList(choice, row);
  if (list === null || list.length === 0) {
    if (looksLikeColumn(choice, row)) throw noSuchColumn(choice, choice.source, row);
    throw fault(
      task,
      `doc_to_choice gives ${list === null ? `${shown(fieldValue(choice, row).value)}, which is not a list` : 'an empty list'}, on row ${row.row}; it must give the list of answers`,
      row,
    );
  }
  return list;
}

/**
 * The text of a language-modelling task: `doc_to_text`, else `doc_to_target` (where harness files put it), else the
 * column `text`.
 */
export function rollingText(task: Task, row: Row): string {
  const { text, target } = fieldsOf(task);
  const field = text !== null && text.source !== '' ? text : target;
  if (isField(field)) {
    if (looksLikeColumn(field, row)) throw noSuchColumn(field, field.source, row);
    if (fieldValue(field, row).value === null) throw fault(task, `${field.key} is empty on row ${row.row}`, row);
    return fieldText(field, row);
  }
  if (typeof row.values['text'] === 'string') return row.values['text'];
  throw fault(
    task,
    `there is neither doc_to_text nor a column "text"; columns: ${listed(Object.keys(row.values))}`,
    row,
  );
}

function fieldsOf(task: Task): Fields {
  const known = compiled.get(task);
  if (known) return known;
  const field = (key: string, source: string | undefined): Field | null =>
    source === undefined ? null : compileField(task.task, key, source);
  const fields: Fields = {
    text: field('doc_to_text', task.doc_to_text),
    target:
      typeof task.doc_to_target === 'string'
        ? field('doc_to_target', task.doc_to_target)
        : (task.doc_to_target ?? null),
    choice: Array.isArray(task.doc_to_choice)
      ? task.doc_to_choice.map(String)
      : field('doc_to_choice', task.doc_to_choice),
  };
  compiled.set(task, fields);
  return fields;
}

/** The row, its answer empty where it has no value: for scores that tell rows without an answer from others. */
export function withGivenAnswer(task: Task, row: Row): Row {
  const { target } = fieldsOf(task);
  if (!isField(target)) return row;
  const missing = withoutValue(target, row).map((name): [string, string] => [name, '']);
  return missing.length === 0 ? row : { ...row, values: { ...row.values, ...Object.fromEntries(missing) } };
}

/** A list of messages that `doc_to_text` gives in place of a text; null for texts. */
export function conversationIn(task: Task, row: Row): Message[] | null {
  const { text } = fieldsOf(task);
  if (text === null || looksLikeColumn(text, row)) return null;
  const { value } = fieldValue(text, row);
  return conversationOf(typeof value === 'string' && value.startsWith('[') ? literalList(value) : value);
}

/** `index` is set where the text is a whole number, as column or as rendered digits: the index of a context. */
function textOf(task: Task, fields: Fields, row: Row): { text: string; index: number | null } {
  const field = fields.text;
  if (field === null)
    throw fault(
      task,
      `doc_to_text is missing; give a template or one of the columns ${listed(Object.keys(row.values))}`,
      row,
    );
  if (looksLikeColumn(field, row)) throw noSuchColumn(field, field.source, row);
  const { value, from } = fieldValue(field, row);
  if (value === null || value === undefined) throw fault(task, `doc_to_text is empty on row ${row.row}`, row);
  const text = shown(value);
  const isIndex = Number.isInteger(value) || (from === 'template' && /^\d+$/.test(text));
  return { text, index: isIndex ? Number(text) : null };
}

/** All right answers, at least one. */
function targetValues(task: Task, fields: Fields, row: Row): { values: unknown[]; from: 'column' | 'template' } {
  const field = fields.target;
  if (field === null)
    throw fault(
      task,
      `doc_to_target is missing; give a template, an index or one of the columns ${listed(Object.keys(row.values))}`,
      row,
    );
  if (!isField(field)) return { values: [field].flat(), from: 'column' };
  const found = fieldValue(field, row);
  const values = listOf(found) ?? [found.value];
  if (values.length === 0) throw fault(task, `doc_to_target gives an empty list on row ${row.row}`, row);
  return { values, from: found.from };
}

/** A list column, or a rendered list. */
function listOf({ value, from }: FieldValue): unknown[] | null {
  if (Array.isArray(value)) return value as unknown[];
  return from === 'template' && typeof value === 'string' && /^\[.*\]$/s.test(value) ? literalList(value) : null;
}

/** The answers of a task without choices, or of one whose choices are contexts. */
function targetTexts(task: Task, fields: Fields, row: Row): string[] {
  const field = fields.target;
  if (isField(field) && looksLikeColumn(field, row)) throw noSuchColumn(field, field.source, row);
  return targetValues(task, fields, row).values.map((value) => {
    if (value === null || value === undefined) throw fault(task, `doc_to_target is empty on row ${row.row}`, row);
    return shown(value);
  });
}

function goldIndex(value: unknown, from: 'column' | 'template', choices: readonly string[]): number | null {
  if (typeof value === 'boolean') {
    // A choice of that name says more than the number of a truth value.
    const named = choices.findIndex((choice) => choice.trim().toLowerCase() === String(value));
    return named >= 0 ? named : Number(value);
  }
  if (typeof value === 'number' || value instanceof WholeFloat) return Number(value);
  if (typeof value !== 'string') return null;
  const isDigits = /^\d+(\.0)?$/.test(value.trim()); // 1.0: an index that once was a column with gaps
  // The harness reads rendered digits as index before it compares texts, a column's text the other way round.
  if (isDigits && from === 'template') return Number(value);
  for (const text of [value, value.trim()]) if (choices.includes(text)) return choices.indexOf(text);
  if (isDigits) return Number(value);
  return /^[A-Z]$/.test(value.trim()) ? value.trim().charCodeAt(0) - 65 : null;
}

function inside(
  task: Task,
  row: Row,
  key: string,
  index: number | null,
  choices: readonly string[],
  value: unknown,
  from: 'column' | 'template',
): number {
  if (index !== null && Number.isInteger(index) && index >= 0 && index < choices.length) return index;
  const list = listed(
    choices.map((choice) => JSON.stringify(choice)),
    8,
  );
  const given = `${key} gives ${quotedText(value)} on row ${row.row}`;
  if (from === 'template' && typeof value === 'string' && choices.includes(value.trim()))
    throw fault(
      task,
      `${given}: digits that a template gives are an index into the choices, from 0 to ${choices.length - 1}, though a choice has this text (${list}); give ${key} the name of the column alone, which compares texts`,
      row,
    );
  throw fault(
    task,
    `${given}, which is none of the ${choices.length} choices (${list}); it must be an index from 0 to ${choices.length - 1}, a letter from A to ${String.fromCharCode(64 + Math.min(26, choices.length))} or the text of a choice`,
    row,
  );
}

function quotedText(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : pythonText(value);
}

function isField(field: Fields['target']): field is Field {
  return typeof field === 'object' && field !== null && !Array.isArray(field);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : pythonText(value);
}

function fault(task: Task, message: string, row?: Row): LayerifError {
  return new LayerifError('badData', `task "${task.task}": ${message}`, {
    place: row === undefined ? undefined : placeOf(row),
  });
}

/** `doc_to_text` of a row by itself. */
export function promptOf(task: Task, row: Row): string {
  return textOf(task, fieldsOf(task), row).text;
}

/** The class that `doc_to_target` names: the index of a choice where there are choices, else its number or text. */
export function answerOf(task: Task, row: Row, choices: readonly string[] | null): number | string {
  const fields = fieldsOf(task);
  const { values, from } = targetValues(task, fields, row);
  const [value] = values;
  if (choices !== null)
    return inside(task, row, 'doc_to_target', goldIndex(value, from, choices), choices, value, from);
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || value instanceof WholeFloat;
  return isNumber ? Number(value) : (targetTexts(task, fields, row)[0] ?? '');
}
