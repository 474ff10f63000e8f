/**
 * How well a model knows facts before it is tuned (60 Data Points are Sufficient to Fine-Tune LLMs for QA; the formula
 * as the same authors give it in arXiv 2509.16596). With N templates of a relation and M drawn completions of each
 *
 *     R = completions that name the object or one of its aliases / (N M)
 *     level 0: R = 0; level i of 1 .. 4: R above (i - 1) / 4, up to i / 4
 *
 * Beside it stands the exact probability that the object is what follows at once, a formula of ours: the mean over the
 * templates of the probability of its tokens. Of aliases those count of which no other one is the beginning, so that
 * nothing counts twice. It asks for no completions, and at temperature 1 it is a lower bound of what R estimates.
 */
import { factLevels } from '../../../protocol/scores.ts';
import { spearman } from '../statistics/rankCorrelation.ts';
import type { Interval } from '../statistics/intervals.ts';
import { wilsonInterval } from '../statistics/wilson.ts';
import { defineDataScore, mark, orNull, rowsWhere, scorerOption } from './dataTypes.ts';
import type { FactSeen } from './dataTypes.ts';
import { folded, idle, matchIds, names, prefixFree } from './factAnswers.ts';
import type { MatchId } from './factAnswers.ts';
import { nth } from '../lists/nth.ts';

const LEVEL = 0.95;
/** A probability below this is as good as none: half a hit in the 210 completions of the paper. */
const NOTHING = 1 / 420;
/** Answers of so few characters stand within other words. */
const SHORT = 2;

/** @param share 0 .. 1 */
export const levelOf = (share: number): number => Math.min(4, Math.ceil(4 * share));

/** The same of a probability, which is never 0. */
export const surrogateLevelOf = (probability: number): number => (probability < NOTHING ? 0 : levelOf(probability));

/** Mean over templates of the probability that one of the answers follows at once. */
export function surrogateOf({ continuations }: Pick<FactSeen, 'continuations'>): number {
  const byTemplate = continuations.map((answers) =>
    prefixFree(answers).reduce((sum, { logProbability }) => sum + Math.exp(logProbability), 0),
  );
  return byTemplate.reduce((sum, one) => sum + one, 0) / byTemplate.length;
}

const options = {
  scorer: scorerOption,
  templates: {
    type: 'text',
    default: '',
    words:
      'YAML or JSON file that gives each relation (or "*") a list of texts with {subject}, behind which the object follows; empty: the prompt of the task over the dataset is the one template.',
  },
  by: {
    type: 'choice',
    default: 'samples',
    choices: ['samples', 'probability'],
    words: 'What makes the levels: drawn completions, or the probability of the object alone, without completions.',
  },
  samples: {
    type: 'number',
    default: 4,
    least: 1,
    whole: true,
    words: 'Completions of each template; 10 in the paper.',
  },
  temperature: {
    type: 'number',
    default: 0.7,
    least: 0,
    words: 'At which tokens are drawn; 0: the likeliest ones, of which each template has one completion.',
  },
  max_new_tokens: { type: 'number', default: 32, least: 1, whole: true, words: 'Most tokens of a completion.' },
  match: {
    type: 'choice',
    default: 'contains',
    choices: matchIds,
    words:
      'When a completion names an answer: it is a part of it whatever the case, a part that stands alone as words, or a part character for character.',
  },
  seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of the drawn tokens.' },
} as const;

/** What is kept of each fact. */
interface Known {
  relation: string;
  hits: number;
  trials: number;
  surrogate: number;
  nested: string[];
  short: boolean;
  inPrompt: boolean;
}

