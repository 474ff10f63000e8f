/**
 * Numbers of a confusion matrix, as scikit-learn gives them: F1 (van Rijsbergen 1979) and the correlation of Matthews
 * (1975) for any number of classes (Gorodkin 2004). Items are pairs of predicted and right class.
 */
import { Random } from '../random/random.ts';
import { nth } from '../lists/nth.ts';

export type Items = readonly (readonly [number, number])[];

/**
 * `binary`: class 1 alone; `micro`: all counts together; `macro`: mean of the classes; `weighted`: by the right answers
 * of each.
 */
export const f1Averages = ['binary', 'micro', 'macro', 'weighted'] as const;
export type F1Average = (typeof f1Averages)[number];

interface Counts {
  /** Predicted and right. */
  both: number;
  predicted: number;
  right: number;
}

/** Of every class that is predicted or right somewhere. */
function countsOf(items: Items): Map<number, Counts> {
  const counts = new Map<number, Counts>();
  const of = (label: number): Counts => {
    const known = counts.get(label) ?? { both: 0, predicted: 0, right: 0 };
    counts.set(label, known);
    return known;
  };
  for (const [predicted, right] of items) {
    of(predicted).predicted++;
    of(right).right++;
    if (predicted === right) of(right).both++;
  }
  return counts;
}

/** 2 both / (predicted + right), 0 where a class is neither. */
const f1Of = ({ both, predicted, right }: Counts): number =>
  predicted + right === 0 ? 0 : (2 * both) / (predicted + right);

export function f1(items: Items, average: F1Average): number {
  const counts = countsOf(items);
  const classes = [...counts.values()];
  switch (average) {
    case 'binary':
      return f1Of(counts.get(1) ?? { both: 0, predicted: 0, right: 0 });
    case 'micro':
      return classes.reduce((sum, { both }) => sum + both, 0) / items.length;
    case 'macro':
      return classes.reduce((sum, one) => sum + f1Of(one), 0) / classes.length;
    case 'weighted':
      return classes.reduce((sum, one) => sum + one.right * f1Of(one), 0) / items.length;
  }
}

/** Covariance of predicted and right classes over their deviations; 0 where either is the same for all. */
export function matthews(items: Items): number {
  const classes = [...countsOf(items).values()];
  const n = items.length;
  const sum = (of: (one: Counts) => number): number => classes.reduce((total, one) => total + of(one), 0);
  const covariance = sum((c) => c.both) * n - sum((c) => c.predicted * c.right);
  const deviations = (n * n - sum((c) => c.predicted ** 2)) * (n * n - sum((c) => c.right ** 2));
  return deviations === 0 ? 0 : covariance / Math.sqrt(deviations);
}

const REPLICATES = 1000;

/** Standard deviation of the number over bootstrap samples of the documents; the same for the same items. */
export function bootstrapError(items: Items, of: (items: Items) => number): number {
  const random = new Random(0, 'metric');
  const values = Array.from({ length: REPLICATES }, () =>
    of(items.map(() => nth(items, random.integer(items.length)))),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / REPLICATES;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (REPLICATES - 1));
}
