/**
 * Area under the ROC curve: the probability that a positive item has a higher value than a negative one, equal values
 * counting half (Mann & Whitney 1947).
 */
import { ranks } from './rankCorrelation.ts';

/** @returns 0 .. 1, 0.5 by chance; null where all items are positive or none is */
export function auc(values: ArrayLike<number>, positive: ArrayLike<boolean>): number | null {
  if (values.length !== positive.length)
    throw new Error(`AUC of ${values.length} values and ${positive.length} labels`);
  const own = ranks(values);
  let [count, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (!positive[i]) continue;
    count++;
    sum += own[i];
  }
  const others = values.length - count;
  return count > 0 && others > 0 ? (sum - (count * (count + 1)) / 2) / (count * others) : null;
}
