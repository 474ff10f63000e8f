/**
 * Canonical correlation of each depth with a view, cross-validated: vectors are dealt to ten folds, texts kept together
 * where there are enough; directions are fitted on eight folds for six regularisers, the best one on a ninth is
 * measured on the tenth, for three pairs of those. With nearly as many dimensions as vectors the fitted correlations
 * near 1 whatever the views are, so only those of unseen vectors count; views wider than `components` go onto so many
 * principal components first.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { Random } from '../random/random.ts';
import { resampleCounts } from '../statistics/bootstrap.ts';
import { directionsOf, evaluateDirections, momentsOf, reduced } from '../statistics/canonicalCorrelation.ts';
import { weightedCorrelation } from '../statistics/weightedCorrelation.ts';
import type { Measure } from '../statistics/weightedCorrelation.ts';
import { stratifiedFolds } from '../statistics/classification.ts';
import type { Rows } from '../statistics/classifier.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { rowsAt } from '../statistics/rows.ts';
import type { OptionRows, OptionValues, Score, ScoreNeed, ScoreNumbers } from './types.ts';
import { spanStates, viewAsk, viewOptions } from './viewOptions.ts';
import type { View } from './views.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
export const FOLDS = 10;
/** Which folds are dev and test. */
export const PAIRS: readonly (readonly [dev: number, test: number])[] = [
  [8, 9],
  [9, 0],
  [0, 1],
];
export const EPSILONS = [1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5];
/** Fewer rows in a test fold than this times the components would leave no room for a correlation. */
const ROWS_PER_COMPONENT = 2;

export const canonicalOptions = {
  view: {
    type: 'choice',
    default: 'input',
    choices: ['input', 'previous', 'last', 'label', 'position', 'token_frequency', 'tuned'],
    words:
      'What the output of a layer is compared with: the states before the first layer, the layer before it, the last layer, a column of labels (one-hot), the place of the token in its text, the logarithm of how often the token occurs in the texts, or the same layer of another model.',
  },
  tuned: {
    type: 'text',
    default: '',
    words:
      'For view tuned: folder, .gguf file or hub id of a second checkpoint with the same tokenizer and layers; empty compares the model with and without model.adapter.',
  },
  components: {
    type: 'number',
    default: 100,
    least: 1,
    most: 1024,
    whole: true,
    words:
      'Principal components that wider views are brought to; fewer where a fold has fewer than two vectors for each.',
  },
  ...viewOptions,
} as const satisfies OptionRows;

type Values = OptionValues<typeof canonicalOptions>;

/** What both scores of canonical correlation share. */
export const canonical = {
  question: 'find_information',
  subject: 'layer',
  unit: '',
  higherMeans: null,
  status: 'published',
  options: canonicalOptions,
  needs: ({ view, tuned }: Values): Record<string, ScoreNeed> => ({
    states: spanStates(),
    ...(view === 'tuned' ? { other: { ...spanStates('tuned'), options: { tuned } } } : {}),
  }),
  viewed: ({ view, ...options }: Values) =>
    viewAsk(view === 'label' || view === 'position' || view === 'token_frequency' ? view : 'states', options),
  score: () => {
    throw new Error('directions are fitted');
  },
} as const satisfies Partial<Score<typeof canonicalOptions>>;

/** One depth: mean over the pairs of folds, by measure. */
interface Depth {
  values: Record<Measure, { value: number; pairs: number[]; replicates: number[]; shuffled: number }>;
  /** Dimensions of both views and the share of the layer's variance that is left. */
  sizes: { own: number; other: number; share: number };
}

/** Both measures of the same observations and options are computed once. */
const known = new WeakMap<object, Map<string, Promise<Depth[]>>>();

