/** Histogram of a score of rows and its two losses against each other, as SVG by Observable Plot. */
import * as Plot from '@observablehq/plot';
import { formatTick } from '../model/format.ts';
import type { Histogram, LossPoint } from '../model/dataChoice.ts';
import { negativeFill, positiveFill } from './patterns.tsx';
import { finished } from './statisticsPlots.ts';

export const HISTOGRAM_HEIGHT = 200;
export const SCATTER_HEIGHT = 340;
export const SIDES = { left: 56, right: 16 };
const margins = {
  marginLeft: SIDES.left,
  marginRight: SIDES.right,
  marginTop: 24,
  marginBottom: 36,
  className: 'layerif-plot',
};
const axis = { ticks: 6, tickSize: 0, tickFormat: formatTick, labelArrow: 'none' } as const;

/** Rows that the rule of the score leaves out stand hatched on top of the others. */
export function histogramPlot({ low, high, bars }: Histogram, title: string, width: number, label: string) {
  const gap = (high - low) / bars.length / 10;
  const at = { x1: ({ from }: { from: number }) => from + gap, x2: ({ to }: { to: number }) => to - gap };
  return finished(
    Plot.plot({
      ...margins,
      width,
      height: HISTOGRAM_HEIGHT,
      x: { domain: [low, high], label: null },
      y: { label: 'rows', nice: true },
      marks: [
        Plot.gridY({ ticks: 4, stroke: 'var(--layerif-grid)', strokeOpacity: 1 }),
        Plot.axisY({ ...axis, ticks: 4, label: 'rows' }),
        Plot.axisX({ ...axis, label: title }),
        Plot.rect(bars, { ...at, y1: 0, y2: 'able', fill: positiveFill(0), className: 'layerif-able' }),
        Plot.rect(bars, {
          ...at,
          y1: 'able',
          y2: (bar: { able: number; dropped: number }) => bar.able + bar.dropped,
          fill: negativeFill(0),
          className: 'layerif-dropped',
        }),
        Plot.ruleY([0], { stroke: 'var(--layerif-axis)' }),
      ],
    }),
    label,
  );
}

/** The deeper the colour the higher the score; rows that are not kept are crosses. */
export function scatterPlot(points: readonly LossPoint[], width: number, label: string) {
  const losses = points.flatMap(({ alone, prompt }) => [alone, prompt]);
  const ends = [losses.reduce((a, b) => Math.min(a, b), Infinity), losses.reduce((a, b) => Math.max(a, b), -Infinity)];
  const colour = ({ share }: LossPoint) =>
    `color-mix(in oklab, var(--layerif-positive) ${Math.round(15 + 85 * share)}%, var(--vscode-editor-background))`;
  const places = { x: 'alone', y: 'prompt' };
  return finished(
    Plot.plot({
      ...margins,
      width,
      height: SCATTER_HEIGHT,
      x: { nice: true, label: null },
      y: { nice: true, label: null },
      marks: [
        Plot.gridY({ ticks: 5, stroke: 'var(--layerif-grid)', strokeOpacity: 1 }),
        Plot.axisY({ ...axis, label: 'loss with prompt (nats)' }),
        Plot.axisX({ ...axis, label: 'loss alone (nats)' }),
        Plot.line(
          ends.map((loss) => [loss, loss]),
          { stroke: 'var(--layerif-axis)', strokeDasharray: '2 3' },
        ),
        Plot.dot(
          points.filter(({ kept }) => !kept),
          { ...places, r: 3, symbol: 'times', stroke: 'var(--layerif-axis)', className: 'layerif-left' },
        ),
        Plot.dot(
          points.filter(({ kept }) => kept),
          { ...places, r: 4, fill: colour, stroke: 'var(--layerif-positive)', className: 'layerif-kept' },
        ),
      ],
    }),
    label,
  );
}
