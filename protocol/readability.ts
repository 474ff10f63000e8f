/**
 * How far the order of a task's layers can be relied on, in a word and in sentences: the one rule behind the Trust tab,
 * `layerif score` and the warnings of `layerif allocate`. Pure. `docs/reference.md` states the thresholds;
 * `test/simulation/badge.test.ts` holds the badge to layers in a true order and to noise.
 */
import type { EstimatorId } from './experiment.ts';
import type { ResultTask } from './result.ts';

/** Of a Spearman correlation: from where the order "hardly moves", is "much the same", or is there "roughly". */
export const agreementLevels = { hardly: 0.9, much: 0.7, roughly: 0.4 } as const;

/** Upper 5 % of the normal distribution: two halves must agree better than 19 of 20 random orders of as many layers. */
const CHANCE = 1.645;
/** Most layers that may be unstable under a solid badge, and open in a settled order, as a share. */
export const UNSTABLE_SOLID = 1 / 3;

export type Badge = 'solid' | 'rough' | 'unreadable';

export const badgeNames: Readonly<Record<Badge, string>> = {
  solid: 'solid',
  rough: 'rough',
  unreadable: 'not readable',
};

const badgeWords: Readonly<Record<Badge, string>> = {
  solid: 'solid: other samples of this kind would order the layers much the same',
  rough: 'rough: which layers are high and which are low can be read, the exact order cannot',
  unreadable: 'not readable: the order of layers depends mostly on which samples were drawn',
};

type Ordered = Pick<ResultTask, 'layers' | 'uncertainty'>;

/**
 * The smallest correlation of two halves that is beyond chance for a number of layers; above 1 where no order can be.
 */
export function chanceLevel(layers: number): number {
  return layers < 2 ? Infinity : CHANCE / Math.sqrt(layers - 1);
}

/** Null where the result has no intervals: nothing is known. */
export function badgeOf({ layers, uncertainty }: Ordered): Badge | null {
  if (!uncertainty) return null;
  const median = uncertainty.halves?.median ?? -1;
  const chance = chanceLevel(layers.length);
  if (median < Math.max(agreementLevels.roughly, chance)) return 'unreadable';
  const stable = uncertainty.unstable <= UNSTABLE_SOLID * layers.length;
  return stable && median >= agreementLevels.much ? 'solid' : 'rough';
}

/** Null where the result has no intervals. */
export function badgeSentence(task: Ordered): string | null {
  const badge = badgeOf(task);
  if (badge === null) return null;
  if (chanceLevel(task.layers.length) > 1)
    return `The order is not readable: of ${plural(task.layers.length, 'layer')} no order can be told from chance.`;
  return `The order is ${badgeWords[badge]}.`;
}

/** U+2212 is as wide as the plus. */
export const correlationText = (value: number | null) =>
  value === null ? '\u2013' : value.toFixed(2).replace('-', '\u2212');

const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

/** "30 of 30 layers are unstable and two halves of the samples agree at −0.09": the figures behind a badge. */
export function orderFigures({ layers, uncertainty }: Required<Ordered>): string {
  const { halves, unstable } = uncertainty;
  return `${unstable} of ${plural(layers.length, 'layer')} ${unstable === 1 ? 'is' : 'are'} unstable, and two halves of the samples ${halves ? `rank them with a Spearman correlation of ${correlationText(halves.median)}` : 'are too small to compare'}`;
}

/** What begins a note that asks for another decision. */
export const WARNING = 'Warning: ';

/**
 * A warning with the figures for whoever shares something out by an order that cannot be read; null where it can, or
 * nothing is known.
 */
export function orderWarning(task: Ordered & Pick<ResultTask, 'task'>): string | null {
  const { uncertainty } = task;
  if (!uncertainty || badgeOf(task) !== 'unreadable') return null;
  return `${WARNING}the order of layers is not readable in task ${task.task}: ${orderFigures({ ...task, uncertainty })}`;
}

/** Sentences about the intervals of a task's layers; empty where the result has none. */
export function uncertaintySentences({ uncertainty, layers }: Ordered): string[] {
  if (!uncertainty) return [];
  const { halves, unstable, curvature, of } = uncertainty;
  const count = layers.length;
  const sentences: string[] = [];
  if (of)
    sentences.push(
      `This speaks of a subsample of ${plural(of.train, 'training sample')} and ${plural(of.validation, 'validation sample')}, whose inner products are stored; the scores are of all samples, which scatter less.`,
    );
  if (halves) {
    const { median, low, high, splits } = halves;
    sentences.push(
      `Scores from two halves of the samples agree with a Spearman correlation of ${correlationText(median)} (median of ${splits} splits, ${correlationText(low)} to ${correlationText(high)}): ${halvesMeaning(median, count)}.`,
    );
  } else sentences.push('There are too few samples or layers to compare two halves of them.');
  sentences.push(
    unstable === 0
      ? `No layer is unstable: on other samples of this kind each would stay within a third of the ranks.`
      : `${plural(unstable, 'layer is', 'layers are')} unstable of ${count}: on other samples the rank would range over more than a third of the layers. Do not build on the exact place of ${unstable === 1 ? 'this one' : 'these'}.`,
  );
  const top = topThird(layers, badgeOf({ layers, uncertainty }) !== 'unreadable');
  if (top) sentences.push(top);
  if (curvature === 'fixed')
    sentences.push(
      'The curvature was not computed again for the replicates, so the intervals leave out its part: they are rather too narrow.',
    );
  return sentences;
}

