/**
 * What a sweep over damping factors says of the order of layers, in sentences; the Trust tab, `score` and `damping`
 * share them. Pure.
 */
import { agreementLevels, correlationText } from './readability.ts';
import type { DampingStep, DampingSweep } from './trust.ts';

/**
 * Largest distance of scores from a multiple of the others, relative to the largest score, at which a factor "only
 * scales" them.
 */
const SCALES_WITHIN = 0.01;

/** A chosen number as it would be typed: `0.001`, `1000`. */
export const factorText = (value: number) => String(Number(value.toPrecision(3)));

const plural = (count: number, one: string) => `${count.toLocaleString('en-US')} ${one}${count === 1 ? '' : 's'}`;

/** What the sweep says: how far damping can move before the order of layers does. */
export function sweepSentences({ steps, factor, layers }: DampingSweep): string[] {
  const spearman = steps.map(({ toDefault }) => toDefault?.spearman ?? null);
  const at = steps.findIndex((step) => step.factor === factor);
  const known = steps.flatMap((step, i) => (spearman[i] === null ? [] : [{ step, value: spearman[i]! }]));
  if (at < 0 || known.length === 0)
    return ['The order of layers is not defined: there are too few layers, or all have one score.'];
  const scaled = runAround(
    at,
    steps.map((step) => onlyScales(steps[at]!.scores, step.scores)),
  );
  const onlyScaling = scaled[0] < scaled[1] ? scalingWords(steps[scaled[0]]!, steps[scaled[1]]!) : null;
  if (onlyScaling !== null && scaled[1] - scaled[0] + 1 === known.length)
    return [`From factor ${onlyScaling}: that the order stays is no evidence for it.`, ...failedSentences(steps)];

  const { hardly } = agreementLevels;
  const [from, to] = runAround(
    at,
    spearman.map((value) => value !== null && value >= hardly),
  );
  const lowest = known.reduce((low, one) => (one.value < low.value ? one : low));
  const sentences = [
    lowest.value >= hardly
      ? `The order of layers hardly moves from factor ${factorText(known[0]!.step.factor)} to ${factorText(known[known.length - 1]!.step.factor)} (Spearman at least ${correlationText(lowest.value)}): it does not depend on the choice of damping.`
      : `The order of layers hardly moves (Spearman at least ${hardly}) ${from === to ? `only near the factor ${factorText(steps[at]!.factor)}` : `while the factor lies between ${factorText(steps[from]!.factor)} and ${factorText(steps[to]!.factor)}`}; at ${factorText(lowest.step.factor)} it is ${correlationText(lowest.value)}.`,
  ];
  const size = Math.max(1, Math.floor(layers.length / 3));
  const own = new Set(highest(steps[at]!.scores ?? [], size));
  const worst = Math.min(...known.map(({ step }) => highest(step.scores ?? [], size).filter((l) => own.has(l)).length));
  sentences.push(
    worst === size
      ? `The top third does not depend on damping: the ${plural(size, 'highest layer')} ${size === 1 ? 'is' : 'are'} the same at every factor.`
      : `Of the top third, ${plural(size, 'layer')}, at least ${worst} ${worst === 1 ? 'stays' : 'stay'} there at every factor.`,
    ...failedSentences(steps),
  );
  return onlyScaling === null
    ? sentences
    : [...sentences, `Of this, from factor ${onlyScaling}: that the order stays there is no evidence.`];
}

/** An order that cannot change proves nothing. */
function scalingWords(from: DampingStep, to: DampingStep): string {
  return `${factorText(from.factor)} to ${factorText(to.factor)} damping only scales the scores, all layers alike`;
}

function failedSentences(steps: readonly DampingStep[]): string[] {
  const failed = steps.filter(({ error }) => error !== null);
  if (failed.length === 0) return [];
  return [`Not defined at factor ${failed.map((step) => factorText(step.factor)).join(', ')}: ${failed[0]!.error}.`];
}

/** Whether `scores` are `own` times one positive number. */
export function onlyScales(own: readonly number[] | null, scores: readonly number[] | null): boolean {
  if (!own || !scores) return false;
  const inner = own.reduce((sum, value, l) => sum + value * scores[l]!, 0);
  const scale = inner / own.reduce((sum, value) => sum + value * value, 0);
  const largest = Math.max(...scores.map(Math.abs));
  return scale > 0 && own.every((value, l) => Math.abs(scores[l]! - scale * value) <= SCALES_WITHIN * largest);
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
