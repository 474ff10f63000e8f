/**
 * Words for differences between ways to train: "beats" and "worse" are said only where the interval excludes 0 and p
 * is small enough, so that few held-out samples or seeds end in "does not beat".
 */
import type { Comparison, ComparedWay } from '../../../../protocol/validation.ts';
import type { Difference } from '../../validation/comparison.ts';

/**
 * Most p of a claim. Ranks among random draws hold whatever the scatter is; t over seeds takes it for normal, and a few
 * seeds with a skewed one claim more than p says (`test/simulation/paired.json`).
 */
const errors = { draws: 0.05, seeds: 0.01 } as const;

/** What a way is compared by. */
export type By = keyof typeof errors;

export type Word = 'better' | 'worse' | 'not told apart';

export function wordOf({ difference, interval, p }: Difference, better: Comparison['better'], by: By): Word {
  const sure = interval !== null && p !== null && p <= errors[by] && (interval[0] > 0 || interval[1] < 0);
  if (!sure) return 'not told apart';
  return difference < 0 === (better === 'lower') ? 'better' : 'worse';
}

/** A way that is compared. */
export function compared(way: string, value: number, found: Difference, control = false): ComparedWay {
  return { way, control, value, ...found };
}

/** A way that stands beside them. */
export function shown(way: string, value: number): ComparedWay {
  return { way, control: true, value, difference: null, interval: null, p: null };
}

/** One sentence for each way that is compared. */
export function sentences({ name, better, baseline, ways }: Comparison, by: By): string[] {
  return ways.flatMap(({ way, difference, interval, p }) => {
    if (difference === null) return [];
    const word = wordOf({ difference, interval, p }, better, by);
    const numbers = `difference ${signed(difference)}${interval ? ` [${signed(interval[0])}, ${signed(interval[1])}]` : ', no interval from one seed'}${p === null ? '' : `, p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`}`;
    const says = {
      better: `${way} beats ${baseline}`,
      worse: `${way} is worse than ${baseline}`,
      'not told apart': `${way} does not beat ${baseline}${difference !== 0 && difference < 0 === (better === 'lower') ? ' beyond chance' : ''}`,
    };
    return [`${name}: ${says[word]} (${numbers}).`];
  });
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toPrecision(2)}`;
}