export async function canonicalScore(
  measure: Measure,
  observed: Record<string, Tensors>,
  options: Values,
  { layers, view }: { layers: number; view: View },
): Promise<ScoreNumbers> {
  const states = entry(entry(observed, 'states'), 'states');
  const own = known.get(states) ?? new Map<string, Promise<Depth[]>>();
  known.set(states, own);
  const key = JSON.stringify([options, view.words]);
  const computed = own.get(key) ?? allDepths(observed, options, { layers, view });
  own.set(key, computed);
  const depths = await computed;
  const at = depths.slice(1).map(({ values }) => values[measure]);
  const { sizes } = nth(depths, depths.length - 1);
  const narrow = Math.min(...depths.map(({ sizes: { share } }) => share));
  return {
    values: at.map(({ value }) => value),
    parts: {
      'least of three pairs': at.map(({ pairs }) => Math.min(...pairs)),
      'most of three pairs': at.map(({ pairs }) => Math.max(...pairs)),
    },
    intervals: at.map(({ replicates }) => percentileInterval(replicates, LEVEL)),
    level: LEVEL,
    reference: { value: at.map(({ shuffled }) => shuffled), words: 'the same with the view in random order' },
    notes: [
      `${view.words}; ${sizes.own} dimensions of the layer and ${sizes.other} of the view${narrow < 1 ? `: the first principal components, with at least ${(100 * narrow).toFixed(1)} % of a layer's variance` : ''}.`,
      `Ten folds, ${view.text.length} vectors, on unseen vectors${
        // Against itself it is 1.
        options.view === 'input' || options.view === 'previous'
          ? ''
          : `; before the first layer ${nth(depths, 0).values[measure].value.toFixed(3)}`
      }.`,
      'Intervals draw the texts of the test folds again and do not fit again.',
    ],
  };
}

async function allDepths(
  observed: Record<string, Tensors>,
  { view: named, components, seed }: Values,
  { layers, view }: { layers: number; view: View },
): Promise<Depth[]> {
  const n = view.text.length;
  const folds = foldsOf(view, seed);
  const smallest = Math.min(...Array.from({ length: FOLDS }, (_, f) => folds.filter((fold) => fold === f).length));
  const limit = Math.max(1, Math.min(components, Math.floor(smallest / ROWS_PER_COMPONENT)));
  const at = (depth: number, of: 'states' | 'other' = 'states') => {
    const { data, shape } = entry(entry(observed, of), 'states');
    return reduced(rowsAt(data, depth, n, nth(shape, 2)), limit);
  };
  const kept = new Map<number, ReturnType<typeof at>>();
  const depth = (d: number) => {
    const made = kept.get(d) ?? at(d);
    kept.set(d, made);
    return made;
  };
  const fixed = viewRows(view, limit);
  const against = (d: number): Rows => {
    if (fixed) return fixed;
    if (named === 'input') return depth(0).rows;
    if (named === 'previous') return depth(Math.max(0, d - 1)).rows;
    if (named === 'last') return depth(layers).rows;
    return at(d, 'other').rows;
  };
  const order = Float64Array.from(new Random(seed, 'order of the view').permutation(n));
  const draws = drawsOf(view.text, folds, new Random(seed, 'texts of the test folds'));
  const depths: Depth[] = [];
  for (let d = 0; d <= layers; d++) {
    const { rows, share } = depth(d);
    const y = against(d);
    const turned: Rows = { ...y, data: new Float64Array(y.data.length) };
    order.forEach((from, i) => turned.data.set(y.data.subarray(from * y.width, (from + 1) * y.width), i * y.width));
    depths.push({
      values: crossValidated(rows, y, turned, folds, draws),
      sizes: { own: rows.width, other: y.width, share },
    });
    // What no later depth is compared with goes.
    for (const done of kept.keys()) if (done < d && !(named === 'input' && done === 0)) kept.delete(done);
    // A turn of the loop, in which a cancel can arrive.
    await new Promise((turn) => setImmediate(turn));
  }
  return depths;
}

/** One-hot without the last class, which the others tell, or one column of numbers; null for states. */
function viewRows({ classes, numbers, text }: View, limit: number): Rows | null {
  if (numbers) return { data: numbers, count: text.length, width: 1 };
  if (!classes) return null;
  const width = classes.names.length - 1;
  const data = new Float64Array(text.length * width);
  classes.of.forEach((k, i) => {
    if (k < width) data[i * width + k] = 1;
  });
  return reduced({ data, count: text.length, width }, limit).rows;
}

