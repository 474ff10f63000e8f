/**
 * Box plots, partial effects with their bands, and points in the plane, as SVG by Observable Plot. As in `layerPlot.ts`
 * Plot's <style> is taken out, which the content security policy forbids.
 */
import * as Plot from '@observablehq/plot';
import type { ComparedGroup, EffectCurve } from '../../../protocol/analysis.ts';
import { taskStyle, taskStyles } from '../model/colour.ts';
import { formatTick } from '../model/format.ts';
import { positiveFill, taskColour } from './patterns.tsx';

export const PLOT_HEIGHT = 280;
const foreground = 'var(--vscode-foreground)';

export function finished(figure: unknown, label: string): SVGSVGElement {
  const svg = figure as SVGSVGElement;
  svg.querySelector('style')?.remove();
  for (const named of svg.querySelectorAll('[aria-label]')) named.removeAttribute('aria-label');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg;
}

const common = (width: number, bottom = 40) => ({
  width,
  height: PLOT_HEIGHT,
  marginLeft: 62,
  marginRight: 14,
  marginTop: 16,
  marginBottom: bottom,
  className: 'layerif-plot',
});
const yAxis = (label: string) => [
  Plot.gridY({ ticks: 5, stroke: 'var(--layerif-grid)', strokeOpacity: 1 }),
  Plot.axisY({ ticks: 5, tickSize: 0, tickFormat: formatTick, label, labelArrow: 'none' }),
];

/** Boxes by group: quartiles, median, whiskers, values beyond them, and a diamond at the mean. */
export function boxPlot(
  groups: readonly ComparedGroup[],
  response: string,
  width: number,
  label: string,
): SVGSVGElement {
  const step = (width - 76) / groups.length;
  const shown = (name: string) =>
    name.length * 7 > step ? `${name.slice(0, Math.max(2, Math.floor(step / 7) - 1))}\u2026` : name;
  const at = groups.map((group, place) => ({ ...group, place }));
  const ends = at.flatMap(({ place, whiskers }) => whiskers.map((y) => ({ place, y })));
  const half = (size: number) => ({
    x1: ({ place }: { place: number }) => place - size,
    x2: ({ place }: { place: number }) => place + size,
  });
  return finished(
    Plot.plot({
      ...common(width),
      x: { domain: [-0.5, groups.length - 0.5], label: null },
      y: { nice: true, label: response },
      marks: [
        ...yAxis(response),
        Plot.axisX({
          ticks: at.map(({ place }) => place),
          tickFormat: (place: number) => shown(groups[place]?.name ?? ''),
          tickSize: 0,
        }),
        Plot.ruleX(at, {
          x: 'place',
          y1: (d: (typeof at)[0]) => d.whiskers[0],
          y2: (d: (typeof at)[0]) => d.whiskers[1],
          stroke: foreground,
        }),
        Plot.ruleY(ends, { ...half(0.12), y: 'y', stroke: foreground }),
        Plot.rect(at, {
          ...half(0.28),
          y1: (d: (typeof at)[0]) => d.quartiles[1],
          y2: (d: (typeof at)[0]) => d.quartiles[3],
          fill: positiveFill(0),
          stroke: taskColour(0),
          className: 'layerif-box',
        }),
        Plot.ruleY(at, {
          ...half(0.28),
          y: (d: (typeof at)[0]) => d.quartiles[2],
          stroke: 'var(--vscode-editor-background)',
          strokeWidth: 5,
        }),
        Plot.ruleY(at, { ...half(0.28), y: (d: (typeof at)[0]) => d.quartiles[2], stroke: foreground, strokeWidth: 2 }),
        Plot.dot(
          at.flatMap(({ place, outliers }) => outliers.map((y) => ({ place, y }))),
          { x: 'place', y: 'y', r: 2.5, stroke: foreground },
        ),
        Plot.dot(at, {
          x: 'place',
          y: 'mean',
          symbol: 'diamond',
          r: 4,
          fill: 'var(--vscode-editor-background)',
          stroke: foreground,
        }),
      ],
    }),
    label,
  );
}

/** One curve for each level, with two standard errors around it. @param log whether the axis of x is logarithmic */
export function effectPlot(
  curves: readonly EffectCurve[],
  { x, y, log, width, label }: { x: string; y: string; log: boolean; width: number; label: string },
): SVGSVGElement {
  const points = curves.map(({ x: places, effect, error }, style) =>
    places.map((place, i) => ({
      style,
      x: place,
      y: effect[i]!,
      low: effect[i]! - 2 * error[i]!,
      high: effect[i]! + 2 * error[i]!,
    })),
  );
  return finished(
    Plot.plot({
      ...common(width),
      x: { type: log ? 'log' : 'linear', label: null },
      y: { nice: true, label: y },
      marks: [
        ...yAxis(y),
        Plot.axisX({ ticks: 6, tickSize: 0, tickFormat: formatTick, label: x, labelArrow: 'none' }),
        ...points.flatMap((own, style) => [
          Plot.areaY(own, { x: 'x', y1: 'low', y2: 'high', fill: taskColour(style), fillOpacity: 0.2 }),
          Plot.line(own, {
            x: 'x',
            y: 'y',
            stroke: taskColour(style),
            strokeWidth: 2,
            strokeDasharray: taskStyle(style).dash || undefined,
          }),
        ]),
        Plot.ruleY([0], { stroke: 'var(--layerif-axis)', strokeDasharray: '2 3' }),
      ],
    }),
    label,
  );
}

export interface PlanePoint {
  x: number;
  y: number;
  /** Place of its group. */
  group: number;
}

/** Points with a sign and a colour for each group; beyond the sixth these repeat. */
export function planePlot(points: readonly PlanePoint[], width: number, label: string): SVGSVGElement {
  return finished(
    Plot.plot({
      ...common(width, 20),
      height: 380,
      x: { axis: null, nice: true },
      y: { axis: null, nice: true },
      marks: [
        Plot.frame({ stroke: 'var(--layerif-grid)' }),
        ...taskStyles.map(({ symbol }, style) =>
          Plot.dot(
            points.filter(({ group }) => group % taskStyles.length === style),
            { x: 'x', y: 'y', r: 4, symbol, stroke: taskColour(style), fill: taskColour(style), fillOpacity: 0.5 },
          ),
        ),
      ],
    }),
    label,
  );
}
