/** Facts as tokens: prompts to go on from, and every answer behind every prompt. */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { encodeContinuation, harnessIds, requirePrefix } from '../../data/continuations.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { FactSeen } from '../../scores/dataTypes.ts';
import { logProbabilities } from '../../scores/rowLosses.ts';
import { nth } from '../../lists/nth.ts';
import type { Tensors } from '../../../../protocol/scores.ts';
import { factOf } from './factRows.ts';
import type { Fact, Templates } from './factRows.ts';
import type { SourceRow } from './rowSource.ts';

export interface FactTexts {
  fact: Fact;
  prompts: string[];
  promptTokens: Int32Array[];
  /** Template x answer. */
  continuations: EncodedSample[][];
}

/** @param templates null: the row's own prompt @throws LayerifError `badData` with file and line */
export function factTexts(
  { row, prompt }: SourceRow,
  templates: Templates | null,
  { tokenizer, maxLength }: { tokenizer: TextTokenizer; maxLength: number },
): FactTexts {
  const fact = factOf(row);
  const prompts = templates === null ? [prompt] : templates.prompts(fact, row);
  return {
    fact,
    prompts,
    promptTokens: prompts.map((one) => {
      const ids = harnessIds(tokenizer, one.trimEnd());
      return ids.length > 0 ? ids : Int32Array.of(requirePrefix(tokenizer, row));
    }),
    continuations: prompts.map((one) =>
      fact.answers.map((answer) => encodeContinuation(tokenizer, one, answer, maxLength - 1, row)),
    ),
  };
}

/**
 * What the score is shown.
 * @param observed log-probabilities of the tokens of all continuations, one text behind the other
 * @param completions per fact, template x sample; null for none
 */
export function factsSeen(
  all: readonly FactTexts[],
  observed: Tensors,
  completions: readonly (readonly (readonly string[])[])[] | null,
): FactSeen[] {
  const samples = all.flatMap(({ continuations }) => continuations.flat());
  const known = logProbabilities({ samples, tensors: observed });
  let text = 0;
  return all.map(({ fact, prompts, continuations }, i) => ({
    relation: fact.relation,
    answers: fact.answers,
    prompts,
    continuations: continuations.map((answers) =>
      answers.map(({ tokens, countedFrom }) => ({
        tokens: tokens.subarray(countedFrom),
        logProbability: nth(known, text++),
      })),
    ),
    completions: completions?.[i] ?? null,
  }));
}
