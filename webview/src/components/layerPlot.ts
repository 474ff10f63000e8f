/**
 * The layer chart as an SVG by Observable Plot. Plot writes a <style> element into its figure, which the page's content
 * security policy forbids; it is taken out before the figure joins the document, and `styles/charts.css` holds our own
 * rules.
 */
import * as Plot from '@observablehq/plot';
import type { LayerValue } from '../model/layers.ts';
import { drawnInterval, labelStep, valueDomain } from '../model/layers.ts';
import { taskStyle } from '../model/colour.ts';
import { formatShare, formatTick } from '../model/format.ts';
import { describeValue } from '../model/describe.ts';
import { negativeFill, positiveFill, taskColour, UNSTABLE_FILL } from './patterns.tsx';

export const CHART_HEIGHT = 240;
export const MARGIN = { left: 62, right: 12, top: 16, bottom: 26 };

export interface LayerPlotOptions {
  values: readonly LayerValue[];
  /** Layer indices in the order of the axis. */
  layers: readonly number[];
  tasks: number;
  normalised: boolean;
  marks: 'bars' | 'lines';
  width: number;
  /** Text alternative of the whole figure. */
  label: string;
}

/** Pixels of one layer's place on the axis. */
export const slotWidth = (width: number, layers: number) => (width - MARGIN.left - MARGIN.right) / Math.max(1, layers);
export const slotLeft = (slot: number, width: number, layers: number) => MARGIN.left + slot * slotWidth(width, layers);
/** The place under a horizontal position, or null outside of the axis. */
export function slotAt(x: number, width: number, layers: number): number | null {
  const slot = Math.floor((x - MARGIN.left) / slotWidth(width, layers));
  return slot >= 0 && slot < layers ? slot : null;
}

/** Bars while each is at least 3 pixels wide, else lines. */
export function fittingMarks(width: number, layers: number, tasks: number): 'bars' | 'lines' {
  return (slotWidth(width, layers) * 0.8) / Math.max(1, tasks) >= 3 ? 'bars' : 'lines';
}

export function layerPlot(options: LayerPlotOptions): SVGSVGElement {
  const { values, layers, normalised, width, label } = options;
  const y = (value: LayerValue) => (normalised ? value.share : value.value);
  const step = labelStep(slotWidth(width, layers.length), 26);
  const finished = new Set(values.map((value) => value.slot));
  const open = layers.map((_, slot) => slot).filter((slot) => !finished.has(slot));
  const figure = Plot.plot({
    width,
    height: CHART_HEIGHT,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    className: 'layerif-plot',
    ariaLabel: label,
    x: { domain: [-0.5, layers.length - 0.5], label: null, nice: false },
    y: { domain: valueDomain(values, normalised), label: null, nice: !normalised },
    marks: [
      Plot.gridY({ ticks: 5, stroke: 'var(--layerif-grid)', strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickSize: 0, tickFormat: (v: number) => (normalised ? formatShare(v) : formatTick(v)) }),
      Plot.axisX({
        ticks: layers.map((_, slot) => slot).filter((slot) => slot % step === 0),
        tickFormat: (slot: number) => String(layers[slot]),
        tickSize: 0,
      }),
      Plot.dot(open, { x: (slot: number) => slot, y: 0, r: 1.5, fill: 'var(--layerif-faint)' }),
      ...(options.marks === 'bars' ? bars(options, y) : lines(options, y)),
      Plot.ruleY([0], { stroke: 'var(--layerif-axis)' }),
    ],
  });
  // A figure with a legend would be a <figure>; without one Plot returns the SVG itself.
  const svg = figure as unknown as SVGSVGElement;
  svg.querySelector('style')?.remove();
  svg.setAttribute('role', 'group');
  // A name needs a role: bars keep theirs as images, Plot's names of whole marks ("rule", "y-axis tick label") go.
  for (const named of svg.querySelectorAll('[aria-label]'))
    if (named.closest('.layerif-bar') && !named.classList.contains('layerif-bar')) named.setAttribute('role', 'img');
    else named.removeAttribute('aria-label');
  return svg;
}

