/**
 * A drawn chart as a golden file. `UPDATE_GOLDEN=1` writes it anew: open the difference in a browser before you commit
 * it.
 */
import type { Locator } from 'playwright-core';
import { assertGolden } from '../golden/golden.ts';

/** One element a line, numbers to one decimal, without what changes from run to run. */
function tidy(svg: string): string {
  return svg
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/plot-[0-9a-z]+(-\d+)?/g, 'plot')
    .replace(/-?\d+\.\d+/g, (number) => String(Math.round(Number(number) * 10) / 10))
    .replace(/></g, '>\n<')
    .concat('\n');
}

/** @param svg one element @param name of `test/golden/charts/NAME.svg` */
export async function assertChart(svg: Locator, name: string): Promise<void> {
  await svg.waitFor({ state: 'attached' });
  assertGolden(`charts/${name}.svg`, tidy(await svg.evaluate((node) => node.outerHTML)));
}
