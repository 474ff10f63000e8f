/**
 * What a verb refuses, as rows: which verbs, what is looked at, the sentence. A verb throws the first row that speaks
 * (`requireNone`), `check` and `inspect` list them all (`refusalsIn`), so that both say the same before and after.
 *
 * The tables stand by what their rows look at: `supported.ts` the experiment alone, `modelRefusals.ts` the opened
 * model, `sampleRefusals.ts` token sequences, `taskRefusals.ts` what a task asks `evaluate` for. To add a refusal, add
 * a row there and an input that triggers it in `test/run/refusalTable.test.ts`.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { ErrorCode, Place } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';

/** Commands that run the model. `score` stands for `estimate` and `check --gradients` too, which prepare the same. */
export const verbs = ['score', 'validate', 'evaluate', 'generate', 'prune', 'train', 'train-experts'] as const;
export type Verb = (typeof verbs)[number];

/** Reads weights under their names and builds its own graphs. */
export const checkpointVerbs: readonly Verb[] = ['validate', 'evaluate', 'prune', 'train', 'train-experts'];

export interface Refusal<Facts> {
  id: string;
  verbs: readonly Verb[];
  code: ErrorCode;
  /** The key of the experiment file that it is about. */
  path: readonly (string | number)[];
  /** Null where there is nothing to refuse. */
  says: (facts: Facts) => string | Said | null;
}

/** A sentence, and where in a file of data or of the model its reason stands. */
export interface Said {
  message: string;
  place: Place;
}

export interface Refused {
  id: string;
  verbs: readonly Verb[];
  code: ErrorCode;
  path: readonly (string | number)[];
  message: string;
  place: Place | undefined;
}

/** All that some verb of `asked` refuses. */
export function refusalsIn<Facts>(
  table: readonly Refusal<Facts>[],
  facts: Facts,
  asked: readonly Verb[] = verbs,
): Refused[] {
  return table.flatMap(({ id, verbs: own, code, path, says }) => {
    if (!own.some((verb) => asked.includes(verb))) return [];
    const said = says(facts);
    if (said === null) return [];
    const { message, place } = typeof said === 'string' ? { message: said, place: undefined } : said;
    return [{ id, verbs: own, code, path, message, place }];
  });
}

/**
 * `check` places a sentence at its key; an error has the key in front instead.
 * @param file where a refusal without a place of its own is placed
 * @throws LayerifError for the first row that speaks
 */
export function requireNone<Facts>(table: readonly Refusal<Facts>[], facts: Facts, verb: Verb, file?: string): void {
  const [first] = refusalsIn(table, facts, [verb]);
  if (first) throw errorOf(first, file);
}

export function errorOf({ code, path, message, place }: Refused, file?: string): LayerifError {
  const key = path.length > 0 && file !== undefined && place === undefined ? `${path.join('.')}: ` : '';
  return new LayerifError(code, key + message, { place: place ?? (file === undefined ? undefined : { file }) });
}

/** What a file asks for: scores always, the others by their section. */
export function verbsOf(experiment: Experiment): Verb[] {
  const section: Record<Verb, unknown> = {
    score: true,
    validate: experiment.validate,
    evaluate: experiment.evaluate,
    generate: undefined, // no section asks for it
    prune: experiment.prune,
    train: experiment.train,
    'train-experts': experiment.train_experts,
  };
  return verbs.filter((verb) => section[verb] !== undefined);
}
