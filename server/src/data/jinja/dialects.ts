/**
 * The two set-ups of Jinja that templates are written for: rows of tasks as lm-evaluation-harness renders them, and
 * chat templates as `apply_chat_template` of transformers 5.24 does. What they have in common is in the other files.
 */
import { filters, type Filter } from './filters.ts';
import { dict, globals } from './globals.ts';
import { json, separatorsOf } from './json.ts';
import { repeatedText } from './limits.ts';
import { Attributes, Blank, Callable, Dict, TemplateError, Undefined } from './objects.ts';
import { iterate, truth, wholeNumber } from './operators.ts';
import { text } from './text.ts';
import { strftime } from './strftime.ts';

/** How white space around tags and the end of a template are read. */
export interface LexerForm {
  /** The line break behind a block tag or comment goes. */
  trimBlocks: boolean;
  /** Spaces between the start of a line and a block tag or comment go. */
  lstripBlocks: boolean;
  keepTrailingNewline: boolean;
}

/** Tags that Jinja has by extensions alone. */
export type ExtraTag = 'break' | 'continue' | 'generation';

export interface Dialect extends LexerForm {
  tags: ReadonlySet<ExtraTag>;
  /** What is written before and behind a block {% generation %}; absent: nothing. */
  generationMarks?: readonly [before: string, behind: string];
  filters: Readonly<Record<string, Filter>>;
  globals: Readonly<Record<string, unknown>>;
  /** What is not there: an error at any use, or empty. */
  missing: (message: string, name?: string) => Undefined;
  /** Lists and mappings cannot be changed, names that begin with an underscore are not given away. */
  sandboxed: boolean;
}

export const harness: Dialect = {
  trimBlocks: false,
  lstripBlocks: false,
  keepTrailingNewline: true,
  tags: new Set(),
  filters,
  globals,
  missing: (message, name) => new Undefined(message, name ?? null),
  sandboxed: false,
};

const isPrivate = (name: unknown): boolean => typeof name === 'string' && name.startsWith('_');

/** @throws TemplateError for a name that a sandboxed namespace does not keep */
export function requirePublic(name: unknown): void {
  if (isPrivate(name))
    throw new TemplateError(`a namespace of a chat template keeps no name with an underscore in front: ${text(name)}`);
}

/** Without the one filter that the harness adds. */
const ofJinja = Object.fromEntries(Object.entries(filters).filter(([name]) => name !== 'regex_replace'));

const tojson: Filter = {
  names: ['ensure_ascii', 'indent', 'separators', 'sort_keys'],
  call(value, [ascii = false, indent = null, separators = null, sortKeys = false]) {
    const level = typeof indent === 'string' ? indent : repeatedText(' ', wholeNumber(indent ?? 0, 'indent'));
    const [between, colon] = separators === null ? separatorsOf(indent !== null) : iterate(separators).map(text);
    return json(value, {
      indent: indent === null ? null : level,
      separators: [between ?? '', colon ?? ''],
      ascii: truth(ascii),
      sortKeys: truth(sortKeys),
    });
  },
};

/** `fromkeys` alone is what transformers leaves of the class `dict`. */
const publicDict = new Attributes(
  'TemplateDict',
  [
    [
      'fromkeys',
      new Callable(
        'fromkeys',
        ({ positional: [keys, value = null] }) => new Dict(iterate(keys).map((key) => [key, value] as const)),
      ),
    ],
  ],
  dict,
);

/** @param now what `strftime_now` shows */
export function chat(now: () => Date): Dialect {
  return {
    trimBlocks: true,
    lstripBlocks: true,
    keepTrailingNewline: false,
    tags: new Set(['break', 'continue', 'generation']),
    filters: { ...ofJinja, tojson },
    globals: {
      ...globals,
      dict: publicDict,
      namespace: new Callable('namespace', (args) => {
        const pairs = dict(args).entries() as [string, unknown][];
        for (const [name] of pairs) requirePublic(name);
        return new Attributes('namespace', pairs);
      }),
      raise_exception: new Callable('raise_exception', ({ positional: [message = ''] }) => {
        throw new TemplateError(text(message));
      }),
      strftime_now: new Callable('strftime_now', ({ positional: [format] }) => strftime(now(), text(format))),
    },
    missing: (message) => new Blank(message),
    sandboxed: true,
  };
}

/* Methods that change what they belong to. */
const changingLists = new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove']);
const changingDicts = new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']);

/** Whether a sandbox withholds an attribute. */
export function withheldBySandbox(value: unknown, name: string): boolean {
  if (isPrivate(name)) return !(value instanceof Dict && value.has(name));
  if (Array.isArray(value)) return changingLists.has(name);
  return value instanceof Dict && changingDicts.has(name) && !value.has(name);
}
