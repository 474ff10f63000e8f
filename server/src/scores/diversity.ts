/**
 * Rows that together stand for all of them (Superfiltering.D): the greedy order of facility location over vectors of
 * hidden states. With `among` only the highest rows of another score take part, as in the paper: the highest fifth by
 * IFD, of these a tenth by facility location.
 *
 * The published code embeds with MiniLM; here the vectors are the model's own, or those of another model (`scorer`).
 * Similarity of vectors of length 1 is that of submodlib: exp(-distance / width), or the cosine.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { defineDataScore, mark, rowsWhere } from './dataTypes.ts';
import { facilityLocation } from './facilityLocation.ts';
import { encoderOption, layerOption, poolOption, rowStates, UnitVectors } from './rowVectors.ts';
import { nth } from '../lists/nth.ts';
import { dotAt } from '../linear/vectors.ts';

/** Rows that are ordered where nothing is said: a tenth, and of few rows more. */
const FEWEST = 200;

export const diversity = defineDataScore({
  id: 'diversity',
  version: 1,
  title: 'Diversity, greedy facility location',
  question: 'trust_data',
  subject: 'sample',
  unit: '',
  higherMeans: 'keep',
  formula: 'gain of the row in F(A) = sum over rows i of max over j in A of sim(i, j), when it is chosen',
  source: 'Superfiltering.D, arXiv 2402.00530',
  status: 'ours',
  options: {
    scorer: encoderOption,
    layer: layerOption,
    pool: poolOption,
    similarity: {
      type: 'choice',
      default: 'euclidean',
      choices: ['euclidean', 'cosine'],
      words: 'Of two vectors of length 1: exp(-distance / width), or their cosine.',
    },
    count: {
      type: 'number',
      default: 0,
      least: 0,
      whole: true,
      words: 'How many rows are put in order; 0 means a tenth, at least 200.',
    },
    among: {
      type: 'text',
      default: '',
      words: 'Another score of data_scores: only its highest rows take part; empty: all rows.',
    },
    share: { type: 'number', default: 0.2, above: 0, most: 1, words: 'With among: share of the rows that take part.' },
  },
  tokens: true,
  needs: ({ layer }) => ({ states: rowStates(layer) }),
  among: ({ among }) => among,
  open: ({ pool, similarity, count, among: name, share }) => {
    const vectors = new UnitVectors();
    return {
      rows: ({ observed }) => vectors.add(observed.states, pool),
      async numbers({ among, breathe }) {
        const { known, width } = vectors;
        const all = vectors.all();
        const members = taking(known, among, share);
        if (members.length === 0)
          throw new LayerifError('badRequest', `diversity: no row takes part${name ? ` (among ${name})` : ''}`);
        const like = (row: number, into: Float64Array): void => {
          const from = nth(members, row) * width;
          members.forEach((member, i) => {
            const product = dotAt(all, member * width, from, width);
            into[i] =
              similarity === 'cosine'
                ? product
                : Math.exp(-(member === members[row] ? 0 : Math.sqrt(Math.max(0, 2 - 2 * product))) / width);
          });
        };
        const budget = count === 0 ? Math.max(FEWEST, Math.ceil(known.length / 10)) : count;
        const { order, gains } = await facilityLocation(members.length, like, budget, breathe);
        const values: (number | null)[] = known.map(() => null);
        // Gains fall; equal ones keep their order by the place that they have.
        order.forEach((row, place) => (values[nth(members, row)] = nth(gains, place)));
        const place: (number | null)[] = known.map(() => null);
        order.forEach((row, i) => (place[nth(members, row)] = i + 1));
        return {
          values,
          parts: { place },
          marks: mark(
            rowsWhere(known.length, (row) => !known[row]),
            'no text',
            true,
          ),
          notes: [
            ...(order.length < known.length
              ? [`${order.length} of ${known.length} rows are in order; the others have no value`]
              : []),
            ...(name === '' ? [] : [`${members.length} rows take part, the highest by ${name}`]),
            'the published code takes vectors of MiniLM, here they are hidden states: the order is ours',
          ],
        };
      },
    };
  },
});

/** Rows with a vector; with `among` those of its highest values. */
function taking(known: readonly boolean[], among: readonly (number | null)[] | undefined, share: number): number[] {
  const rows = rowsWhere(known.length, (row) => nth(known, row));
  if (!among) return rows;
  const valued = rows.filter((row) => (among[row] ?? null) !== null);
  return valued
    .sort((a, b) => among[b]! - among[a]! || a - b)
    .slice(0, Math.ceil(share * known.length))
    .sort((a, b) => a - b);
}
