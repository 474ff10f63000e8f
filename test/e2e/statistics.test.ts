/** Analyse Table and Predict Benchmark Score in the installed extension: from palette and explorer to page and file. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root, startWorkbench } from './harness.ts';
import { choose } from '../webview/choose.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  chooseInMenu,
  chooseTheme,
  enter,
  explainFailure,
  runCommand,
  screenshot,
  until,
  webview,
} from './workbench.ts';

let bench: Workbench;
let page: Page;
const config = {
  model_type: 'llama',
  num_hidden_layers: 30,
  hidden_size: 576,
  intermediate_size: 1536,
  vocab_size: 49152,
};

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      copyFileSync(join(root, 'test/reference/analysis/table.csv'), join(folder, 'leaderboard.csv'));
      mkdirSync(join(folder, 'small'));
      writeFileSync(join(folder, 'small', 'config.json'), JSON.stringify(config));
    },
  });
  page = bench.page;
  await enter(bench);
  await page.locator('.activitybar .action-label[aria-label="LayerIF"]').waitFor({ timeout: 60_000 });
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

/** An entry of the menu of a file in the explorer. */
const fromExplorer = (file: string, entry: string) =>
  chooseInMenu(
    page,
    page.locator('.explorer-folders-view .monaco-list-row', { hasText: file }).first(),
    new RegExp(entry),
  );

test('a table: groups, curve and points of chosen columns, an export, high contrast', async () => {
  await fromExplorer('leaderboard.csv', 'Analyse Table');
  const frame = await webview(page, 'body[data-layerif-page="analysis"] main table', 60_000);
  await choose(frame, 'Response', 'ARC');
  await choose(frame, 'Groups', 'Architecture');
  await choose(frame, 'Curve over', 'Params');
  await choose(frame, 'Random effect', 'Architecture');
  await choose(frame, 'Points', 'tsne');
  await frame.locator('svg[aria-label^="Box plots of ARC by Architecture"]').waitFor();
  await frame.locator('svg[aria-label^="Partial effect of Params on ARC"]').waitFor();
  await frame.locator('svg[aria-label^="120 rows in the plane by t-SNE"]').waitFor({ timeout: 60_000 });
  const matrix = frame.getByRole('region', { name: 'Tukey matrix' });
  assert.equal(await matrix.locator('tbody tr').count(), 8);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'statistics');
  await frame.locator('svg[aria-label^="120 rows in the plane"]').scrollIntoViewIfNeeded();
  await screenshot(page, 'statistics-points');
  await chooseTheme(page, 'Dark High Contrast');
  await frame.locator('body.vscode-high-contrast').waitFor();
  assert.deepEqual(await accessibilityFaults(frame), []);
  await frame.locator('h1').scrollIntoViewIfNeeded();
  await screenshot(page, 'statistics-high-contrast');
  await chooseTheme(page, 'Dark Modern');

  await frame
    .getByRole('group', { name: 'Copy and save: ARC by Architecture' })
    .locator('vscode-button', { hasText: 'Save as CSV' })
    .click();
  const input = page.locator('.quick-input-widget input[type=text]');
  await until('the proposed name', async () => (await input.inputValue()).endsWith('leaderboard.groups.csv'));
  await input.press('Enter');
  const file = join(bench.folder, 'leaderboard.groups.csv');
  await until('the saved table', () => Promise.resolve(existsSync(file)));
  assert.match(readFileSync(file, 'utf8'), /^Architecture,rows,mean,/);
  // What follows opens it again.
  await input.waitFor({ state: 'hidden' });
});

test('a prediction: by hand from the palette, of a config.json from the explorer; a slider moved by keys', async () => {
  await runCommand(page, 'LayerIF: Predict Benchmark Score');
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Numbers by Hand' }).first().waitFor();
  await page.locator('.quick-input-widget input[type=text]').press('Enter'); // the first entry; the list moves while it opens
  const frame = await webview(page, 'body[data-layerif-page="predict"] .prediction', 60_000);
  const score = () => frame.locator('.prediction').innerText();
  assert.equal(await score(), 'MMLU 65.4');
  await frame.getByRole('slider', { name: 'Layers' }).press('ArrowLeft');
  await until('another score', async () => (await score()) !== 'MMLU 65.4');
  await frame.getByRole('textbox', { name: 'Measured MMLU' }).fill('90');
  await frame.locator('.sign').waitFor();
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'predict');

  await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'small' }).first().click();
  await fromExplorer('config.json', 'Predict Benchmark Score');
  const named = await webview(
    page,
    'body[data-layerif-page="predict"] h1:has-text("Predicted score of small")',
    60_000,
  );
  assert.equal(await named.locator('.prediction').innerText(), 'MMLU 25.0');
});
