/**
 * Series over ordered places (layers, damping factors, sparsities) as an SVG by Observable Plot: bars or lines, each
 * with an interval where there is one. As in `layerPlot.ts`, Plot's <style> is taken out, which the content security
 * policy forbids.
 */
import * as Plot from '@observablehq/plot';
import { taskStyle } from '../model/colour.ts';
import { labelStep } from '../model/layers.ts';
import type { Series } from '../model/series.ts';
import { seriesDomain } from '../model/series.ts';
import { MARGIN, slotWidth } from './layerPlot.ts';
import { positiveFill, taskColour } from './patterns.tsx';

export interface SeriesPlotOptions {
  series: readonly Series[];
  /** Labels of the places. */
  slots: readonly string[];
  format: (value: number) => string;
  /** Widened by what the series hold. */
  domain?: readonly [number, number] | undefined;
  /** A dashed line across, such as the level of chance. */
  reference?: number | undefined;
  width: number;
  height: number;
  label: string;
}

interface Point {
  slot: number;
  value: number;
  low: number | null;
  high: number | null;
}

export function seriesPlot(options: SeriesPlotOptions): SVGSVGElement {
  const { series, slots, width, height, format } = options;
  const longest = Math.max(1, ...slots.map((slot) => slot.length));
  const step = labelStep(slotWidth(width, slots.length), 12 + 7 * longest);
  const bars = series.filter(({ mark }) => mark === 'bars');
  const figure = Plot.plot({
    width,
    height,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    className: 'layerif-plot',
    ariaLabel: options.label,
    x: { domain: [-0.5, slots.length - 0.5], label: null, nice: false },
    y: { domain: seriesDomain(series, options.domain), label: null, nice: options.domain === undefined },
    marks: [
      Plot.gridY({ ticks: 5, stroke: 'var(--layerif-grid)', strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickSize: 0, tickFormat: format }),
      Plot.axisX({
        ticks: slots.map((_, slot) => slot).filter((slot) => slot % step === 0),
        tickFormat: (slot: number) => slots[slot],
        tickSize: 0,
      }),
      ...series.flatMap((one) =>
        one.mark === 'bars' ? barMarks(one, bars.indexOf(one), bars.length) : lineMarks(one, series.length),
      ),
      ...(options.reference === undefined
        ? []
        : [Plot.ruleY([options.reference], { stroke: 'var(--layerif-axis)', strokeDasharray: '2 3' })]),
      Plot.ruleY(bars.length > 0 ? [0] : [], { stroke: 'var(--layerif-axis)' }),
    ],
  });
  const svg = figure as unknown as SVGSVGElement;
  svg.querySelector('style')?.remove();
  svg.setAttribute('role', 'img');
  for (const named of svg.querySelectorAll('[aria-label]')) named.removeAttribute('aria-label');
  return svg;
}

const pointsOf = (series: Series): Point[] =>
  series.values.flatMap((value, slot) => {
    if (value === null) return [];
    const interval = series.intervals?.[slot] ?? null;
    return [{ slot, value, low: interval?.[0] ?? null, high: interval?.[1] ?? null }];
  });

function barMarks(series: Series, place: number, count: number): Plot.Markish[] {
  const share = 0.8 / count;
  const left = ({ slot }: Point) => slot - 0.4 + place * share;
  const points = pointsOf(series);
  return [
    Plot.rectY(points, {
      x1: (point: Point) => left(point) + 0.02,
      x2: (point: Point) => left(point) + share - 0.02,
      y1: 0,
      y2: 'value',
      fill: positiveFill(series.style),
      stroke: taskColour(series.style),
      className: 'layerif-series',
    }),
    ...whiskers(points, (point) => left(point) + share / 2, 'var(--vscode-foreground)'),
  ];
}

function lineMarks(series: Series, count: number): Plot.Markish[] {
  const { dash, symbol } = taskStyle(series.style);
  const stroke = taskColour(series.style);
  const points = pointsOf(series);
  // Intervals of several lines at one place stand beside each other.
  const spread = Math.min(0.06, 0.5 / count);
  const shift = series.intervals && count > 1 ? ((series.style % count) - (count - 1) / 2) * spread : 0;
  const x = ({ slot }: Point) => slot + shift;
  return [
    Plot.line(points, { x, y: 'value', stroke, strokeWidth: 1.5, strokeDasharray: dash || undefined }),
    ...whiskers(points, x, stroke),
    Plot.dot(points, { x, y: 'value', r: 3, symbol, stroke, fill: stroke, className: 'layerif-series' }),
  ];
}

/** A line from low to high with a short stroke at each end. */
function whiskers(points: readonly Point[], x: (point: Point) => number, stroke: string): Plot.Markish[] {
  const known = points.filter(({ low, high }) => low !== null && high !== null);
  const ends = known.flatMap((point) => [
    { x: x(point), y: point.low },
    { x: x(point), y: point.high },
  ]);
  return [
    Plot.ruleX(known, { x, y1: 'low', y2: 'high', stroke: 'var(--vscode-editor-background)', strokeWidth: 3 }),
    Plot.ruleX(known, { x, y1: 'low', y2: 'high', stroke, className: 'layerif-whisker' }),
    // Not `tickY`, which would make the axis one of categories.
    Plot.ruleY(ends, {
      x1: (end: { x: number }) => end.x - 0.02,
      x2: (end: { x: number }) => end.x + 0.02,
      y: 'y',
      stroke,
      className: 'layerif-whisker-end',
    }),
  ];
}
