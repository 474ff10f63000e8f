/**
 * Filters of lm-evaluation-harness 0.4.13: what is made of the answers to a document before they are compared. A
 * pipeline takes the list of a document's answers and leaves a list, or one answer behind `take_first`. To add a
 * filter, add a row.
 */
import { regexFindAll } from '../data/jinja/regex.ts';
import { lookup } from '../text/lookup.ts';
import { formatSpan } from './formatSpan.ts';
import { multipleChoice } from './multipleChoice.ts';
import { strip } from './python.ts';
import { nth } from '../lists/nth.ts';

/** An answer may be a list behind `regex_pos`, which gives the tags of a text. */
type Answer = string | string[];
/** Columns of the document. */
type Columns = Readonly<Record<string, unknown>>;
type Step = (answers: Answer[], columns: Columns) => Answer[] | Answer;

interface Filter {
  /** Keys beside `function`, with the words for what they may be. */
  options: Readonly<Record<string, string>>;
  /** @returns null where an option has a value that it cannot have */
  make(options: Readonly<Record<string, unknown>>): Step | null;
}

const DEFAULT_PATTERN = '#### (\\-?[0-9\\.\\,]+)';
/** ('word', 'TAG') */
const TAGGED = "\\('([^']*)', '([^']*)'\\)";

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const isInteger = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);

const plain = (change: (answer: string) => string): Filter => ({
  options: {},
  make: () => (answers) => texts(answers).map(change),
});

/** @throws Error for lists, which no filter of texts takes */
function texts(answers: readonly Answer[]): string[] {
  return answers.map((answer) => {
    if (typeof answer === 'string') return answer;
    throw new Error('regex_pos makes lists of tags, which only take_first and take_first_k take');
  });
}

const filters: Readonly<Record<string, Filter>> = {
  regex: {
    options: { regex_pattern: 'a text', group_select: 'a whole number', fallback: 'a text' },
    make({ regex_pattern: pattern = DEFAULT_PATTERN, group_select: select = 0, fallback = '[invalid]' }) {
      if (typeof pattern !== 'string' || !isInteger(select) || typeof fallback !== 'string') return null;
      return (answers) =>
        texts(answers).map((answer) => {
          const found = regexFindAll(answer, pattern);
          if (found.length === 0) return fallback;
          const match = found.at(select);
          // The harness ends with an IndexError here.
          if (match === undefined) return fallback;
          if (typeof match === 'string') return strip(match);
          return strip(match.find((group) => group !== '') ?? fallback);
        });
    },
  },
  multi_choice_regex: {
    options: {
      regex_pattern: 'a text',
      group_select: 'a whole number',
      fallback: 'a text',
      ignore_case: 'true or false',
      ignore_punctuation: 'true or false',
      regexes_to_ignore: 'a list of texts',
    },
    make({
      regex_pattern: pattern = DEFAULT_PATTERN,
      group_select: select = 0,
      fallback = '[invalid]',
      ignore_case: ignoreCase = false,
      ignore_punctuation: ignorePunctuation = false,
      regexes_to_ignore: regexes = null,
    }) {
      if (typeof pattern !== 'string' || !isInteger(select) || typeof fallback !== 'string') return null;
      if (typeof ignoreCase !== 'boolean' || typeof ignorePunctuation !== 'boolean') return null;
      if (regexes !== null && !isTexts(regexes)) return null;
      const regexesToIgnore = regexes ?? [];
      return (answers, columns) => {
        const find = multipleChoice(columns, {
          ...{ pattern, select, fallback, ignoreCase, ignorePunctuation, regexesToIgnore },
        });
        return texts(answers).map(find);
      };
    },
  },
  regex_pos: {
    // The harness reads neither pattern nor group.
    options: { regex_pattern: 'a text', group_select: 'a whole number', fallback: 'a text or a list of texts' },
    make({ regex_pattern: pattern = '', group_select: select = 0, fallback = ['invalid'] }) {
      if (typeof pattern !== 'string' || !isInteger(select)) return null;
      if (typeof fallback !== 'string' && !isTexts(fallback)) return null;
      return (answers) =>
        texts(answers).map((answer) => {
          const tags = regexFindAll(answer, TAGGED).map((groups) => nth(groups, 1));
          return tags.length > 0 ? tags : fallback;
        });
    },
  },
  format_span: plain(formatSpan),
  remove_whitespace: plain(strip),
  lowercase: plain((answer) => answer.toLowerCase()),
  uppercase: plain((answer) => answer.toUpperCase()),
  map: {
    options: { mapping_dict: 'a mapping', default_value: 'a text' },
    make({ mapping_dict: mapping = {}, default_value: other = null }) {
      if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) return null;
      const known = new Map(
        Object.entries(mapping).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
      );
      // Python's None, which no answer equals.
      const fallback = other === null ? 'None' : typeof other === 'string' ? other : JSON.stringify(other);
      return (answers) => texts(answers).map((answer) => known.get(answer) ?? fallback);
    },
  },
  take_first: { options: {}, make: () => (answers) => nth(answers, 0) },
  take_first_k: {
    options: { k: 'a whole number from 1' },
    make: ({ k }) => (isInteger(k) && k > 0 ? (answers) => answers.slice(0, k) : null),
  },
  // Of equally frequent ones that which comes first.
  majority_vote: {
    options: {},
    make: () => (answers) => {
      const counts = new Map<string, number>();
      for (const answer of texts(answers)) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      const most = Math.max(...counts.values());
      return [[...counts].find(([, count]) => count === most)![0]];
    },
  },
};