function bars(options: LayerPlotOptions, y: (value: LayerValue) => number): Plot.Markish[] {
  const { values, tasks, layers, width } = options;
  const share = 0.8 / Math.max(1, tasks);
  const gap = (slotWidth(width, layers.length) * share > 8 ? 1 : 0.25) / slotWidth(width, layers.length);
  const left = (value: LayerValue) => value.slot - 0.4 + value.task * share + gap / 2;
  return [
    Plot.rectY(values, {
      x1: left,
      x2: (value: LayerValue) => left(value) + share - gap,
      y1: 0,
      y2: y,
      fill: {
        value: (v: LayerValue) => (v.sign === 'negative' ? negativeFill(v.task) : positiveFill(v.task)),
        scale: null,
      },
      stroke: { value: (v: LayerValue) => taskColour(v.task), scale: null },
      strokeWidth: 1,
      className: 'layerif-bar',
      ariaLabel: describeValue,
    }),
    // Stripes in the colour of the ground over bars whose rank would change with the samples.
    Plot.rectY(
      values.filter(({ unstable }) => unstable),
      {
        x1: left,
        x2: (value: LayerValue) => left(value) + share - gap,
        y1: 0,
        y2: y,
        fill: UNSTABLE_FILL,
        className: 'layerif-unstable',
      },
    ),
    ...whiskers(options, (value) => left(value) + (share - gap) / 2, y),
  ];
}

/** Intervals, dashed for an unstable layer, with a question mark above it. */
function whiskers(
  { values, normalised }: LayerPlotOptions,
  x: (value: LayerValue) => number,
  y: (value: LayerValue) => number,
): Plot.Markish[] {
  const known = values.flatMap((value) => {
    const interval = drawnInterval(value, normalised);
    return interval ? [{ value, x: x(value), low: interval[0], high: interval[1] }] : [];
  });
  const stroke = 'var(--layerif-whisker)';
  const part = (unstable: boolean) => known.filter(({ value }) => value.unstable === unstable);
  return [
    // The ground's colour beneath keeps a whisker visible inside its bar.
    Plot.ruleX(known, { x: 'x', y1: 'low', y2: 'high', stroke: 'var(--vscode-editor-background)', strokeWidth: 3 }),
    Plot.ruleX(part(false), { x: 'x', y1: 'low', y2: 'high', stroke, className: 'layerif-whisker' }),
    Plot.ruleX(part(true), {
      x: 'x',
      y1: 'low',
      y2: 'high',
      stroke,
      strokeDasharray: '2 2',
      className: 'layerif-whisker',
    }),
    Plot.text(
      values.filter(({ unstable }) => unstable),
      {
        x,
        y: (value: LayerValue) => Math.max(y(value), drawnInterval(value, normalised)?.[1] ?? 0),
        text: () => '?',
        dy: -6,
        fill: 'var(--vscode-foreground)',
        fontWeight: 'bold',
        className: 'layerif-unstable-mark',
      },
    ),
  ];
}

function lines(options: LayerPlotOptions, y: (value: LayerValue) => number): Plot.Markish[] {
  const { values, tasks } = options;
  return [...whiskers(options, ({ slot }) => slot, y), ...taskLines({ values, tasks }, y)];
}

function taskLines(
  { values, tasks }: Pick<LayerPlotOptions, 'values' | 'tasks'>,
  y: (value: LayerValue) => number,
): Plot.Markish[] {
  return Array.from({ length: tasks }, (_, task) => task).flatMap((task) => {
    const own = values.filter((value) => value.task === task);
    const style = taskStyle(task);
    const stroke = taskColour(task);
    return [
      Plot.line(own, { x: 'slot', y, stroke, strokeWidth: 1.5, strokeDasharray: style.dash || undefined }),
      Plot.dot(own, {
        x: 'slot',
        y,
        r: 3.5,
        symbol: style.symbol,
        stroke,
        fill: {
          value: (v: LayerValue) => (v.sign === 'negative' ? 'var(--vscode-editor-background)' : stroke),
          scale: null,
        },
        className: 'layerif-bar',
        ariaLabel: describeValue,
      }),
    ];
  });
}