/** Texts stay together where there are at least ten; one vector a text is dealt by its class. */
export function foldsOf({ text, classes }: View, seed: number): Int32Array {
  const random = new Random(seed, 'folds');
  const texts = [...new Set(text)];
  if (texts.length === text.length && classes) return stratifiedFolds(classes.of, classes.names.length, FOLDS, random);
  if (texts.length < FOLDS) return stratifiedFolds(new Int32Array(text.length), 1, FOLDS, random);
  // Largest texts first, each to the fold with the fewest vectors.
  const sizes = new Map<number, number>();
  for (const own of text) sizes.set(own, (sizes.get(own) ?? 0) + 1);
  const filled = new Array<number>(FOLDS).fill(0);
  const fold = new Map<number, number>();
  const shuffled = random.permutation(texts.length).map((i) => nth(texts, i));
  for (const own of shuffled.sort((a, b) => sizes.get(b)! - sizes.get(a)!)) {
    const least = filled.indexOf(Math.min(...filled));
    fold.set(own, least);
    filled[least] = nth(filled, least) + sizes.get(own)!;
  }
  return Int32Array.from(text, (own) => fold.get(own)!);
}

/** For each pair of folds, how often each vector of the test fold is drawn in each replicate: whole texts are drawn. */
function drawsOf(text: Int32Array, folds: Int32Array, random: Random): Float64Array[][] {
  return PAIRS.map(([, test]) => {
    const rows = inFold(folds, (fold) => fold === test);
    const texts = [...new Set(rows.map((row) => nth(text, row)))];
    return Array.from({ length: REPLICATES }, () => {
      const counts = resampleCounts(texts.length, random);
      return Float64Array.from(rows, (row) => nth(counts, texts.indexOf(nth(text, row))));
    });
  });
}

const inFold = (folds: Int32Array, wanted: (fold: number) => boolean): number[] =>
  Array.from(folds, (_, i) => i).filter((i) => wanted(nth(folds, i)));

/** @param turned the view in random order, for the chance level */
export function crossValidated(
  x: Rows,
  y: Rows,
  turned: Rows,
  folds: Int32Array,
  draws: readonly Float64Array[][] = [],
): Depth['values'] {
  const pairs = PAIRS.map(([dev, test]) => {
    const train = inFold(folds, (fold) => fold !== dev && fold !== test);
    const tried = inFold(folds, (fold) => fold === dev);
    const measured = inFold(folds, (fold) => fold === test);
    const directions = directionsOf(momentsOf(x, y, train), EPSILONS);
    const onDev = directions.map((own) => evaluateDirections(own, x, y, tried));
    const chance = momentsOf(x, turned, train);
    const chosen = (measure: Measure) => {
      const scores = onDev.map((evaluated) => evaluated[measure]);
      const best = scores.indexOf(Math.max(...scores));
      return {
        own: evaluateDirections(nth(directions, best), x, y, measured),
        // By chance with the same regulariser: nothing is chosen on it.
        chance: evaluateDirections(nth(directionsOf(chance, [nth(EPSILONS, best)]), 0), x, turned, measured),
      };
    };
    return { pwcca: chosen('pwcca'), mean: chosen('mean') };
  });
  const result = (measure: Measure) => {
    const values = pairs.map((pair) => pair[measure].own[measure]);
    const replicates =
      draws.length === 0
        ? []
        : nth(draws, 0).map((_, r) =>
            meanOf(pairs.map((pair, p) => weightedCorrelation(pair[measure].own, nth(nth(draws, p), r), measure))),
          );
    return {
      value: meanOf(values),
      pairs: values,
      replicates,
      shuffled: meanOf(pairs.map((pair) => pair[measure].chance[measure])),
    };
  };
  return { pwcca: result('pwcca'), mean: result('mean') };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
