/**
 * Rows of a dataset in the installed extension: a score of rows as a threshold, the subset that is written, never over
 * the dataset. The model is a tiny random Llama.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Frame, Page } from 'playwright-core';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  chooseTheme,
  editor,
  enter,
  explainFailure,
  notification,
  openFile,
  resultsPage,
  runCommand,
  scoreTiny,
  screenshot,
  until,
} from './workbench.ts';

const ROWS = 24;
let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      const { experiment } = writeTinyWorkspace(folder, { layers: 3, train: ROWS });
      appendFileSync(experiment, 'data_scores: [ifd_ppl, length, random, { token_mask: { threshold: 300 } }]\n');
    },
  });
  page = bench.page;
  await page.setViewportSize({ width: 1500, height: 1000 });
  await enter(bench);
  await scoreTiny(page);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

const button = (frame: Frame, text: string | RegExp) => frame.locator('vscode-button', { hasText: text });
const input = () => page.locator('.quick-input-widget input[type=text]');
const proposed = () => until('the proposed name', async () => (await input().inputValue()).includes('tiny.'));
const dark = async (frame: Frame, name: string) => {
  for (const [theme, kind, body] of [
    ['Dark Modern', 'dark', 'vscode-dark'],
    ['Dark High Contrast', 'high-contrast', 'vscode-high-contrast'],
  ]) {
    await chooseTheme(page, theme);
    await frame.locator(`body.${body}`).waitFor();
    assert.deepEqual(await accessibilityFaults(frame), [], `${name}, ${theme}`);
    await screenshot(page, `${name}-${kind}`);
  }
  await chooseTheme(page, 'Light Modern');
};

/** Read anew by the server: perplexities above 300 are masked, and the keys say the same as the table. */
async function tokensOfFirstRow(frame: Frame, name: string): Promise<void> {
  const open = frame.getByRole('button', { name: /^Tokens of reviews\.jsonl:/ }).first();
  await open.click();
  const map = frame.getByRole('application', { name: /^\d+ tokens of .*, \d+ counted by token_mask, \d+ masked$/ });
  await map.press('End');
  const words = await frame.locator('.token-words').innerText();
  const [, perplexity, masked] = /perplexity ([\d,.]+), (not )?masked/.exec(words)!;
  assert.equal(Number(perplexity.replaceAll(',', '')) > 300, masked === undefined, words);
  await frame.locator('.token-map summary').click();
  const cells = await frame.locator('.token-map tbody tr').last().locator('td').allInnerTexts();
  assert.deepEqual(cells.slice(-2), [perplexity, masked === undefined ? 'yes' : 'no']);
  await frame.locator('.token-map').scrollIntoViewIfNeeded();
  await dark(frame, name);
  await open.click();
}

test('Select Rows by Score: a threshold moved by keys, the subset written where it is asked for', async () => {
  await runCommand(page, 'LayerIF: Select Rows by Score');
  const frame = await resultsPage(page);
  const slider = frame.getByRole('slider', { name: /^Threshold of Instruction-following difficulty/ });
  await slider.waitFor();
  assert.match((await slider.getAttribute('aria-valuetext'))!, new RegExp(`keeps \\d+ of ${ROWS} rows`));
  await slider.press('End');
  for (let key = 0; key < 3; key++) await slider.press('ArrowLeft');
  const kept = Number((await slider.getAttribute('aria-valuetext'))!.match(/keeps (\d+)/)![1]);
  assert.ok(kept >= 4 && kept < ROWS);
  await frame.locator('table.rows .sample-text', { hasText: 'Review: ' }).first().waitFor();
  const write = frame.locator('.write-preview').getByRole('button', { name: `Write ${kept} Rows` });
  await write.waitFor();
  await dark(frame, 'data');
  await frame.locator('table.rows').scrollIntoViewIfNeeded();
  await screenshot(page, 'data-rows');
  await tokensOfFirstRow(frame, 'data-tokens');
  await button(frame, `Write ${kept} Rows`).click();
  await proposed();
  const file = await input().inputValue();
  await input().press('Enter');
  await notification(
    page,
    new RegExp(`${kept} of ${ROWS} rows are written to runs/tiny/.*tiny\\.ifd_ppl\\.jsonl`),
  ).waitFor();
  const written = readFileSync(file, 'utf8').trim().split('\n');
  assert.equal(written.length, kept);
  const data = readFileSync(join(bench.folder, 'data', 'reviews.jsonl'), 'utf8');
  for (const line of written) assert.ok(data.includes((JSON.parse(line) as { review: string }).review));
  assert.ok(existsSync(`${file}.provenance.json`));
  await runCommand(page, 'Notifications: Clear All Notifications');
});