export const mastery = defineDataScore({
  id: 'mastery',
  version: 1,
  title: 'How well a fact is known',
  question: 'trust_data',
  subject: 'fact',
  unit: 'share',
  higherMeans: null,
  formula: 'completions that name the object or an alias / completions of all templates',
  source: '60 Data Points are Sufficient to Fine-Tune LLMs for QA, arXiv 2409.15825, formula in 2509.16596',
  status: 'published',
  options,
  tokens: true,
  needs: () => ({}),
  facts: ({ templates, by, samples, temperature, max_new_tokens, seed }) => ({
    templates,
    completions:
      by === 'probability'
        ? null
        : { samples: temperature === 0 ? 1 : samples, temperature, maxNewTokens: max_new_tokens, seed },
  }),
  open: ({ by, match, temperature, templates }) => {
    const facts: Known[] = [];
    return {
      rows({ known = [] }) {
        for (const fact of known) facts.push(seen(fact, match));
      },
      numbers() {
        const sampled = by === 'samples';
        const surrogates = facts.map(({ surrogate }) => surrogate);
        const shares = facts.map(({ hits, trials }) => (trials === 0 ? NaN : hits / trials));
        const levels = sampled ? shares.map(levelOf) : surrogates.map(surrogateLevelOf);
        const intervals = facts.map(({ hits, trials }) => (sampled ? wilsonInterval(hits, trials, LEVEL) : null));
        return {
          values: orNull(sampled ? shares : surrogates),
          ...(sampled ? { intervals, level: LEVEL } : {}),
          parts: {
            level: levels,
            ...(sampled
              ? {
                  probability: surrogates,
                  'level by probability': surrogates.map(surrogateLevelOf),
                  hits: facts.map(({ hits }) => hits),
                  completions: facts.map(({ trials }) => trials),
                }
              : {}),
          },
          groups: facts.map(({ relation }) => relation),
          marks: factLevels.flatMap((level) =>
            mark(
              rowsWhere(facts.length, (row) => levels[row] === level),
              levelWords(level),
              false,
            ),
          ),
          notes: [
            ...(sampled
              ? sampledNotes(facts, { shares, surrogates, intervals, temperature })
              : [
                  'the levels are those of the exact probability that the object follows at once, a formula of ours: lower than what completions of 32 tokens would name, and with level 0 below 1/420',
                ]),
            ...(templates === ''
              ? ["the task's prompt is the one template; the paper has 21 for each relation (option templates)"]
              : []),
            ...trapNotes(facts, match),
          ],
        };
      },
    };
  },
});

const levelWords = (level: number): string =>
  level === 0 ? 'level 0: never named' : `level ${level}: named in more than ${level - 1}/4 and up to ${level}/4`;

function seen(fact: FactSeen, match: MatchId): Known {
  const completions = (fact.completions ?? []).flat();
  return {
    relation: fact.relation,
    hits: completions.filter((text) => names(text, fact.answers, match)).length,
    trials: completions.length,
    surrogate: surrogateOf(fact),
    nested: idle(fact.answers, match),
    short: match === 'contains' && fact.answers.some((answer) => [...folded(answer)].length <= SHORT),
    inPrompt: fact.prompts.some((prompt) => names(prompt, fact.answers, match)),
  };
}

function sampledNotes(
  facts: readonly Known[],
  {
    shares,
    surrogates,
    intervals,
    temperature,
  }: {
    shares: readonly number[];
    surrogates: readonly number[];
    intervals: readonly (Interval | null)[];
    temperature: number;
  },
): string[] {
  const certain = intervals.filter((one) => one !== null && levelOf(one[0]) === levelOf(one[1])).length;
  const same = facts.filter((_, row) => levelOf(nth(shares, row)) === surrogateLevelOf(nth(surrogates, row))).length;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const rank = facts.length < 3 ? null : spearman([...shares], [...surrogates]);
  const of =
    temperature === 0
      ? 'at temperature 0 a template has one completion: intervals are those of other templates, if these were drawn from many'
      : 'intervals (Wilson, 95 %) are those of other completions of the same templates';
  return [
    `${of}; for ${certain} of ${facts.length} facts they lie within one level, more samples would tell the others`,
    `the exact probability that the object follows at once (ours) is ${mean(surrogates).toFixed(3)} on average, the share of completions that name it ${mean(shares).toFixed(3)}; the same level for ${same} of ${facts.length} facts${rank === null ? '' : `, rank correlation ${rank.toFixed(2)}`}`,
  ];
}

/** Answers by which a fact looks better known than it is, or that do nothing. */
function trapNotes(facts: readonly Known[], match: MatchId): string[] {
  const count = (is: (fact: Known) => boolean) => facts.filter(is).length;
  const nested = facts.find((fact) => fact.nested.length > 0);
  const [inPrompt, short] = [count((fact) => fact.inPrompt), count((fact) => fact.short)];
  return [
    ...(nested
      ? [
          `in ${count((fact) => fact.nested.length > 0)} of ${facts.length} facts an answer has another one as its part, such as ${JSON.stringify(nested.nested[0])}: the shorter one decides${match === 'words' ? '' : ', also within other words (match: words does not count these)'}`,
        ]
      : []),
    ...(short > 0
      ? [
          `in ${short} of ${facts.length} facts an answer has at most ${SHORT} characters, which stand within other words: match: words`,
        ]
      : []),
    ...(inPrompt > 0
      ? [
          `in ${inPrompt} of ${facts.length} facts an answer stands in the prompt: completions that repeat it count as known`,
        ]
      : []),
  ];
}
