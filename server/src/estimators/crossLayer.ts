/**
 * One value per training sample from the influences of many layers (Vitel & Chhabra, arXiv 2511.04715, "First is Not
 * Really Better Than Last"). Layers differ in scale, so that a few extreme numbers rule a mean; ranks and votes do not
 * know scales.
 *
 *     mean   1/L Σ_l B_l
 *     rank   Σ_{j,l} |{ i' : B_l[i', j] < B_l[i, j] }|            how many samples have less influence
 *     vote   −Σ_{j,l} max(k − r, 0), r = rank from 0 of the lowest  only the k lowest of each ranking count, the lowest most
 *
 * Rankings are made for every validation sample j of every layer l. The paper leaves validation samples out that the
 * model predicts wrongly; whoever knows them passes the others as `validation`. Equal values: the count of strictly
 * lower ones (rank), and the order of the samples (vote), which is ours. One row per rule.
 */

import { lowerCounts } from '../../../protocol/lowerCounts.ts';

export type CrossLayerId = 'mean' | 'rank' | 'vote';

export interface LayerInfluences {
  /** Training samples. */
  n: number;
  /** Validation samples. */
  m: number;
  /** One n x m matrix per layer, row-major; positive = helps. */
  layers: readonly Float64Array[];
  /** Indices of the validation samples that count; default all. */
  validation?: readonly number[];
}

export interface CrossLayerOptions {
  /** For `vote`: how many samples one means to remove; the paper's best are 10 to 50. Default 30. */
  k?: number;
}

interface Rule {
  title: string;
  aggregate(influences: LayerInfluences, options: CrossLayerOptions): Float64Array;
}

export const crossLayerRules: Record<CrossLayerId, Rule> = {
  mean: {
    title: 'mean over layers',
    aggregate: (influences) => {
      const sums = eachRanking(influences, (column, into) => column.forEach((value, i) => (into[i] += value)));
      return sums.map((sum) => sum / Math.max(1, influences.layers.length));
    },
  },
  rank: {
    title: 'sum of ranks',
    aggregate: (influences) =>
      eachRanking(influences, (column, into) => lowerCounts(column).forEach((lower, i) => (into[i] += lower))),
  },
  vote: {
    title: 'positional votes against the lowest',
    aggregate: (influences, { k = 30 }) =>
      eachRanking(influences, (column, into) => {
        const order = ascending(column);
        for (let rank = 0; rank < Math.min(k, order.length); rank++) into[order[rank]] -= k - rank;
      }),
  },
};

function eachRanking(
  { n, m, layers, validation = Array.from({ length: m }, (_, j) => j) }: LayerInfluences,
  add: (column: Float64Array, into: Float64Array) => void,
): Float64Array {
  const into = new Float64Array(n);
  const column = new Float64Array(n);
  for (const B of layers) {
    if (B.length !== n * m) throw new Error(`influence of ${B.length} numbers for ${n} x ${m} samples`);
    for (const j of validation) {
      for (let i = 0; i < n; i++) column[i] = B[i * m + j];
      add(column, into);
    }
  }
  return into;
}

function ascending(values: Float64Array): number[] {
  return Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j] || i - j);
}
