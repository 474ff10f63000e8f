/**
 * Noise Detection Rate (Vitel & Chhabra, arXiv 2511.04715): training samples whose labels were changed on purpose
 * should have the lowest influence. The rate is the share of changed samples among the lowest `share` of the ranking
 * (there 30 %). The source was read through a summary of the paper, which leaves two things open, so they are our
 * definitions: equal values keep the order of the samples, and the AUC is that of the ROC curve of low influence as a
 * sign of noise.
 */
import { auc } from './auc.ts';

export interface NoiseDetection {
  /** Samples that are looked at: the lowest ceil(share n). */
  lowest: number;
  /** Of these, changed ones. */
  found: number;
  /** found / lowest. */
  rate: number;
  /** `rate` of a random ranking: changed samples / all samples. */
  chance: number;
  /** Share of all changed samples that is found. */
  recall: number;
  /** 0.5 by chance; null where no sample or every sample is changed. */
  auc: number | null;
}

/**
 * @param influence of each training sample, positive = helps
 * @param noisy whether its label was changed
 * @param share 0 .. 1 of the ranking that is looked at
 */
export function noiseDetection(influence: ArrayLike<number>, noisy: ArrayLike<boolean>, share = 0.3): NoiseDetection {
  const n = influence.length;
  if (noisy.length !== n) throw new Error(`noise detection of ${n} values and ${noisy.length} labels`);
  if (!(share > 0 && share <= 1))
    throw new Error(`noise detection in a share of ${share}: use a number from above 0 to 1`);
  const order = Array.from(influence, (_, i) => i).sort((i, j) => influence[i] - influence[j] || i - j);
  const lowest = Math.ceil(share * n - 1e-9);
  const found = order.slice(0, lowest).filter((i) => noisy[i]).length;
  const all = order.filter((i) => noisy[i]).length;
  return {
    lowest,
    found,
    rate: lowest > 0 ? found / lowest : 0,
    chance: n > 0 ? all / n : 0,
    recall: all > 0 ? found / all : 0,
    auc: auc(
      Float64Array.from(influence, (value) => -value),
      noisy,
    ),
  };
}
