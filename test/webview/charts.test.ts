/**
 * What charts of a result draw, as golden files: SVG with rounded numbers, and the heat map's pixels by cell; and that
 * no component draws without one.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { assertGolden } from '../golden/golden.ts';
import { answerAll, trust, withIntervals } from './answers.ts';
import { assertChart } from './chartGolden.ts';
import { closePage, openPage } from './page.ts';
import { sampleResult } from './sampleResult.ts';

const result = withIntervals(
  sampleResult({ layers: 6, tasks: ['sentiment', 'capitals'], train: 8, validation: 4 }),
  [2],
);

async function open(tab: string): Promise<Page> {
  const opened = await openPage('results', { width: 800, state: { tab } });
  await opened.post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  await opened.post({ type: 'trust', trust: trust(result) });
  await answerAll(opened, result);
  return opened.page;
}

/** Tab -> golden name of the first drawing that a selector finds on it. */
const charts: Record<string, Record<string, string>> = {
  layers: { 'layer-chart': '.chart-canvas svg', 'signed-bar': 'svg.signed-bar' },
  trust: { 'damping-sweep': '.chart-canvas svg', 'interval-mark': 'svg.interval-mark' },
  allocation: { allocation: '.chart-canvas svg' },
  sparsity: { sparsity: '.chart-canvas svg' },
  run: { 'time-bar': 'svg.signed-bar' },
};

for (const [tab, drawn] of Object.entries(charts)) {
  test(`${tab}: ${Object.keys(drawn).join(', ')}`, async () => {
    const page = await open(tab);
    for (const [name, selector] of Object.entries(drawn)) await assertChart(page.locator(selector).first(), name);
    await closePage(page);
  });
}

test('heat map: the colour of every cell', async () => {
  const page = await open('layers');
  const canvas = page.locator('.chart-area.heat canvas').first();
  await canvas.waitFor();
  const cells = await canvas.evaluate(
    (node, { rows, columns }) => {
      const { width, height } = node as HTMLCanvasElement;
      const context = (node as HTMLCanvasElement).getContext('2d')!;
      const middle = (at: number, of: number, size: number) => Math.floor(((at + 0.5) * size) / of);
      return Array.from({ length: rows }, (_, y) =>
        Array.from({ length: columns }, (_, x) => {
          const [red, green, blue] = context.getImageData(
            middle(x, columns, width),
            middle(y, rows, height),
            1,
            1,
          ).data;
          return `${red},${green},${blue}`;
        }),
      );
    },
    { rows: 6, columns: 8 },
  );
  assertGolden('charts/heat-map.txt', `${cells.map((row) => row.join(' ')).join('\n')}\n`);
  await closePage(page);
});

/** Component that draws -> its golden files; a sentence where there is nothing of its own to compare. */
const goldenOf: Record<string, string[] | string> = {
  'AnalysisParts.tsx': ['box-plot.svg', 'partial-effect.svg', 'points.svg'],
  'HeatMap.tsx': ['heat-map.txt'],
  'IntervalMark.tsx': ['interval-mark.svg'],
  'LayerChart.tsx': ['layer-chart.svg'],
  'LossScatter.tsx': ['loss-scatter.svg'],
  'Picture.tsx': 'the frame of pictures that others draw',
  'RunTab.tsx': ['time-bar.svg'],
  'ScoreHeatMap.tsx': ['score-heat-map.svg'],
  'SeriesChart.tsx': ['allocation.svg', 'damping-sweep.svg', 'sparsity.svg'],
  'SignedBar.tsx': ['signed-bar.svg'],
  'ThresholdChart.tsx': ['threshold.svg'],
  'patterns.tsx': 'fills of bars, seen in the exported chart',
};

test('every component that draws has a golden file, and every golden file a component', () => {
  const source = join(import.meta.dirname, '../../webview/src');
  const drawing = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.tsx'))
    .filter((name) => /<(svg|canvas|Picture)\b|"chart-canvas"/.test(readFileSync(join(source, name), 'utf8')))
    .map((name) => name.replace(/^components./, ''));
  assert.deepEqual(drawing.sort(), Object.keys(goldenOf).sort());
  const folder = join(import.meta.dirname, '../golden/charts');
  const named = Object.values(goldenOf).flatMap((files) => (typeof files === 'string' ? [] : files));
  assert.deepEqual(readdirSync(folder).sort(), named.sort());
});
