/** How good classes are told: accuracy, macro-F1, and how rows are split to measure them. */
import type { Random } from '../random/random.ts';

export function accuracy(found: ArrayLike<number>, labels: ArrayLike<number>, rows: ArrayLike<number>): number {
  let right = 0;
  for (let i = 0; i < rows.length; i++) right += Number(found[rows[i]] === labels[rows[i]]);
  return right / rows.length;
}

/** Mean over the classes that occur among labels or answers of 2 tp / (2 tp + fp + fn). */
export function macroF1(
  found: ArrayLike<number>,
  labels: ArrayLike<number>,
  rows: ArrayLike<number>,
  classes: number,
): number {
  const [both, told, there] = [0, 0, 0].map(() => new Float64Array(classes));
  for (let i = 0; i < rows.length; i++) {
    const [answer, label] = [found[rows[i]], labels[rows[i]]];
    told[answer]++;
    there[label]++;
    if (answer === label) both[label]++;
  }
  let [sum, count] = [0, 0];
  for (let k = 0; k < classes; k++) {
    if (told[k] + there[k] === 0) continue;
    sum += (2 * both[k]) / (told[k] + there[k]);
    count++;
  }
  return sum / count;
}

/**
 * Fold of each row, 0 .. folds - 1: the rows of each class are shuffled and dealt out in turn, so that folds have its
 * share.
 */
export function stratifiedFolds(labels: ArrayLike<number>, classes: number, folds: number, random: Random): Int32Array {
  const fold = new Int32Array(labels.length);
  let next = 0;
  for (let k = 0; k < classes; k++) {
    const own = Array.from(labels, (_, i) => i).filter((i) => labels[i] === k);
    for (const place of random.permutation(own.length)) fold[own[place]] = next++ % folds;
  }
  return fold;
}
