/**
 * How much the clusters of a layer's vectors say of a label: mini-batch k-means at each depth, then
 *
 *   I(cluster; label) / H(label),   0 = nothing, 1 = the cluster names the label
 *
 * More clusters say more of any label, of a shuffled one too: the mean over shuffled labels stands beside each value as
 * its chance level, and p is the share of shuffles that say as much. Clusters know nothing of the labels, so nothing is
 * held out.
 */
import { Random } from '../random/random.ts';
import type { Interval } from '../statistics/intervals.ts';
import { jackknifeInterval } from '../statistics/jackknife.ts';
import { miniBatchKMeans, nearestCentres } from '../statistics/miniBatchKMeans.ts';
import { entropy, mutualInformation } from '../statistics/mutualInformation.ts';
import { defineScore } from './types.ts';
import { spanStates, viewAsk, viewOptions } from './viewOptions.ts';
import type { View } from './views.ts';
import { nth } from '../lists/nth.ts';
import { rowsAt } from '../statistics/rows.ts';
import { entry } from '../lists/entry.ts';

const LEVEL = 0.9;
/** Texts are dealt to so many groups for the interval. */
const GROUPS = 20;
/** Numbers become so many classes with equally many vectors. */
const BINS = 10;

export const clusterInformation = defineScore({
  id: 'cluster_information',
  version: 1,
  title: 'Label information of clusters',
  question: 'find_information',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'I(cluster; label) / H(label) for mini-batch k-means clusters of the output of the layer',
  source: 'Pasad et al., arXiv 2107.04734 and 2211.03929',
  status: 'published',
  options: {
    view: {
      type: 'choice',
      default: 'label',
      choices: ['label', 'position', 'token_frequency'],
      words:
        'What the clusters are compared with: a column of labels, the place of the token in its text, or how often the token occurs in the texts; numbers are cut into 10 classes of equal size.',
    },
    clusters: { type: 'number', default: 50, least: 2, most: 2000, whole: true, words: 'Clusters.' },
    permutations: {
      type: 'number',
      default: 200,
      least: 20,
      most: 10000,
      whole: true,
      words: 'Shuffles of the labels for the chance level.',
    },
    ...viewOptions,
  },
  needs: () => ({ states: spanStates() }),
  viewed: ({ view, ...options }) => viewAsk(view as 'label', options),
  score: () => {
    throw new Error('clusters are fitted');
  },

  async fitted({ states: observed }, { clusters, permutations, seed }, { model, view }) {
    const states = entry(observed, 'states');
    const { of, names } = classesOf(view!);
    const n = of.length;
    const all = Array.from({ length: n }, (_, i) => i);
    const sizes = { classesB: names.length };
    const whole = entropy(of, names.length);
    const shuffler = new Random(seed, 'shuffled labels');
    const shuffled = Array.from({ length: permutations }, () =>
      Int32Array.from(shuffler.permutation(n), (from) => nth(of, from)),
    );
    const group = groupsOf(view!.text);
    const depths: { value: number; chance: number; p: number; without: number[]; used: number }[] = [];
    for (let depth = 0; depth <= model.layers; depth++) {
      const rows = rowsAt(states.data, depth, n, model.hidden);
      const centres = miniBatchKMeans(rows, { clusters, random: new Random(seed, `clusters ${depth}`) });
      const cluster = nearestCentres(centres, rows, all);
      const information = (labels: ArrayLike<number>) =>
        mutualInformation(cluster, labels, { classesA: centres.count, ...sizes }) / whole;
      const value = information(of);
      const chances = shuffled.map(information);
      depths.push({
        value,
        chance: chances.reduce((a, b) => a + b, 0) / permutations,
        p: (1 + chances.filter((chance) => chance >= value).length) / (1 + permutations),
        without: group.map((left) => {
          const [own, labels] = [left.map((i) => nth(cluster, i)), left.map((i) => nth(of, i))];
          const here = entropy(labels, names.length);
          return here > 0 ? mutualInformation(own, labels, { classesA: centres.count, ...sizes }) / here : 0;
        }),
        used: new Set(cluster).size,
      });
      // A turn of the loop, in which a cancel can arrive.
      await new Promise((turn) => setImmediate(turn));
    }
    const layers = depths.slice(1);
    const fewest = Math.min(...layers.map(({ used }) => used));
    return {
      values: layers.map(({ value }) => value),
      parts: { 'in nats': layers.map(({ value }) => value * whole), clusters: layers.map(({ used }) => used) },
      intervals: layers.map(({ value, without }) => around(value, jackknifeInterval(value, without, LEVEL))),
      level: LEVEL,
      p: layers.map(({ p }) => p),
      reference: { value: layers.map(({ chance }) => chance), words: 'the same clusters with shuffled labels' },
      notes: [
        `${view!.words}; H(label) ${whole.toFixed(3)} nats; before the first layer ${nth(depths, 0).value.toFixed(3)}, by chance ${nth(depths, 0).chance.toFixed(3)}.`,
        `Intervals leave out one of ${group.length} groups of texts at a time (jackknife), with the clusters as they are.`,
        ...(fewest < clusters / 2
          ? [
              `As few as ${fewest} of ${clusters} clusters have vectors: few directions may hold nearly all the variance.`,
            ]
          : []),
        ...(n < 5 * clusters
          ? [`${n} vectors for ${clusters} clusters: much of the information is chance; compare with the reference.`]
          : []),
      ],
    };
  },
});

/** An interval without width may miss its value by a rounding error. */
function around(value: number, interval: Interval | null): Interval | null {
  return interval && [Math.min(value, interval[0]), Math.max(value, interval[1])];
}

/** Numbers are cut into classes of equal size; equal numbers stay together. */
function classesOf({ classes, numbers }: View): { of: Int32Array; names: readonly string[] } {
  if (classes) return classes;
  const sorted = Float64Array.from(numbers!).sort();
  const cuts = [
    ...new Set(Array.from({ length: BINS - 1 }, (_, k) => nth(sorted, Math.floor(((k + 1) * sorted.length) / BINS)))),
  ];
  const of = Int32Array.from(numbers!, (value) => cuts.filter((cut) => value >= cut).length);
  const used = [...new Set(of)].sort((a, b) => a - b);
  return { of: of.map((k) => used.indexOf(k)), names: used.map(String) };
}

/** For each group of texts the vectors of all the others. */
function groupsOf(text: Int32Array): number[][] {
  const texts = [...new Set(text)];
  const count = Math.min(GROUPS, texts.length);
  const place = new Map(texts.map((own, i) => [own, i % count]));
  return Array.from({ length: count }, (_, g) =>
    Array.from(text, (_, i) => i).filter((i) => place.get(nth(text, i)) !== g),
  );
}
