/**
 * Facts of a dataset: the columns `subject`, `relation`, `object` and `aliases` (`field_mapping` gives others these
 * names), and the prompts that templates make of them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Place } from '../../../../protocol/errors.ts';
import { YamlSource } from '../../config/yamlSource.ts';
import { placeOf } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { readText } from '../../files/textFile.ts';
import { folded } from '../../scores/factAnswers.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import { faultWords } from '../../files/reading.ts';

export interface Fact {
  subject: string;
  /** '' where the dataset names none. */
  relation: string;
  /** The object, its aliases. */
  answers: string[];
}

const SUBJECT = '{subject}';
/** Templates for relations that have none of their own. */
const ANY = '*';

/** @throws LayerifError `badData` with file and line: no subject, no object, an answer without a letter or digit */
export function factOf(row: Row): Fact {
  const fault = (what: string) => new LayerifError('badData', `row ${row.row}: ${what}`, { place: placeOf(row) });
  const { subject, relation, object, aliases } = row.values;
  const text = (value: unknown): string | null =>
    typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : null;
  const columns = `columns: ${listed(Object.keys(row.values))}; name others by field_mapping`;
  const name = text(subject);
  if (name === null || name === '') throw fault(`a fact needs a text in the column subject; ${columns}`);
  const given = [...listOf(object), ...listOf(aliases)];
  if (listOf(object).length === 0) throw fault(`a fact needs an answer in the column object; ${columns}`);
  const answers = given.map((value) => {
    const answer = text(value);
    if (answer === null)
      throw fault(
        `${JSON.stringify(value).slice(0, 40)} is not an answer: object and aliases are texts or lists of texts`,
      );
    // An empty answer stands in every text.
    if (!/[\p{L}\p{N}]/u.test(folded(answer)))
      throw fault(
        `the answer ${JSON.stringify(answer)} has neither a letter nor a digit: take it out of object and aliases`,
      );
    return answer;
  });
  const of = text(relation);
  if (relation !== undefined && relation !== null && of === null)
    throw fault(`relation is ${JSON.stringify(relation).slice(0, 40)}; it is a text`);
  return { subject: name, relation: of ?? '', answers: [...new Set(answers)] };
}

/** A list, a text that is a JSON list, or texts with | between them. */
function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return [value];
  if (value.trim().startsWith('[')) {
    try {
      return JSON.parse(value) as unknown[];
    } catch {
      return [value];
    }
  }
  return value.split('|');
}

/** Templates by relation. */
export class Templates {
  readonly #file: string;
  readonly #byRelation: ReadonlyMap<string, readonly string[]>;

  private constructor(file: string, byRelation: ReadonlyMap<string, readonly string[]>) {
    this.#file = file;
    this.#byRelation = byRelation;
  }

  /** @throws LayerifError `badExperiment` with file and line */
  static read(file: string): Templates {
    const text = templatesText(file);
    const source = new YamlSource(text, file);
    const fault = (message: string, place: Place) =>
      new LayerifError('badExperiment', `templates of mastery: ${message}`, { place });
    const [problem] = source.problems.filter(({ severity }) => severity === 'error');
    if (problem) throw fault(problem.message, problem);
    const { value } = source;
    const whole: unknown = Array.isArray(value) ? { [ANY]: value } : value;
    if (typeof whole !== 'object' || whole === null || Object.keys(whole).length === 0)
      throw fault(`the file holds no relations; write RELATION: ["${SUBJECT} is located in", ...]`, { file });
    const byRelation = new Map<string, readonly string[]>();
    for (const [relation, templates] of Object.entries(whole)) {
      const at = (...rest: (string | number)[]) => source.valueRange(whole === value ? [relation, ...rest] : rest);
      if (!Array.isArray(templates) || templates.length === 0)
        throw fault(`${relation} is not a list of texts with ${SUBJECT}`, at());
      templates.forEach((template: unknown, i) => {
        if (typeof template === 'string' && template.includes(SUBJECT)) return;
        throw fault(`${JSON.stringify(template)} of ${relation} is not a text with ${SUBJECT} in it`, at(i));
      });
      const doubled = templates.findIndex((template, i) => templates.indexOf(template) < i);
      if (doubled >= 0)
        throw fault(`${JSON.stringify(templates[doubled])} of ${relation} stands there twice`, at(doubled));
      byRelation.set(relation, templates as string[]);
    }
    return new Templates(file, byRelation);
  }

  /** Prompts of a fact, a space at their end. @throws LayerifError `badData` for a relation without templates */
  prompts({ subject, relation }: Fact, row: Row): string[] {
    const templates = this.#byRelation.get(relation) ?? this.#byRelation.get(ANY);
    if (templates) return templates.map((template) => `${template.replaceAll(SUBJECT, () => subject).trimEnd()} `);
    const known = [...this.#byRelation.keys()];
    throw new LayerifError(
      'badData',
      `row ${row.row}: ${path.basename(this.#file)} has no templates for ${relation === '' ? 'a fact without a relation (the key "*")' : `the relation "${relation}"`}; its relations: ${listed(known)}${didYouMean(relation, known)}`,
      { place: placeOf(row) },
    );
  }
}

function templatesText(file: string): string {
  try {
    return readText(file, 'yaml').replace(/^\uFEFF/, '');
  } catch (error) {
    const why = fs.existsSync(file) ? faultWords(error) : 'there is no such file';
    throw new LayerifError('badExperiment', `templates of mastery: cannot read ${file}: ${why}`, { cause: error });
  }
}
