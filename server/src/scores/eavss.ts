/**
 * EAVSS: how differently a layer behaves on hallucinated and on truthful answers. HSAV is the absolute difference of
 * the mean activation variance (AV of AVSS) between the two kinds, HSS that of the sparsity (AS); EAVSS is the share of
 * a layer in the sum of HSAV over the layers plus its share in that of HSS. Only the names could be read in the source;
 * the formulas are ours. Statistics are over equally many tokens of the answers alone.
 *
 * Every layer gets some share, so the value alone says nothing: labels are shuffled, within a question where it has
 * answers of both kinds, and a layer is prone to hallucination where its share is larger than that leads to.
 */
import { PRONE_MARK } from '../../../protocol/scores.ts';
import type { Tensors } from '../../../protocol/scores.ts';
import { Random } from '../random/random.ts';
import { resample } from '../statistics/bootstrap.ts';
import { benjaminiHochberg } from '../statistics/falseDiscovery.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { sparsityOptions } from './avss.ts';
import { questionsOf } from './equalTokens.ts';
import { allTexts } from './drawnTexts.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import type { Labels } from './types.ts';
import { nth } from '../lists/nth.ts';
import { kindSums } from '../statistics/kindSums.ts';
import { entry } from '../lists/entry.ts';

/** `Labels.of` of a hallucinated answer; 0 is truthful. */
export const HALLUCINATED = 1;
const SIGNIFICANT = 0.05;
/** Of all layers that are called prone. */
const QUARTER = 0.25;
const LEVEL = 0.9;
const REPLICATES = 200;
/** Differences of shares below this are rounding. */
const TOLERANCE = 1e-12;
/** Fewer answers of a kind seldom tell anything. */
const ENOUGH = 100;

export const eavss = defineScore({
  id: 'eavss',
  version: 1,
  title: 'EAVSS, activations on hallucinated and truthful answers',
  question: 'find_hallucination',
  subject: 'layer',
  unit: '',
  higherMeans: null,
  formula: 'share of |AV(hallucinated) - AV(truthful)| plus share of |AS(hallucinated) - AS(truthful)|',
  source: 'names after EAVSS, arXiv 2411.10069; formulas unconfirmed',
  status: 'ours',
  labelled: 'answers',
  options: {
    ...sparsityOptions,
    permutations: {
      type: 'number',
      default: 1000,
      least: 99,
      most: 100000,
      whole: true,
      words: 'How often labels are shuffled; no p-value is below 1 / (permutations + 1).',
    },
    seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of the shuffled labels.' },
  },
  needs: ({ epsilon, threshold }) => ({
    moments: { of: 'hidden_moments', options: { epsilon, threshold, skip_first_token: false, counted: true } },
  }),
  score: () => {
    throw new Error('EAVSS looks at labels');
  },
  drawn: ({ moments }, _options, { labels }) => {
    const layers = sums(moments);
    return (texts) => sharesOf(layers, labels!.of, texts).eavss;
  },

  // eslint-disable-next-line @typescript-eslint/require-await -- what needs labels is awaited
  async fitted({ moments }, { permutations, seed }, { model, random, labels }) {
    const { of, groups } = labels!;
    const layers = sums(moments);
    const texts = allTexts(of.length);
    const seen = sharesOf(layers, of, texts);
    const questions = questionsOf(of, groups);
    const shuffled = tested(layers, of, questions, { permutations, random: new Random(seed, 'permutations'), seen });
    const adjusted = benjaminiHochberg(shuffled.p.eavss);
    const order = allTexts(model.layers)
      .filter((layer) => (adjusted[layer] ?? 1) < SIGNIFICANT)
      .sort((a, b) => seen.eavss[b]! - seen.eavss[a]!);
    const prone = order.slice(0, Math.max(1, Math.floor(QUARTER * model.layers))).sort((a, b) => a - b);
    const replicates = Array.from({ length: REPLICATES }, () => {
      const drawn = Array.from(resample(questions.length, random)).flatMap((q) => nth(questions, q));
      return sharesOf(layers, of, drawn).eavss;
    });
    const without = allTexts(model.layers).filter((layer) => seen.eavss[layer] === null);
    const counts = [0, 1].map((kind) => texts.filter((i) => of[i] === kind).length);
    return {
      values: seen.eavss,
      parts: {
        'AV, hallucinated - truthful': seen.variance,
        'AS, hallucinated - truthful': seen.sparsity,
        HSAV: seen.variance.map(absolute),
        HSS: seen.sparsity.map(absolute),
        'p, Benjamini-Hochberg': adjusted,
        'p of HSAV': shuffled.p.variance,
        'p of HSS': shuffled.p.sparsity,
      },
      intervals: seen.eavss.map((value, layer) =>
        value === null
          ? null
          : percentileInterval(
              replicates.map((shares) => nth(shares, layer)),
              LEVEL,
            ),
      ),
      level: LEVEL,
      p: shuffled.p.eavss,
      reference: { value: shuffled.mean, words: 'mean over shuffled labels' },
      ...(prone.length > 0
        ? {
            marks: [
              {
                at: prone,
                words: `${PRONE_MARK}: highest quarter of the layers among those with an adjusted p below 0.05`,
              },
            ],
          }
        : {}),
      notes: [
        `${counts[HALLUCINATED]} hallucinated and ${counts[0]} truthful answers; ${counted(questions, of)}`,
        ...(prone.length === 0
          ? ['No share of a layer is larger than shuffled labels make it (adjusted p below 0.05).']
          : []),
        ...(Math.min(...counts) < ENOUGH
          ? [`Fewer than ${ENOUGH} answers of a kind: small differences are not found.`]
          : []),
        'p is that of the share; where all layers differ alike no share stands out, so p of HSAV and HSS stand beside it. Differences are absolute, so on drawn answers small ones are larger: an interval may lie above its value.',
        ...(without.length > 0
          ? [`${layerWords(without)}: no activation is below epsilon in either kind, so the value is undefined`]
          : []),
      ],
    };
  },
});

