/** The results page and the side bar in the four kinds of themes: pictures for eyes, axe for what eyes miss. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  bars,
  chooseTheme,
  enter,
  explainFailure,
  openSideBar,
  resultsPage,
  scoreTiny,
  screenshot,
  webview,
} from './workbench.ts';

/** Name in pictures -> theme, and the class that VS Code gives to the body of a webview. */
const themes = {
  light: { theme: 'Light Modern', bodyClass: 'vscode-light' },
  dark: { theme: 'Dark Modern', bodyClass: 'vscode-dark' },
  'hc-dark': { theme: 'Dark High Contrast', bodyClass: 'vscode-high-contrast:not(.vscode-high-contrast-light)' },
  'hc-light': { theme: 'Light High Contrast', bodyClass: 'vscode-high-contrast-light' },
};

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => void writeTinyWorkspace(folder, { layers: 12, train: 24 }),
  });
  page = bench.page;
  await enter(bench);
  await openSideBar(page);
  await scoreTiny(page);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

for (const [name, { theme, bodyClass }] of Object.entries(themes)) {
  test(`${name}: nothing that axe finds, and both tasks in sight`, async () => {
    await chooseTheme(page, theme);
    for (const kind of ['results', 'layers']) {
      const frame = await webview(page, `body.${bodyClass}[data-layerif-page="${kind}"] main`);
      if (kind === 'results') await frame.locator('.sample-text').first().waitFor();
      assert.deepEqual(await accessibilityFaults(frame), [], `${kind} page`);
    }
    const strokes = await bars(await resultsPage(page)).evaluateAll((all) => [
      ...new Set(all.map((bar) => getComputedStyle(bar).stroke)),
    ]);
    assert.equal(strokes.length, 2, `a colour for each task: ${strokes.join(', ')}`);
    assert.ok(!strokes.includes('none'), 'a theme without one of our colours hides a task');
    await screenshot(page, name);
  });
}

test('axe finds a fault that is there', async () => {
  const frame = await resultsPage(page);
  await frame.evaluate(() => document.documentElement.removeAttribute('lang'));
  assert.match((await accessibilityFaults(frame)).join('\n'), /html-has-lang/);
});
