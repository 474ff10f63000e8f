/**
 * How alike the hidden states of a row are to those of the validation samples: mean over these of the cosine, behind
 * one layer. Rows like the task's own help it (LESS and RDS+ take such a mean as a baseline).
 */
import { defineDataScore, mark, rowsWhere } from './dataTypes.ts';
import { encoderOption, layerOption, poolOption, rowStates, UnitVectors } from './rowVectors.ts';
import { addTo, dotWith } from '../linear/vectors.ts';

export const similarity = defineDataScore({
  id: 'similarity',
  version: 1,
  title: 'Similarity of hidden states to the validation samples',
  question: 'trust_data',
  subject: 'sample',
  unit: '',
  higherMeans: 'keep',
  formula: 'mean over the validation samples v of cos(state of the row, state of v)',
  source: 'a control',
  status: 'ours',
  options: { scorer: encoderOption, layer: layerOption, pool: poolOption },
  tokens: true,
  targets: true,
  needs: ({ layer }) => ({ states: rowStates(layer) }),
  open: ({ pool }) => {
    const targets = new UnitVectors();
    const rows = new UnitVectors();
    return {
      targets: ({ observed }) => targets.add(observed.states, pool),
      rows: ({ observed }) => rows.add(observed.states, pool),
      numbers() {
        const { width } = rows;
        const wanted = targets.all();
        const count = targets.known.filter(Boolean).length;
        // The mean of cosines with unit vectors is the product with their mean.
        const mean = new Float64Array(width);
        for (let at = 0; at < wanted.length; at += width)
          addTo(
            mean,
            Float64Array.from(wanted.subarray(at, at + width), (value) => value / Math.max(1, count)),
          );
        const all = rows.all();
        const values = rows.known.map((known, row) => {
          if (!known || count === 0) return null;
          return dotWith(all, row * width, mean);
        });
        return {
          values,
          marks: mark(
            rowsWhere(values.length, (row) => values[row] === null),
            'no text',
            true,
          ),
          notes: [],
        };
      },
    };
  },
});