export interface Pipeline {
  name: string;
  /** @param columns of the document, which `multi_choice_regex` reads */
  readonly apply: (answers: readonly string[], columns?: Columns) => string | string[];
}

const first: Pipeline = { name: 'none', apply: (answers) => nth(answers, 0) };

/**
 * The pipelines of `filter_list`; without one that which takes the first answer.
 * @throws Error naming what is not there
 */
export function pipelinesOf(filterList: unknown): Pipeline[] {
  if (!Array.isArray(filterList) || filterList.length === 0) return [first];
  return filterList.map((entry: unknown) => {
    const { name, filter } = (entry ?? {}) as { name?: unknown; filter?: unknown };
    if (typeof name !== 'string' || !Array.isArray(filter)) {
      throw new Error(`an entry of filter_list needs name and filter, a list of functions; it is ${shown(entry)}`);
    }
    const steps = filter.map(stepOf);
    const firsts = new Set(filter.flatMap((step, at) => (isTakeFirst(step) ? [at] : [])));
    return {
      name,
      apply(answers, columns = {}) {
        let now: Answer[] = [...answers];
        for (const [at, step] of steps.entries()) {
          const next = step(now, columns);
          if (firsts.has(at)) {
            // Behind take_first the harness goes on over the characters of the answer; nobody means that.
            if (at + 1 < steps.length) throw new Error(`filter "${name}" goes on behind take_first; make it the last`);
            return next as Answer;
          }
          now = next as Answer[];
        }
        return texts(now);
      },
    };
  });
}

const isTakeFirst = (step: unknown): boolean => (step as { function?: unknown } | null)?.function === 'take_first';

function stepOf(given: unknown): Step {
  const { function: name, ...options } = (given ?? {}) as Record<string, unknown>;
  const found = lookup(filters, name);
  if (!found) {
    throw new Error(`filter_list asks for the filter ${shown(name)}; available: ${Object.keys(filters).join(', ')}`);
  }
  const other = Object.keys(options).find((key) => !Object.hasOwn(found.options, key));
  const step = other === undefined ? found.make(options) : null;
  if (step) return step;
  const known = Object.entries(found.options).map(([key, allowed]) => `${key} (${allowed})`);
  throw new Error(
    `the filter ${shown(name)} of filter_list has ${known.length > 0 ? `the options ${known.join(', ')}` : 'no options'}; given is ${shown(options)}`,
  );
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 100);
}
