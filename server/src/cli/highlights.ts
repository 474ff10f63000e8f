/**
 * The training samples that stand out in a task: the most helpful and the most harmful ones of its highest-scored
 * layer.
 */
import path from 'node:path';
import type { Result, ResultLayer, ResultTask } from '../../../protocol/result.ts';
import { score, table } from './format.ts';
import { shortened } from './paths.ts';
import type { Page } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Samples shown at either end. */
const shown = 3;

export interface Highlights {
  layer: ResultLayer;
  helpful: Highlight[];
  harmful: Highlight[];
}

interface Highlight {
  /** Index into `task.train.rows`. */
  sample: number;
  influence: number;
}

/** Null before any layer is scored. */
export function highlightsOf(task: ResultTask): Highlights | null {
  if (task.layers.length === 0) return null;
  const row = task.layers.reduce((best, { score }, index) => (score > nth(task.layers, best).score ? index : best), 0);
  const order = nth(task.influence, row).map((influence, sample) => ({ sample, influence }));
  order.sort((a, b) => b.influence - a.influence);
  return {
    layer: nth(task.layers, row),
    helpful: order.filter(({ influence }) => influence > 0).slice(0, shown),
    harmful: order
      .filter(({ influence }) => influence < 0)
      .slice(-shown)
      .reverse(),
  };
}

/**
 * @param texts of samples by index; a sample without one is shown by its place alone.
 */
export function highlightLines(
  result: Result,
  task: ResultTask,
  texts: ReadonlyMap<number, string>,
  page: Page,
): string[] {
  const highlights = highlightsOf(task);
  if (highlights === null) return [];
  const folder = path.dirname(result.experimentFile);
  const lines = (samples: Highlight[]) => {
    if (samples.length === 0) return ['  none'];
    const rows = samples.map(({ sample, influence }) => {
      const { file, line, row } = nth(task.train.rows, sample);
      const place = shortened(path.join(folder, file), page.baseDir);
      return [`  ${score(influence)}`, line === null ? `${place} row ${row}` : `${place}:${line}`];
    });
    return table(rows, [0]).map((line, index) => withText(line, texts.get(nth(samples, index).sample), page.width));
  };
  const { index } = highlights.layer;
  return [
    `Layer ${index}, most helpful training samples`,
    ...lines(highlights.helpful),
    `Layer ${index}, most harmful`,
    ...lines(highlights.harmful),
  ];
}

/** The text on one line behind the place, cut at the end of the terminal; left out where only crumbs would fit. */
export function withText(line: string, text: string | undefined, width: number): string {
  const room = width - line.length - 2;
  if (text === undefined || room < 12) return line;
  const letters = [...text.replace(/\s+/g, ' ').trim()];
  return `${line}  ${letters.length > room ? `${letters.slice(0, room - 1).join('')}…` : letters.join('')}`;
}
