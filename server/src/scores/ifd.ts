/**
 * Instruction-following difficulty: how much the prompt helps the model to write the answer. Near 1 it hardly helps,
 * which makes a hard row that is worth training on; small values are trivial rows; above 1 the prompt hurts, so that
 * prompt and answer do not belong together.
 *
 * The authors published two definitions, which order rows differently: the ratio of the losses (Cherry_LLM) does not
 * depend on their size, the ratio of the perplexities (Superfiltering) is a difference of losses. Their scripts encode
 * the text as one and count the tokens before the place where the answer is last found; a tokenizer that merges across
 * that place shifts the count by one, and an answer that ends the prompt too is found there. Without a token that
 * begins texts they do not score the first token of an answer that stands alone. `compat` does the same; without it
 * both losses are over the same tokens of the answer, which are never merged with the prompt, and the answer alone
 * stands behind the token that begins texts.
 */
import { defineDataScore, mark, orNull, rowsWhere, scorerOption } from './dataTypes.ts';
import type { DataScore, RowFacts } from './dataTypes.ts';
import { meanLosses, tokenLosses } from './rowLosses.ts';
import { nth } from '../lists/nth.ts';

const options = {
  scorer: scorerOption,
  compat: {
    type: 'flag',
    default: false,
    words: 'Encode, cut and count as the published scripts do.',
  },
  threshold: {
    type: 'number',
    default: 1,
    above: 0,
    words: 'Rows from this value on are left out by a selection: their prompt does not help.',
  },
} as const;

interface Definition {
  id: 'ifd_ppl' | 'ifd_loss';
  title: string;
  formula: string;
  source: string;
  /** Before an answer that stands alone. */
  prefix: string;
  of: (conditioned: number, alone: number) => number;
  /** Whether a row of the threshold itself is left out. */
  inclusive: boolean;
}

function defined({ id, title, formula, source, prefix, of, inclusive }: Definition): DataScore {
  return defineDataScore({
    id,
    version: 1,
    title,
    question: 'trust_data',
    subject: 'sample',
    unit: '',
    higherMeans: 'keep',
    formula,
    source,
    status: 'published',
    options,
    tokens: true,
    needs: ({ compat }) => ({
      conditioned: tokenLosses(compat ? 'compat' : 'apart'),
      alone: tokenLosses(compat ? 'compat_alone' : 'alone', prefix),
    }),
    open: ({ threshold, compat }) => {
      const [conditioned, alone]: [number[], number[]] = [[], []];
      const facts: RowFacts[] = [];
      return {
        rows(chunk) {
          for (const fact of chunk.facts) facts.push({ ...fact, text: '' });
          for (const loss of meanLosses(chunk.observed.conditioned)) conditioned.push(loss);
          for (const loss of meanLosses(chunk.observed.alone)) alone.push(loss);
        },
        numbers() {
          const count = facts.length;
          const values = conditioned.map((loss, row) => of(loss, nth(alone, row)));
          const undefinedRow = (row: number) => !Number.isFinite(values[row]);
          const empty = rowsWhere(count, (row) => nth(facts, row).emptyAnswer);
          const unknown = rowsWhere(count, (row) => undefinedRow(row) && !nth(facts, row).emptyAnswer);
          const hurt = rowsWhere(count, (row) =>
            inclusive ? nth(values, row) >= threshold : nth(values, row) > threshold,
          );
          const long = rowsWhere(count, (row) => nth(facts, row).truncated);
          const bare =
            prefix !== ''
              ? 0
              : rowsWhere(count, (row) => nth(facts, row).emptyPrompt && !nth(facts, row).emptyAnswer).length;
          const merged = facts.filter(({ merged }) => merged).length;
          return {
            values: orNull(values),
            parts: {
              'loss with prompt': orNull(conditioned),
              'loss alone': orNull(alone),
              'answer tokens': facts.map(({ answer }) => answer),
            },
            marks: [
              ...mark(empty, 'empty answer', true),
              ...mark(unknown, 'no token of the answer can be scored', true),
              ...mark(hurt, `${inclusive ? 'from' : 'above'} ${threshold} on: the prompt does not help`, true),
              ...mark(long, 'longer than model.max_length', true),
            ],
            notes: [
              ...(compat
                ? ['texts are encoded, cut and counted as the published scripts do']
                : [
                    'the answer alone stands behind the token that begins texts, so that both losses are over the same tokens; compat: true is the published way',
                  ]),
              ...(bare > 0
                ? [`${bare} of ${count} rows have an empty prompt, which helps nothing and makes the value 1`]
                : []),
              ...(merged > 0
                ? [`the tokenizer merges the end of the prompt with the answer in ${merged} of ${count} rows`]
                : []),
              ...(long.length > 0
                ? [`whether rows that are too long are left out differs between the published scripts; here they are`]
                : []),
            ],
          };
        },
      };
    },
  });
}

export const ifdPpl = defined({
  id: 'ifd_ppl',
  title: 'Instruction-following difficulty, ratio of perplexities',
  formula: 'exp(loss of the answer behind its prompt - loss of the answer alone)',
  source: 'Superfiltering, arXiv 2402.00530',
  prefix: '',
  of: (conditioned, alone) => Math.exp(conditioned - alone),
  inclusive: true,
});

export const ifdLoss = defined({
  id: 'ifd_loss',
  title: 'Instruction-following difficulty, ratio of losses',
  formula: 'loss of the answer behind its prompt / loss of the answer behind "### Response:"',
  source: 'From Quantity to Quality, arXiv 2308.12032',
  prefix: '### Response:',
  of: (conditioned, alone) => conditioned / alone,
  inclusive: false,
});
