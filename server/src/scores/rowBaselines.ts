/** Scores that cost little and are hard to beat: whoever selects rows should look at these beside a clever score. */
import { defineDataScore, mark, orNull, rowsWhere, scorerOption } from './dataTypes.ts';
import { meanLosses, tokenLosses } from './rowLosses.ts';

/** Mean loss of the answer behind its prompt. */
export const rowLoss = defineDataScore({
  id: 'loss',
  version: 1,
  title: 'Loss of the answer',
  question: 'trust_data',
  subject: 'sample',
  unit: 'nats per token',
  higherMeans: 'keep',
  formula: 'mean over the tokens of the answer of -log P(token | prompt, answer so far)',
  source: 'a control',
  status: 'ours',
  options: { scorer: scorerOption },
  tokens: true,
  needs: () => ({ answered: tokenLosses('answered') }),
  open: () => {
    const losses: number[] = [];
    const empty: boolean[] = [];
    return {
      rows({ facts, observed }) {
        for (const { emptyAnswer } of facts) empty.push(emptyAnswer);
        for (const loss of meanLosses(observed.answered)) losses.push(loss);
      },
      numbers: () => ({
        values: orNull(losses),
        parts: { perplexity: orNull(losses.map(Math.exp)) },
        marks: mark(
          rowsWhere(losses.length, (row) => empty[row] || Number.isNaN(losses[row])),
          'no token of an answer',
          true,
        ),
        notes: [],
      }),
    };
  },
});

/** Number of tokens. */
export const rowLength = defineDataScore({
  id: 'length',
  version: 1,
  title: 'Length',
  question: 'trust_data',
  subject: 'sample',
  unit: 'tokens',
  higherMeans: 'keep',
  formula: 'tokens of the answer, of the prompt, or of both',
  source: 'a control',
  status: 'ours',
  options: {
    of: {
      type: 'choice',
      default: 'answer',
      choices: ['answer', 'prompt', 'both'],
      words: 'Whose tokens are counted.',
    },
  },
  tokens: true,
  needs: () => ({}),
  open: (options) => {
    const lengths: number[] = [];
    const of = {
      answer: (_prompt: number, answer: number) => answer,
      prompt: (prompt: number) => prompt,
      both: (prompt: number, answer: number) => prompt + answer,
    }[options.of];
    return {
      rows({ facts }) {
        for (const { prompt, answer } of facts) lengths.push(of(prompt, answer));
      },
      numbers: () => ({ values: lengths, notes: [] }),
    };
  },
});

/** Numbers drawn from [0, 1): what any selection is compared with. */
export const randomOrder = defineDataScore({
  id: 'random',
  version: 1,
  title: 'Random order',
  question: 'trust_data',
  subject: 'sample',
  unit: '',
  higherMeans: 'keep',
  formula: 'a uniform number for each row, by the seed of the experiment',
  source: 'a control',
  status: 'ours',
  options: {
    draw: { type: 'number', default: 0, least: 0, whole: true, words: 'Which draw: another number, another order.' },
  },
  needs: () => ({}),
  open: () => {
    let count = 0;
    return {
      rows({ facts }) {
        count += facts.length;
      },
      numbers: ({ random }) => ({ values: Array.from({ length: count }, () => random.uniform()), notes: [] }),
    };
  },
});