const absolute = (value: number | null) => (value === null ? null : Math.abs(value));

/** By layer and text. */
interface Sums {
  variance: ArrayLike<number>;
  below: ArrayLike<number>;
  entries: ArrayLike<number>;
  /** Whether any activation of any text is below epsilon. */
  measured: boolean;
}

function sums(moments: Tensors): Sums[] {
  const of = (name: string, layer: number) => row(entry(moments, name), layer);
  return Array.from({ length: nth(entry(moments, 'variance').shape, 0) }, (_, layer) => {
    const below = of('below', layer);
    return { variance: of('variance', layer), below, entries: of('entries', layer), measured: total(below) > 0 };
  });
}

interface Shares {
  /** Hallucinated - truthful. */
  variance: (number | null)[];
  sparsity: (number | null)[];
  eavss: (number | null)[];
}

/** @param texts with repeats @param of the kind of each text */
function sharesOf(layers: readonly Sums[], of: ArrayLike<number>, texts: ArrayLike<number>): Shares {
  const variance: Shares['variance'] = [];
  const sparsity: Shares['sparsity'] = [];
  for (const own of layers) {
    const { count, variance: sums, below, entries } = kindSums(own, of, texts);
    const both = count[0] > 0 && count[1] > 0;
    variance.push(both ? sums[1] / count[1] - sums[0] / count[0] : null);
    sparsity.push(both && own.measured ? below[1] / entries[1] - below[0] / entries[0] : null);
  }
  const there = (value: number | null, layer: number) => value !== null && sparsity[layer] !== null;
  const whole = (values: Shares['variance']) =>
    values.reduce<number>((sum, value, layer) => sum + (there(value, layer) ? Math.abs(value!) : 0), 0);
  const [all, small] = [whole(variance), whole(sparsity)];
  const share = (value: number | null, sum: number) => (sum > 0 ? Math.abs(value!) / sum : 0);
  return {
    variance,
    sparsity,
    eavss: variance.map((value, layer) =>
      there(value, layer) ? share(value, all) + share(nth(sparsity, layer), small) : null,
    ),
  };
}

/** p-values by layer, and the mean of EAVSS, over labels that are shuffled within their strata. */
function tested(
  layers: readonly Sums[],
  of: Labels['of'],
  questions: readonly number[][],
  { permutations, random, seen }: { permutations: number; random: Random; seen: Shares },
): { p: Record<keyof Shares, (number | null)[]>; mean: (number | null)[] } {
  const mixed = questions.filter((texts) => texts.some((i) => of[i] !== of[nth(texts, 0)]));
  const strata = [...mixed, questions.filter((texts) => !mixed.includes(texts)).flat()];
  const texts = allTexts(of.length);
  const names = ['variance', 'sparsity', 'eavss'] as const;
  const none = () => layers.map(() => 0);
  const reached = { variance: none(), sparsity: none(), eavss: none() };
  const sum = none();
  const labels = Int32Array.from(of);
  for (let k = 0; k < permutations; k++) {
    for (const stratum of strata) {
      const order = random.permutation(stratum.length);
      stratum.forEach((i, at) => (labels[i] = nth(of, nth(stratum, nth(order, at)))));
    }
    const found = sharesOf(layers, labels, texts);
    for (let layer = 0; layer < layers.length; layer++) {
      sum[layer] = nth(sum, layer) + (found.eavss[layer] ?? 0);
      for (const name of names) {
        const [own, value] = [nth(found[name], layer), nth(seen[name], layer)];
        if (own === null || value === null) continue;
        if (Math.abs(own) >= Math.abs(value) * (1 - TOLERANCE)) reached[name][layer] = nth(reached[name], layer) + 1;
      }
    }
  }
  const p = (name: keyof Shares) =>
    seen[name].map((value, layer) => (value === null ? null : (1 + nth(reached[name], layer)) / (1 + permutations)));
  return {
    p: { variance: p('variance'), sparsity: p('sparsity'), eavss: p('eavss') },
    mean: seen.eavss.map((value, layer) => (value === null ? null : nth(sum, layer) / permutations)),
  };
}

function counted(questions: readonly number[][], of: ArrayLike<number>): string {
  const mixed = questions.filter((texts) => texts.some((i) => of[i] !== of[nth(texts, 0)])).length;
  if (mixed === 0) return 'no question has both, so labels are shuffled among all answers.';
  return mixed === questions.length
    ? `labels are shuffled within each of the ${mixed} questions.`
    : `labels are shuffled within the ${mixed} questions that have both, and among the answers to the others.`;
}