test('never over a file: the dataset itself is refused and stays as it was', async () => {
  const frame = await resultsPage(page);
  const data = join(bench.folder, 'data', 'reviews.jsonl');
  const before = readFileSync(data, 'utf8');
  await frame.locator('table.rows td.picked input').first().press(' ');
  await button(frame, 'Write Dataset without These Rows').click();
  const write = button(frame, `Write ${ROWS - 1} Rows`);
  await write.waitFor();
  await write.click();
  await proposed();
  await input().fill(data);
  await delay(1500); // the list of files follows what is typed, and takes no Enter until then
  await input().press('Enter');
  // The dialog itself asks whether the file may be replaced.
  await page
    .locator('.quick-input-widget .monaco-button', { hasText: /^(Yes|OK)$/ })
    .or(page.locator('.monaco-dialog-box .monaco-button', { hasText: /Replace|Yes/ }))
    .first()
    .click();
  await notification(page, /was not written: .*reviews\.jsonl exists already/).waitFor();
  assert.equal(readFileSync(data, 'utf8'), before);
  await until('the row is still ticked', async () => (await frame.locator('table.rows tr.selected').count()) === 1);
  await runCommand(page, 'Notifications: Clear All Notifications');
});

test('Samples: over all layers, found by a search, left out of a new dataset', async () => {
  const frame = await resultsPage(page);
  await frame.getByRole('tab', { name: 'Samples' }).click();
  await frame
    .locator('vscode-single-select[label="Layer"]')
    .last()
    .evaluate((element) => {
      (element as HTMLElement & { value: string }).value = 'all';
      element.dispatchEvent(new Event('change'));
    });
  await frame.getByRole('heading', { name: /Training samples over 3 layers/ }).waitFor();
  await frame.locator('table.rows .sample-text', { hasText: 'Review: ' }).first().waitFor();
  await tokensOfFirstRow(frame, 'samples-tokens');
  await frame.locator('table.rows td.picked input').first().press(' ');
  await button(frame, 'Write Dataset without These Rows').click();
  await button(frame, `Write ${ROWS - 1} Rows`).waitFor();
  await dark(frame, 'samples');
  await button(frame, `Write ${ROWS - 1} Rows`).click();
  await proposed();
  const file = await input().inputValue();
  await input().press('Enter');
  await notification(page, new RegExp(`${ROWS - 1} of ${ROWS} rows are written to`)).waitFor();
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, ROWS - 1);
  await runCommand(page, 'Notifications: Clear All Notifications');
});

test('marks in the data file: the file without marked rows after a preview, no marks when it has changed', async () => {
  await openFile(page, 'reviews.jsonl');
  const text = editor(page, 'reviews.jsonl');
  const decorated = () => text.locator('[class*="TextEditorDecorationType"]').count();
  await until('decorations', async () => (await decorated()) > 0);
  await screenshot(page, 'marks-light');
  for (const [theme, name] of [
    ['Dark Modern', 'dark'],
    ['Dark High Contrast', 'high-contrast'],
  ]) {
    await chooseTheme(page, theme);
    await screenshot(page, `marks-${name}`);
  }
  await chooseTheme(page, 'Light Modern');
  const before = readFileSync(join(bench.folder, 'data', 'reviews.jsonl'), 'utf8');
  await runCommand(page, 'LayerIF: Write Data File without Marked Rows');
  const toast = notification(page, /nothing is written yet/);
  await toast.waitFor();
  await screenshot(page, 'marks-preview');
  await toast.getByRole('button', { name: 'Write' }).click();
  await until('the proposed name', async () => (await input().inputValue()).includes('reviews-without-'));
  const file = await input().inputValue();
  await input().press('Enter');
  await notification(page, /rows are written to data\/reviews-without-/).waitFor();
  const written = readFileSync(file, 'utf8').split('\n');
  assert.ok(written.length < before.split('\n').length);
  for (const line of written) assert.ok(before.includes(line));
  assert.equal(readFileSync(join(bench.folder, 'data', 'reviews.jsonl'), 'utf8'), before);
  appendFileSync(join(bench.folder, 'data', 'reviews.jsonl'), '{"review":"More.","sentiment":"positive"}\n');
  await runCommand(page, 'Notifications: Clear All Notifications');
  await openFile(page, 'reviews.jsonl');
  await until('no decorations', async () => (await decorated()) === 0);
});
