/**
 * What the numbers of the Trust tab mean, in plain sentences. The thresholds are conventions of this page, stated where they are used:
 * a Spearman correlation from 0.9 is "hardly moves", from 0.7 "much the same", from 0.4 "roughly". Pure: no DOM.
 */
import type { GradientCheckRow } from '../../../protocol/check.ts';
import type { ResultTask } from '../../../protocol/result.ts';
import type { DampingSweep } from '../../../protocol/trust.ts';
import type { ProtocolResult } from '../../../protocol/validation.ts';
import { factorText, plural } from './format.ts';

const HARDLY = 0.9;
const MUCH = 0.7;
const ROUGHLY = 0.4;

export const correlationText = (value: number | null) =>
  value === null ? '\u2013' : value.toFixed(2).replace('-', '\u2212');

/** The state of one self-check in a word: passed, failed, or that it is no pass or fail. */
export function checkWord({ passed, value }: GradientCheckRow): string {
  if (passed === null) return value === null ? 'does not apply' : 'for information';
  return passed ? 'passed' : 'failed';
}

/** Sentences about the intervals of a task's layers; empty where the result has none. */
export function uncertaintySentences({ uncertainty, layers }: ResultTask): string[] {
  if (!uncertainty) return [];
  const { halves, unstable, curvature } = uncertainty;
  const count = layers.length;
  const sentences: string[] = [];
  if (halves) {
    const { median, low, high, splits } = halves;
    sentences.push(
      `Scores from two halves of the samples agree with a Spearman correlation of ${correlationText(median)} (median of ${splits} splits, ${correlationText(low)} to ${correlationText(high)}): ${halvesMeaning(median)}.`,
    );
  } else sentences.push('There are too few samples or layers to compare two halves of them.');
  sentences.push(
    unstable === 0
      ? `No layer is unstable: on other samples of this kind each would stay within a third of the ranks.`
      : `${plural(unstable, 'layer is', 'layers are')} unstable of ${count}: on other samples the rank would range over more than a third of the layers. Do not build on the exact place of ${unstable === 1 ? 'this one' : 'these'}.`,
  );
  const top = topThird(layers);
  if (top) sentences.push(top);
  if (curvature === 'fixed')
    sentences.push(
      'The curvature was not computed again for the replicates, so the intervals leave out its part: they are rather too narrow.',
    );
  return sentences;
}

function halvesMeaning(median: number): string {
  if (median >= HARDLY) return 'the order of layers hardly depends on which samples were drawn';
  if (median >= MUCH) return 'the order of layers is much the same, and close layers swap places';
  if (median >= ROUGHLY) return 'only a rough order of layers can be read from these samples; add more';
  return 'the order of layers depends mostly on which samples were drawn; add more before you use it';
}

/** How the highest third fares on other samples. */
function topThird(layers: ResultTask['layers']): string | null {
  const size = Math.floor(layers.length / 3);
  if (size < 1 || layers.some(({ rankInterval }) => !rankInterval)) return null;
  const top = [...layers].sort((a, b) => b.score - a.score).slice(0, size);
  const half = Math.ceil(layers.length / 2);
  const stay = top.filter(({ rankInterval }) => rankInterval![1] <= half).length;
  const words = `Of the ${plural(size, 'highest layer')}, ${stay === size ? (size === 1 ? 'it' : 'all') : stay} would stay in the upper half on other samples`;
  return stay === size ? `${words}: the top third can be relied on.` : `${words}.`;
}

/** What the sweep says: how far damping can move before the order of layers does. */
export function sweepSentences({ steps, factor, layers }: DampingSweep): string[] {
  const spearman = steps.map(({ toDefault }) => toDefault?.spearman ?? null);
  const at = steps.findIndex((step) => step.factor === factor);
  const known = steps.flatMap((step, i) => (spearman[i] === null ? [] : [{ step, value: spearman[i]! }]));
  if (at < 0 || known.length === 0)
    return ['The order of layers is not defined: there are too few layers, or all have one score.'];
  const [from, to] = runAround(
    at,
    spearman.map((value) => value !== null && value >= HARDLY),
  );
  const lowest = known.reduce((low, one) => (one.value < low.value ? one : low));
  const sentences = [
    lowest.value >= HARDLY
      ? `The order of layers hardly moves from factor ${factorText(known[0]!.step.factor)} to ${factorText(known[known.length - 1]!.step.factor)} (Spearman at least ${correlationText(lowest.value)}): it does not hang on the choice of damping.`
      : `The order of layers hardly moves (Spearman at least ${HARDLY}) ${from === to ? `only near the factor ${factorText(steps[at]!.factor)}` : `while the factor lies between ${factorText(steps[from]!.factor)} and ${factorText(steps[to]!.factor)}`}; at ${factorText(lowest.step.factor)} it is ${correlationText(lowest.value)}.`,
  ];
  const size = Math.max(1, Math.floor(layers.length / 3));
  const own = new Set(highest(steps[at]!.scores ?? [], size));
  const worst = Math.min(...known.map(({ step }) => highest(step.scores ?? [], size).filter((l) => own.has(l)).length));
  sentences.push(
    worst === size
      ? `The ranking of the top third is safe: the ${plural(size, 'highest layer')} ${size === 1 ? 'is' : 'are'} the same at every factor.`
      : `Of the top third, ${plural(size, 'layer')}, at least ${worst} ${worst === 1 ? 'stays' : 'stay'} there at every factor.`,
  );
  const failed = steps.filter(({ error }) => error !== null);
  if (failed.length > 0)
    sentences.push(
      `Not defined at factor ${failed.map((step) => factorText(step.factor)).join(', ')}: ${failed[0]!.error}.`,
    );
  return sentences;
}

/** Places of the `count` largest scores, largest first; ties by place. */
export function highest(scores: readonly number[], count: number): number[] {
  return scores
    .map((score, place) => ({ score, place }))
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .slice(0, count)
    .map(({ place }) => place);
}

/** The longest stretch around `at` where all are true; `at` itself when it is not. */
function runAround(at: number, good: readonly boolean[]): [number, number] {
  let [from, to] = [at, at];
  while (from > 0 && good[from - 1]) from--;
  while (to < good.length - 1 && good[to + 1]) to++;
  return [from, to];
}

/** Sentences that say an estimator is no better than a simple one: they are shown first and marked. */
export const isCaution = (sentence: string) =>
  /does not beat|worse than|down to chance|nothing can be said/i.test(sentence);

export function verdicts(protocols: readonly ProtocolResult[]): { caution: string[]; other: string[] } {
  const all = protocols.flatMap(({ verdict }) => verdict);
  return { caution: all.filter(isCaution), other: all.filter((sentence) => !isCaution(sentence)) };
}
