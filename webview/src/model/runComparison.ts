/** From a comparison of runs to its chart and its words. Pure: no DOM. */
import { correlationText } from '../../../protocol/readability.ts';
import type { ComparedPair, ComparedStatistic, Comparison } from '../../../protocol/trust.ts';
import type { Series } from './series.ts';

/**
 * Scores of every series as shares of its largest; null where the numbers of layers differ, which no common axis can
 * show.
 */
export function shareSeries({ series }: Comparison): { series: Series[]; layers: number[] } | null {
  const [first] = series;
  if (!first || series.some(({ layers }) => layers.join() !== first.layers.join())) return null;
  return {
    layers: first.layers,
    series: series.map(({ label, scores }, style): Series => {
      const largest = Math.max(...scores.map(Math.abs)) || 1;
      return { name: label, style, mark: 'lines', values: scores.map((score) => score / largest) };
    }),
  };
}

/** "0.82 [0.64, 0.91], p 0.003". */
export function statisticText({ value, interval, p }: ComparedStatistic): string {
  const range = interval ? ` [${correlationText(interval[0])}, ${correlationText(interval[1])}]` : '';
  return `${correlationText(value)}${range}${p === null ? '' : `, p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`}`;
}

/** One pair in a plain sentence. */
export function pairSentence({ a, b, spearman, topK }: ComparedPair, { series }: Comparison): string {
  const names = `${series[a]!.label} and ${series[b]!.label}`;
  if (spearman.value === null) return `${names}: there is no order to compare.`;
  const low = spearman.interval?.[0] ?? spearman.value;
  const by =
    spearman.value < 0.3 || low <= 0
      ? 'do not order the layers alike beyond what chance and few samples allow'
      : spearman.value < 0.7
        ? 'order the layers roughly alike'
        : 'order the layers much alike';
  const top = `${topK.shared} of the ${topK.k} highest layers are shared, by chance ${(topK.chance * topK.k).toFixed(1)} would be`;
  return `${names} ${by} (Spearman ${correlationText(spearman.value)}); ${top}.`;
}
