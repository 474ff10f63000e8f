/**
 * The rows of IFD's pre-experience stage (From Quantity to Quality): a model is trained briefly on few rows of all
 * kinds, and IFD is scored by that model, so that it knows how to follow instructions at all. The prompts' vectors are
 * clustered by k-means; of each cluster the rows whose prompts are of middling perplexity take part, evenly spaced in
 * the order of the dataset. A cluster with fewer rows than are asked for gives all of them, as the published script
 * does.
 */
import type { Random } from '../random/random.ts';
import { kMeans } from '../statistics/kMeans.ts';
import { quantile } from '../statistics/intervals.ts';
import type { Rows } from '../statistics/classifier.ts';
import { nth } from '../lists/nth.ts';
import { defineDataScore, mark, orNull, rowsWhere, scorerOption } from './dataTypes.ts';
import type { TextForm } from './dataTypes.ts';
import { meanLosses } from './rowLosses.ts';
import { layerOption, RowVectors } from './rowVectors.ts';

/** More rows than this are clustered from one start in place of ten, which would take minutes. */
const ROWS_OF_ALL_STARTS = 2000;

const promptAlone: TextForm = { form: 'prompt', prefix: '' };

export interface Middling {
  /** How many of each cluster. */
  perCluster: number;
  /** Percentiles of the perplexities of a cluster between which its rows take part, 0 .. 100. */
  low: number;
  high: number;
}

/** Rows that take part, ascending. @param labels cluster of each row, from 0; -1 for rows of none */
export function middlingRows(
  labels: ArrayLike<number>,
  perplexities: ArrayLike<number>,
  { perCluster, low, high }: Middling,
): number[] {
  const clusters = new Map<number, number[]>();
  Array.from(labels).forEach((label, row) => {
    if (label >= 0) clusters.set(label, [...(clusters.get(label) ?? []), row]);
  });
  const chosen = [...clusters.values()].flatMap((members) => {
    if (members.length < perCluster) return members;
    const of = members.map((row) => nth(perplexities, row));
    const sorted = Float64Array.from(of).sort();
    const [least, most] = [quantile(sorted, low / 100), quantile(sorted, high / 100)];
    const middle = members.filter((_, i) => nth(of, i) >= least && nth(of, i) <= most);
    const step = Math.max(1, Math.floor(middle.length / perCluster));
    return middle.filter((_, i) => i % step === 0).slice(0, perCluster);
  });
  return chosen.sort((a, b) => a - b);
}

/** Clusters of the rows that have a vector; -1 for the others. */
function clustered(vectors: RowVectors, wanted: number, random: Random): { labels: Int32Array; clusters: number } {
  const { known, width } = vectors;
  const members = rowsWhere(known.length, (row) => nth(known, row));
  const all = vectors.all();
  const data = new Float64Array(members.length * width);
  members.forEach((row, i) => data.set(all.subarray(row * width, (row + 1) * width), i * width));
  const different = new Set(members.map((_, i) => data.subarray(i * width, (i + 1) * width).join())).size;
  const clusters = Math.min(wanted, different);
  const labels = new Int32Array(known.length).fill(-1);
  if (clusters === 0) return { labels, clusters };
  const rows: Rows = { data, count: members.length, width };
  const found = kMeans(rows, clusters, random, members.length > ROWS_OF_ALL_STARTS ? 1 : undefined);
  members.forEach((row, i) => (labels[row] = nth(found.labels, i)));
  return { labels, clusters };
}

export const preExperience = defineDataScore({
  id: 'pre_experience',
  version: 1,
  title: 'Rows for a brief training before IFD',
  question: 'trust_data',
  subject: 'sample',
  unit: '',
  higherMeans: 'keep',
  formula: '1 for a row that takes part: of middling perplexity within its cluster of prompts, evenly spaced; else 0',
  source: 'From Quantity to Quality, arXiv 2308.12032',
  status: 'ours',
  options: {
    scorer: scorerOption,
    layer: layerOption,
    clusters: {
      type: 'number',
      default: 100,
      least: 1,
      whole: true,
      words: 'Of prompts, by k-means; at most as many as there are different prompts.',
    },
    per_cluster: { type: 'number', default: 10, least: 1, whole: true, words: 'Rows of each cluster.' },
    low: {
      type: 'number',
      default: 25,
      least: 0,
      most: 100,
      words: 'Percentile of the perplexities in a cluster, from which rows take part.',
    },
    high: { type: 'number', default: 75, least: 0, most: 100, words: 'The same, up to which they do.' },
  },
  tokens: true,
  needs: ({ layer }) => ({
    states: { of: 'hidden_pooled', options: { layers: [layer] }, text: promptAlone },
    prompt: { of: 'token_log_probabilities', options: {}, text: promptAlone },
  }),
  open: ({ clusters: wanted, per_cluster: perCluster, low, high }) => {
    const vectors = new RowVectors();
    const perplexities: number[] = [];
    return {
      rows({ observed }) {
        vectors.add(observed.states, 'mean');
        for (const loss of meanLosses(observed.prompt)) perplexities.push(Math.exp(loss));
      },
      numbers({ random }) {
        const { labels, clusters } = clustered(vectors, wanted, random);
        const chosen = new Set(middlingRows(labels, perplexities, { perCluster, low, high }));
        const rows = perplexities.length;
        const without = rowsWhere(rows, (row) => nth(labels, row) < 0);
        return {
          values: Array.from({ length: rows }, (_, row) => (nth(labels, row) < 0 ? null : Number(chosen.has(row)))),
          parts: {
            cluster: Array.from(labels, (label) => (label < 0 ? null : label)),
            'perplexity of the prompt': orNull(perplexities),
          },
          marks: [
            ...mark(without, 'no prompt of two tokens, or no answer', true),
            ...mark(
              rowsWhere(rows, (row) => nth(labels, row) >= 0 && !chosen.has(row)),
              'takes no part',
              true,
            ),
          ],
          notes: [
            `${chosen.size} of ${rows} rows take part, of ${clusters} clusters: write them by layerif select --by pre_experience --keep 100%, train on them, and score IFD with the trained adapter (model.adapter)`,
            ...(clusters < wanted
              ? [`${wanted} clusters were asked for, there are ${clusters} different prompts`]
              : []),
            'vectors are those behind the layer, before the last norm, which the published script takes behind it',
          ],
        };
      },
    };
  },
});
