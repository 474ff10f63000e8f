/** Options that every score with a view has, and what it needs for them. */
import type { OptionRows, ScoreNeed } from './types.ts';
import type { ViewAsk } from './views.ts';

export const viewOptions = {
  vectors: {
    type: 'number',
    default: 2000,
    least: 60,
    most: 65536,
    whole: true,
    words: 'Vectors that are drawn, of tokens or of labelled stretches; all where there are fewer.',
  },
  seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of everything that is drawn.' },
  pool: {
    type: 'choice',
    default: 'last',
    choices: ['last', 'mean'],
    words: 'The vector of a labelled text, word or stretch: of its last token, or the mean over its tokens.',
  },
  skip_first_token: {
    type: 'flag',
    default: true,
    words: 'Leave out the first token of each text, on which some models have massive activations.',
  },
} as const satisfies OptionRows;

type ViewOptionValues = { vectors: number; seed: number; skip_first_token: boolean; pool: string };

export function viewAsk(view: ViewAsk['view'], { vectors, seed, skip_first_token, pool }: ViewOptionValues): ViewAsk {
  return { view, vectors, seed, skipFirstToken: skip_first_token, pool: pool === 'mean' ? 'mean' : 'last' };
}

/** States of the vectors; `run` adds how many there are. */
export const spanStates = (model: ScoreNeed['model'] = 'own'): ScoreNeed => ({ of: 'span_states', options: {}, model });
