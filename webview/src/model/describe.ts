/** One datum in words: the same text serves tooltip, live region and labels. Pure: no DOM. */
import type { LayerValue } from './layers.ts';
import { formatNumber, formatShare, formatSigned } from './format.ts';

export const HELPS = 'helps validation';
export const HURTS = 'hurts validation';

export const signWords = (value: number) => (value > 0 ? HELPS : value < 0 ? HURTS : 'no effect');

export function describeValue(value: LayerValue): string {
  return `Layer ${value.layer}, ${value.taskName}: ${valueWords(value)}`;
}

const valueWords = (value: LayerValue) =>
  `${formatNumber(value.value)}${intervalWords(value)}, ${formatShare(value.share)} of the largest, rank ${value.rank}${rankWords(value)}`;

const intervalWords = ({ interval }: LayerValue) =>
  interval ? `, interval ${formatNumber(interval[0])} to ${formatNumber(interval[1])}` : '';

/** ", 2 to 9 on other samples, unstable". */
export function rankWords({ rankInterval, unstable }: LayerValue): string {
  if (!rankInterval) return '';
  const [low, high] = rankInterval.map((rank) => String(Math.round(rank)));
  return `, ${low === high ? low : `${low} to ${high}`} on other samples${unstable ? ', unstable' : ''}`;
}

export function describeLayer(layer: number, values: readonly LayerValue[], tasks: number, pending: string): string {
  const own = values.filter((value) => value.layer === layer);
  if (own.length === 0) return `Layer ${layer}: ${pending}`;
  const parts = own.map((v) => `${tasks > 1 ? `${v.taskName} ` : ''}${valueWords(v)}`);
  return `Layer ${layer}: ${parts.join('; ')}`;
}

/** Text alternative of the layer chart: what it is, how much, and each task's top layer. */
export function describeChart(values: readonly LayerValue[], layers: number, tasks: readonly string[]): string {
  const tops = tasks.map((name, task) => {
    const top = values.find((value) => value.task === task && value.rank === 1);
    return top ? `${name}: layer ${top.layer} is largest` : `${name}: no layer finished`;
  });
  return `Scores of ${layers} layers for ${tasks.length} task${tasks.length === 1 ? '' : 's'}. ${tops.join('; ')}.`;
}

export const describeCell = (layer: number, sample: string, influence: number) =>
  `Layer ${layer}, ${sample}: influence ${formatSigned(influence)}, ${signWords(influence)}`;
