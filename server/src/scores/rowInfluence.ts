/**
 * Influence of the rows on the validation samples of their task, over the layers, from the result beside which the
 * scores stand: the mean, the sum of ranks, or the votes against the lowest rows of each layer
 * (`estimators/crossLayer.ts`).
 */
import { defineDataScore } from './dataTypes.ts';
import type { DataScore, RowInfluence } from './dataTypes.ts';

const options = {
  task: { type: 'text', default: '', words: 'Task of the result; empty: the first one.' },
} as const;

function of(id: string, which: keyof RowInfluence, title: string, formula: string, source: string): DataScore {
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
    influence: true,
    needs: () => ({}),
    open: () => ({
      rows: () => undefined,
      numbers: ({ influence }) => {
        const values = Array.from(influence![which]);
        const harmful = values.flatMap((value, row) => (which === 'mean' && value < 0 ? [row] : []));
        return {
          values,
          ...(harmful.length > 0 ? { marks: [{ at: harmful, words: 'harms the validation samples' }] } : {}),
          notes: [],
        };
      },
    }),
  });
}

const LAYERIF = 'LayerIF, arXiv 2505.23811';
const ACROSS = 'First is Not Really Better Than Last, arXiv 2511.04715';

export const influence = of(
  'influence',
  'mean',
  'Influence',
  'mean over the layers of the influence of the row',
  LAYERIF,
);
export const influenceRank = of(
  'influence_rank',
  'rank',
  'Influence, sum of ranks',
  'sum over the layers of the number of rows with less influence',
  ACROSS,
);
export const influenceVote = of(
  'influence_vote',
  'vote',
  'Influence, votes against the lowest',
  'minus the sum over the layers of max(k - rank, 0), k = 30 % of the rows',
  ACROSS,
);
