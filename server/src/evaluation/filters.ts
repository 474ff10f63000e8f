/**
 * Filters of lm-evaluation-harness 0.4.13: what is made of the answers to a document before they are compared. A
 * pipeline takes the list of a document's answers and leaves a list, or one answer behind `take_first`. To add a
 * filter, add a row.
 */
import { regexFindAll } from '../data/jinja/regex.ts';
import { lookup } from '../text/lookup.ts';

type Answers = string[];
type Step = (answers: Answers) => Answers | string;

interface Filter {
  /** Keys beside `function`, with the words for what they may be. */
  options: Readonly<Record<string, string>>;
  /** @returns null where an option has a value that it cannot have */
  make(options: Readonly<Record<string, unknown>>): Step | null;
}

const isInteger = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value);

const plain = (change: (answer: string) => string): Filter => ({
  options: {},
  make: () => (answers) => answers.map(change),
});

/** White space to Python. */
const isSpace = (char: string): boolean => /\s|\u0085/u.test(char) || (char >= '\u001c' && char <= '\u001f');

/** Python's `strip()`. */
function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text[start])) start++;
  while (end > start && isSpace(text[end - 1])) end--;
  return text.slice(start, end);
}

const filters: Readonly<Record<string, Filter>> = {
  regex: {
    options: { regex_pattern: 'a text', group_select: 'a whole number', fallback: 'a text' },
    make({ regex_pattern: pattern = '#### (\\-?[0-9\\.\\,]+)', group_select: select = 0, fallback = '[invalid]' }) {
      if (typeof pattern !== 'string' || !isInteger(select) || typeof fallback !== 'string') return null;
      return (answers) =>
        answers.map((answer) => {
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
      return (answers) => answers.map((answer) => known.get(answer) ?? fallback);
    },
  },
  take_first: { options: {}, make: () => (answers) => answers[0] },
  take_first_k: {
    options: { k: 'a whole number from 1' },
    make: ({ k }) => (isInteger(k) && k > 0 ? (answers) => answers.slice(0, k) : null),
  },
  // Of equally frequent ones that which comes first.
  majority_vote: {
    options: {},
    make: () => (answers) => {
      const counts = new Map<string, number>();
      for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
      const most = Math.max(...counts.values());
      return [[...counts].find(([, count]) => count === most)![0]];
    },
  },
};

export interface Pipeline {
  name: string;
  readonly apply: (answers: readonly string[]) => string | string[];
}

const first: Pipeline = { name: 'none', apply: ([answer]) => answer };

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
    return {
      name,
      apply(answers) {
        let now: string | string[] = [...answers];
        for (const step of steps) {
          // Behind take_first the harness goes on over the characters of the answer; nobody means that.
          if (typeof now === 'string') throw new Error(`filter "${name}" goes on behind take_first; make it the last`);
          now = step(now);
        }
        return now;
      },
    };
  });
}

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
