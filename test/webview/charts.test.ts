/**
 * What every chart component draws, as golden files: SVG with rounded numbers, and the heat map's pixels by cell.
 * `UPDATE_GOLDEN=1` writes them anew: open the difference in a browser before you commit it.
 */
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { assertGolden } from '../golden/golden.ts';
import { answerAll, trust, withIntervals } from './answers.ts';
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

/** One element a line, numbers to one decimal, without what changes from run to run. */
function tidy(svg: string): string {
  return svg
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/plot-[0-9a-z]+(-\d+)?/g, 'plot')
    .replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/></g, '>\n<')
    .concat('\n');
}

/** Tab, and golden name by place of the chart on it. */
const charts: Record<string, string[]> = {
  layers: ['layer-chart'],
  trust: ['damping-sweep'],
  allocation: ['allocation'],
  sparsity: ['sparsity'],
};

for (const [tab, names] of Object.entries(charts)) {
  test(`${tab}: ${names.join(', ')}`, async () => {
    const page = await open(tab);
    const drawn = page.locator('.chart-canvas svg');
    await drawn.first().waitFor();
    for (const [at, name] of names.entries()) {
      const svg = await drawn.nth(at).evaluate((node) => node.outerHTML);
      assertGolden(`charts/${name}.svg`, tidy(svg));
    }
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