function halvesMeaning(median: number, layers: number): string {
  const { hardly, much, roughly } = agreementLevels;
  if (median >= roughly && median < chanceLevel(layers))
    return `of only ${plural(layers, 'layer')}, a random order may agree as well by chance`;
  if (median >= hardly) return 'the order of layers hardly depends on which samples were drawn';
  if (median >= much) return 'the order of layers is much the same, and close layers swap places';
  if (median >= roughly) return 'only a rough order of layers can be read from these samples; add more';
  return 'the order of layers depends mostly on which samples were drawn; add more before you use it';
}

/** How the highest third fares on other samples. */
function topThird(layers: ResultTask['layers'], readable: boolean): string | null {
  const size = Math.floor(layers.length / 3);
  if (size < 1 || layers.some(({ rankInterval }) => !rankInterval)) return null;
  const top = [...layers].sort((a, b) => b.score - a.score).slice(0, size);
  const half = Math.ceil(layers.length / 2);
  const stay = top.filter(({ rankInterval }) => rankInterval![1] <= half).length;
  const words =
    size === 1
      ? `The highest layer would ${stay === 1 ? 'stay' : 'not stay'} in the upper half on other samples`
      : `Of the ${plural(size, 'highest layer')}, ${stay === size ? 'all' : stay === 0 ? 'none' : stay} would stay in the upper half on other samples`;
  return stay === size && readable ? `${words}: the top third can be relied on.` : `${words}.`;
}

/**
 * The highest layers with their shares of all scores, and what an even share would be; null without a score above 0.
 */
export function highestLayersSentence(layers: ResultTask['layers'], shown = 5): string | null {
  const total = layers.reduce((sum, { score }) => sum + Math.abs(score), 0);
  const top = [...layers]
    .sort((a, b) => b.score - a.score)
    .slice(0, Math.min(shown, Math.ceil(layers.length / 3)))
    .filter(({ score }) => score > 0);
  if (!(total > 0) || top.length === 0) return null;
  const share = (value: number) => `${((100 * value) / total).toFixed(1)}\u00a0%`;
  return `Highest: ${top.length === 1 ? 'layer' : 'layers'} ${top.map(({ index, score }) => `${index} (${share(score)})`).join(', ')}; an even share would be ${share(total / layers.length)}.`;
}

/** How another estimator ranks the layers, against the run's own. */
export interface EstimatorAgreement {
  estimator: EstimatorId;
  /** Null where it is not defined: fewer than two layers, or all scores equal. */
  spearman: number | null;
}

/**
 * What other estimators say of the order, from the same gradients, and how to see those that would take long.
 * @param left estimators that were left out
 */
export function agreementSentences(
  own: EstimatorId,
  others: readonly EstimatorAgreement[],
  left: readonly EstimatorId[] = [],
): string[] {
  const sentences = others.length > 0 ? agreementOf(own, others) : [];
  if (left.length > 0)
    sentences.push(
      `With so many samples ${left.join(' and ')} takes a while: layerif compare RESULT --estimator ${[own, ...left].join(',')}.`,
    );
  return sentences;
}

/** Empty where none of the correlations is defined. */
function agreementOf(own: EstimatorId, others: readonly EstimatorAgreement[]): string[] {
  const known = others.flatMap(({ estimator, spearman }) => (spearman === null ? [] : [{ estimator, spearman }]));
  if (known.length === 0) return [];
  const lowest = Math.min(...known.map(({ spearman }) => spearman));
  const { hardly, much, roughly } = agreementLevels;
  const meaning =
    lowest >= hardly
      ? 'the order hardly depends on the estimator'
      : lowest >= much
        ? 'the order is much the same under each of them'
        : lowest >= roughly
          ? 'only a rough order is common to them'
          : 'they disagree on the order, and nothing here says which of them is right';
  const list = known.map(({ estimator, spearman }) => `${correlationText(spearman)} with ${estimator}`).join(', ');
  return [`The layer scores of ${own} have a Spearman correlation of ${list}, from the same gradients: ${meaning}.`];
}
