/** A run that goes on with further rows until its order is settled, or there are no more: from the page of a result. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { accessibilityFaults, enter, explainFailure, lens, resultsPage, screenshot, scoreTiny } from './workbench.ts';

let bench: Workbench;
let page: Page;

/** Both tasks name 6 and 3 of 36 rows. */
function fill(folder: string): void {
  const { experiment } = writeTinyWorkspace(folder, { layers: 6, train: 24 });
  const text = readFileSync(experiment, 'utf8').replaceAll('train[:24]', 'train[:6]');
  writeFileSync(experiment, text.replaceAll('train[24:36]', 'train[6:9]'));
}

before(async () => {
  bench = await startWorkbench({ vsix, fill });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

const results = (): Result[] => {
  const folder = join(bench.folder, 'runs', 'tiny');
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((run) => JSON.parse(readFileSync(join(folder, run, 'tiny.layerif-result.json'), 'utf8')) as Result);
};

test('Add Samples: the same result grows look by look, and says what ended it', async () => {
  const frame = await scoreTiny(page);
  assert.deepEqual(
    results().map(({ tasks }) => tasks.map(({ train }) => train.samples)),
    [[6, 6]],
  );
  await frame.locator('.verdict vscode-button', { hasText: 'Add Samples' }).click();
  const input = page.locator('.quick-input-widget input[type=text]');
  await input.waitFor();
  assert.equal(await input.inputValue(), '2000');
  await input.fill('three');
  await page.locator('.quick-input-message', { hasText: 'A whole number from 4.' }).waitFor();
  await input.fill('12');
  await input.press('Enter');
  const lines = (await resultsPage(page)).locator('.verdict p');
  // While rows are added the page shows the last look, and says so.
  const ended = /\(look [12] of at most 2\).*(is reached|a third of them at most)\.$/;
  for (const at of [0, 1]) await lines.nth(at).filter({ hasText: ended }).waitFor({ timeout: 60_000 });
  await lens(page, /^Cancel/)
    .first()
    .waitFor({ state: 'detached' });
  await screenshot(page, 'add-samples');
  const [result, ...more] = results();
  assert.equal(more.length, 0, 'the run grows in its own folder');
  for (const [at, { train, until, task }] of result.tasks.entries()) {
    assert.equal(until!.looks.at(-1)!.train, train.samples);
    assert.equal(until!.ended, until!.looks.at(-1)!.open > 2 ? 'rows' : 'settled');
    const words = (await lines.nth(at).innerText()).replaceAll('\u00a0', ' ');
    assert.match(
      words,
      until!.ended === 'rows' ? /The order is not settled: .* 12 × 6 samples .* limit of 12/ : /The order is settled/,
      task,
    );
  }
  assert.ok(result.tasks.some(({ train }) => train.samples === 12));
  assert.deepEqual(await accessibilityFaults(await resultsPage(page)), []);
});
