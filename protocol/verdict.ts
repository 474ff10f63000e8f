/**
 * The first answer about a task's layers: which stand out, and how far the order can be read, in one line above the
 * chart and at the end of `layerif score`. Pure. `test/simulation/verdict.test.ts` holds it to layers in a known order.
 */
import { badgeOf, orderFigures, type Badge } from './readability.ts';
import type { ResultTask } from './result.ts';

/** Most layers that are named. */
const NAMED = 5;

export interface Verdict {
  /** Null where nothing is known of other samples. */
  badge: Badge | null;
  /** Whole sentences. */
  words: string;
}

type Judged = Pick<ResultTask, 'layers' | 'uncertainty'> & {
  train: { samples: number };
  validation: { samples: number };
};

/** Highest layers whose rank stays among the highest third on other samples, best first: what "stand out" means. */
export function outstanding(layers: ResultTask['layers']): ResultTask['layers'] {
  const third = Math.max(1, Math.floor(layers.length / 3));
  return [...layers]
    .sort((a, b) => b.score - a.score)
    .filter(({ rankInterval }) => rankInterval && rankInterval[1] <= third);
}

export function verdictOf(task: Judged): Verdict {
  const { layers, uncertainty } = task;
  const badge = badgeOf(task);
  if (!uncertainty || badge === null)
    return { badge: null, words: 'How far this order holds on other samples is not known: there are no intervals.' };
  const level = `${Math.round(100 * uncertainty.level)}\u00a0%`;
  if (badge === 'unreadable')
    return {
      badge,
      words: `These ${task.train.samples} \u00d7 ${task.validation.samples} samples do not tell which layers matter more: ${orderFigures({ layers, uncertainty })}. Add samples before you use the order.${moreSamples(task)}`,
    };
  const sure = outstanding(layers);
  const named = sure.slice(0, NAMED).map(({ index, rankInterval }) => `${index} (${ranks(rankInterval!)})`);
  const more = sure.length > NAMED ? ` and ${sure.length - NAMED} more` : '';
  const first =
    sure.length === 0
      ? 'No single layer is sure to be among the highest third.'
      : `${sure.length === 1 ? 'Layer' : 'Layers'} ${named.join(', ')}${more} ${sure.length === 1 ? 'stands' : 'stand'} out: on other samples ${sure.length === 1 ? 'it stays' : 'each stays'} among the highest third, with ${level} confidence.`;
  const { unstable } = uncertainty;
  const second =
    unstable === 0
      ? ''
      : ` The ${unstable === 1 ? 'place of one layer is' : `places of ${unstable} layers are`} not settled by so few samples.`;
  return { badge, words: first + second + moreSamples(task) };
}

/** Said of both splits together; empty where few layers are open. */
function moreSamples({ uncertainty, train, validation }: Judged): string {
  const factor = uncertainty?.samplesFactor;
  if (factor === undefined) return '';
  if (factor === null)
    return ' By extrapolation, it takes at least 8 times as many samples to settle two thirds of the places, if those layers differ at all.';
  const size = `about ${(factor * train.samples).toLocaleString('en-US')} \u00d7 ${(factor * validation.samples).toLocaleString('en-US')}`;
  return ` By extrapolation, ${size} samples would settle two thirds of the places (half to twice as many).`;
}

const ranks = ([low, high]: [number, number]) => (low === high ? `rank ${low}` : `ranks ${low} to ${high}`);
