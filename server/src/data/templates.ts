/**
 * `doc_to_text`, `doc_to_target`, `doc_to_choice`, `description`: by the rule of lm-evaluation-harness a string that is
 * a column name is that column's value, anything else is a Jinja template over the row's columns.
 */
import { ourWords } from '../text/languageErrors.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { literalList } from './jinja/literal.ts';
import { UnknownName } from './jinja/objects.ts';
import { compileTemplate, type Template } from './jinja/template.ts';
import { pythonText } from './jinja/text.ts';
import { listed } from '../text/listed.ts';
import { didYouMean } from '../text/nearest.ts';
import { placeOf } from './splits.ts';
import type { Row } from './types.ts';

/** One templated key of a task. */
export interface Field {
  task: string;
  key: string;
  source: string;
  template: Template;
}

/**
 * What a field gives for one row: a column's value, or a template's (a list or number where it is a single expression).
 */
export interface FieldValue {
  value: unknown;
  from: 'column' | 'template';
}

/** @throws LayerifError `badData` when `source` is not valid Jinja. */
export function compileField(task: string, key: string, source: string): Field {
  try {
    return { task, key, source, template: compileTemplate(source) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LayerifError(
      'badData',
      `task "${task}": ${key} is not a valid Jinja template (${reason}): ${shortened(source)}`,
      { cause: error },
    );
  }
}

/** @throws LayerifError `badData` naming task, key and row when a column is missing or the template fails. */
export function fieldValue(field: Field, row: Row): FieldValue {
  if (Object.hasOwn(row.values, field.source)) return { value: row.values[field.source], from: 'column' };
  return { value: guarded(field, row, (columns) => field.template.render(columns)), from: 'template' };
}

/** A field as text. */
export function fieldText(field: Field, row: Row): string {
  const { value } = fieldValue(field, row);
  return typeof value === 'string' ? value : pythonText(value);
}

/** A field as text, empty where the cell has no value: for labels and answers, which a row has or has not. */
export function givenText(field: Field, row: Row): string {
  return withoutValue(field, row).length > 0 ? '' : fieldText(field, row);
}

/**
 * The columns without a value that leave a field without one: the column that it is, or those whose null a template
 * writes as Python does, "None" and nothing else. Empty for a field that has a value.
 */
export function withoutValue(field: Field, row: Row): string[] {
  const { value, from } = fieldValue(field, row);
  const isNull = (name: string) => (row.values[name] ?? null) === null;
  if (from === 'column') return isNull(field.source) ? [field.source] : [];
  if (typeof value !== 'string' || value.trim() !== 'None') return [];
  return field.template.names.filter((name) => Object.hasOwn(row.values, name) && isNull(name));
}

/**
 * A field as list of texts, or null where it is none: a list column, an expression that gives a list, a rendered list
 * literal.
 */
export function fieldList(field: Field, row: Row): string[] | null {
  return listOf(field, row)?.map((item) => (typeof item === 'string' ? item : pythonText(item))) ?? null;
}

/** The same without entries that have no value: for answers. */
export function givenList(field: Field, row: Row): string[] | null {
  const given = listOf(field, row)?.filter((item) => item !== null && item !== undefined);
  return given?.map((item) => (typeof item === 'string' ? item : pythonText(item))) ?? null;
}

function listOf(field: Field, row: Row): unknown[] | null {
  const { value } = fieldValue(field, row);
  const list = typeof value === 'string' ? literalList(value) : value;
  return Array.isArray(list) ? list : null;
}

/** True where the source is one bare word that no column bears: meant as a column, most likely. */
export function looksLikeColumn(field: Field, row: Row): boolean {
  return /^[A-Za-z_]\w*$/.test(field.source) && !Object.hasOwn(row.values, field.source);
}

export function noSuchColumn(field: Field, name: string, row: Row): LayerifError {
  const columns = Object.keys(row.values);
  return new LayerifError(
    'badData',
    `task "${field.task}": ${field.key} uses "${name}", which is not a column of row ${row.row}; columns: ${listed(columns)}${didYouMean(name, columns)}`,
    { place: placeOf(row) },
  );
}

function guarded<T>(field: Field, row: Row, work: (columns: Record<string, unknown>) => T): T {
  try {
    return work(row.values);
  } catch (error) {
    if (error instanceof UnknownName) throw noSuchColumn(field, error.unknown, row);
    const reason = error instanceof Error ? ourWords(error) : String(error);
    throw new LayerifError(
      'badData',
      `task "${field.task}": ${field.key} fails on row ${row.row} (${reason}): ${shortened(field.source)}`,
      {
        place: placeOf(row),
        cause: error,
      },
    );
  }
}

function shortened(source: string): string {
  const line = JSON.stringify(source);
  return line.length <= 100 ? line : `${line.slice(0, 97)}..."`;
}
