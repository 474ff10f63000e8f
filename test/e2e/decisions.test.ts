/**
 * From scores to trust and decisions in the installed extension: whiskers, another estimator at once, the self-check,
 * the damping sweep, allocations, sparsities, pruning with evaluation, and results beside each other. The model is a
 * tiny random Llama with two tasks.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import type { AllocationFile } from '../../protocol/allocation.ts';
import type { PruningComparison } from '../../protocol/pruning.ts';
import type { Result } from '../../protocol/result.ts';
import type { ScoresFile } from '../../protocol/scores.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { choose } from '../webview/choose.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  bars,
  chooseTheme,
  enter,
  explainFailure,
  notification,
  resultsPage,
  runCommand,
  scoreTiny,
  screenshot,
  until,
  webview,
} from './workbench.ts';

const LAYERS = 6;

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => void writeTinyWorkspace(folder, { layers: LAYERS, hidden: 64, heads: 4, train: 16 }),
  });
  page = bench.page;
  await page.setViewportSize({ width: 1500, height: 1000 });
  await enter(bench);
  await scoreTiny(page);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

const runs = () => join(bench.folder, 'runs', 'tiny');
/** The file of the run that ends so, once it is there. */
function fileOf(suffix: string): string | null {
  const found = readdirSync(runs()).map((run) => join(runs(), run, `tiny${suffix}`));
  return found.find((file) => existsSync(file)) ?? null;
}
const result = () => JSON.parse(readFileSync(fileOf('.layerif-result.json')!, 'utf8')) as Result;
const tab = (frame: Frame, name: string) => frame.getByRole('tab', { name }).click();

test('intervals are drawn by default', async () => {
  const frame = await resultsPage(page);
  const { tasks } = result();
  assert.ok(tasks.every(({ uncertainty, layers }) => uncertainty && layers.every(({ interval }) => interval)));
  const whiskers = await frame.locator('.layerif-whisker line').count();
  assert.equal(whiskers, tasks.length * LAYERS);
  await frame.getByText(/Whiskers: where the score lies on 90\s%/).waitFor();
  await screenshot(page, 'whiskers');
});

test('another estimator is shown at once, and says that it is recomputed', async () => {
  const frame = await resultsPage(page);
  const labels = () => bars(frame).evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label') ?? ''));
  const own = await labels();
  await choose(frame, 'Estimator', 'dot');
  await frame.locator('.recomputed', { hasText: 'Recomputed from the stored inner products' }).waitFor();
  assert.notDeepEqual(await labels(), own);
  await screenshot(page, 'recomputed');
  await frame.getByRole('button', { name: /Back to the run/ }).click();
  await frame.locator('.recomputed').waitFor({ state: 'detached' });
  assert.deepEqual(await labels(), own);
});

test('Trust: the sweep is drawn, gradients are checked on request', async () => {
  const frame = await resultsPage(page);
  await tab(frame, 'Trust');
  await frame
    .getByRole('application', { name: /Rank stability/ })
    .locator('svg')
    .waitFor();
  await frame
    .getByText(/The order of layers (hardly moves|is not defined)/)
    .first()
    .waitFor();
  await frame.locator('vscode-button', { hasText: 'Check Gradients' }).click();
  await frame.getByText('All checks passed').waitFor({ timeout: 90_000 });
  await notification(page, /Gradients of tiny: \d checks passed/).waitFor();
  await runCommand(page, 'Notifications: Clear All Notifications');
  assert.deepEqual(await accessibilityFaults(await resultsPage(page)), []);
  await screenshot(page, 'trust');
});

test('Allocation: exact totals, a reason for every layer, saved beside the result', async () => {
  await runCommand(page, 'LayerIF: Allocate LoRA Experts from Scores');
  const frame = await resultsPage(page);
  await frame.getByRole('heading', { name: 'LoRA experts per layer' }).waitFor();
  await frame.getByText(`${5 * LAYERS} experts over ${LAYERS} layers`).waitFor();
  const reasons = frame.locator('tr[title^="Layer"]');
  assert.equal(await reasons.count(), LAYERS);
  assert.match((await reasons.first().getAttribute('title'))!, /^Layer 0 gets \d+ experts? because/);
  const doubt = frame.getByRole('region', { name: 'How far to rely on it' });
  await doubt.getByText(/On other samples of this kind \(90\s% of 200 draws\)/).waitFor();
  await frame.locator('.series-legend', { hasText: 'Uniform' }).waitFor();
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'allocation');
  await frame.locator('vscode-button', { hasText: 'Save beside Result' }).click();
  await notification(page, /The allocation is saved as/).waitFor();
  const { allocations } = JSON.parse(readFileSync(fileOf('.layerif-allocation.json')!, 'utf8')) as AllocationFile;
  assert.equal(
    allocations.experts!.layers.reduce((sum, { value }) => sum + value, 0),
    5 * LAYERS,
  );
  await runCommand(page, 'Notifications: Clear All Notifications');
});

/** Takes the first entry of a list after typing. */
async function pick(entry: string): Promise<void> {
  const input = page.locator('.quick-input-widget input[type=text]');
  await input.waitFor({ state: 'visible' });
  await input.fill(entry);
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: entry }).first().waitFor({ timeout: 60_000 });
  await input.press('Enter');
}

test('Export Results: a chart of another tab as SVG, a table as CSV, and the page as one file', async () => {
  const exported = async (entry: string, suffix: string) => {
    await runCommand(page, 'LayerIF: Export Results');
    await pick(entry);
    // The editor's own list of folders and files, with the proposed name in it.
    const name = page.locator('.quick-input-widget input[type=text]');
    await until('the proposed name', async () => (await name.inputValue()).endsWith(suffix));
    await name.press('Enter');
    return readFileSync(await until(suffix, () => Promise.resolve(fileOf(suffix))), 'utf8');
  };
  const svg = await exported('Layer scores as SVG', '.layers-layer-scores.svg');
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  const csv = await exported('Allocation per layer as CSV', '.allocation-allocation-per-layer.csv');
  assert.equal(csv.trim().split('\r\n').length, 1 + LAYERS);
  const html = await exported('Everything on this page', '.html');
  assert.match(html, /<h2 class="printed-name">Sparsity<\/h2>/);
  const report = await page.context().newPage();
  await report.setContent(html);
  await report.locator('.printed-name', { hasText: 'Trust' }).waitFor();
  await screenshot(report, 'exported-page');
  await report.close();
  await runCommand(page, 'Notifications: Clear All Notifications');
});

test('Sparsity: the share is exact and baselines are drawn', async () => {
  const frame = await resultsPage(page);
  await tab(frame, 'Sparsity');
  await frame.getByText(/50\.00\s% of the prunable weights/).waitFor();
  await frame.locator('.series-legend', { hasText: 'Reversed (control)' }).waitFor();
  await screenshot(page, 'sparsity');
});

test('Sparsity by OWL is measured in place, and the Scores tab shows what was measured', async () => {
  const frame = await resultsPage(page);
  await choose(frame, 'Rule', 'owl');
  await frame.getByRole('button', { name: 'Measure now' }).click();
  await frame.locator('.caption', { hasText: /50\.00\s% of the prunable weights/ }).waitFor({ timeout: 60_000 });
  const { tables } = JSON.parse(readFileSync(fileOf('.layerif-scores.json')!, 'utf8')) as ScoresFile;
  const table = tables.find(({ score }) => score === 'owl')!;
  assert.equal(table.values.length, LAYERS);
  await screenshot(page, 'sparsity-owl');
  await tab(frame, 'Scores');
  await frame.getByRole('heading', { name: table.title }).waitFor();
  const rows = frame.locator('table.score-rows tbody tr');
  assert.equal(await rows.count(), LAYERS);
  const shown = Number(await rows.locator('td').first().textContent());
  assert.ok(Math.abs(shown / table.values[0]! - 1) < 1e-3, `${shown} is not ${table.values[0]}`);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'scores');
});

test('What if blocks were removed: layers are ticked, the perplexity without them is measured and stays', async () => {
  const frame = await resultsPage(page);
  const part = frame.locator('.what-if', { hasText: 'What if these blocks were removed?' });
  for (const layer of ['1', '2']) await part.getByRole('checkbox', { name: layer, exact: true }).check();
  await part.locator('vscode-button', { hasText: 'Measure without 2 layers' }).click();
  const row = part.locator('tbody tr');
  await row.waitFor({ timeout: 60_000 });
  const { tables } = JSON.parse(readFileSync(fileOf('.layerif-scores.json')!, 'utf8')) as ScoresFile;
  const table = tables.find(({ score }) => score === 'removal')!;
  assert.deepEqual(table.axes[0].labels, ['1-2']);
  const cells = await row.locator('td').allTextContents();
  assert.ok(Math.abs(Number(cells[0]) / table.parts!.perplexity[0]! - 1) < 1e-2, `${cells[0]}`);
  assert.equal(cells.at(-1), 'you');
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'what-if');
});

test('Probe Layers and Show Claimed Weights: tasks are ticked, the tab Scores shows them beside each other', async () => {
  const run = async (command: string, untick: string | null) => {
    await runCommand(page, command);
    const input = page.locator('.quick-input-widget');
    await input.locator('input[placeholder^="Tasks whose"]').waitFor();
    if (untick !== null) await input.locator('.monaco-list-row', { hasText: untick }).first().click();
    await input.getByRole('button', { name: 'OK' }).click();
  };
  // No two capitals are alike, so that nothing can be told from them.
  await run('LayerIF: Probe Layers on Labels', 'capital');
  const frame = await resultsPage(page);
  await frame.locator('#score-heading', { hasText: 'Probe on labels' }).waitFor({ timeout: 60_000 });
  await run('LayerIF: Show Claimed Weights', null);
  await frame
    .locator('#score-heading', { hasText: 'Share of the weights that the task claims' })
    .waitFor({ timeout: 60_000 });
  const { tables } = JSON.parse(readFileSync(fileOf('.layerif-scores.json')!, 'utf8')) as ScoresFile;
  assert.deepEqual(
    tables.filter(({ texts }) => texts?.startsWith('task ')).map(({ score, texts }) => [score, texts!.split(',')[0]]),
    [
      ['probe', 'task sentiment'],
      ['spider', 'task sentiment'],
      ['spider', 'task capital'],
    ],
  );
  const charts = frame.locator('.small-multiples h3');
  assert.equal(await charts.filter({ hasText: 'Share of the weights' }).count(), 2);
  await chooseTheme(page, 'Dark High Contrast');
  await screenshot(page, 'scores-beside-each-other-high-contrast');
  await chooseTheme(page, 'Dark Modern');
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'scores-beside-each-other-dark');
  await chooseTheme(page, 'Light Modern');
});

test('Prune and Evaluate: choices, an estimate, then the comparison', async () => {
  await runCommand(page, 'LayerIF: Prune and Evaluate');
  const input = page.locator('.quick-input-widget');
  for (const step of ['Maps', 'Methods']) {
    await input.locator(`input[placeholder^="${step}"]`).waitFor();
    if (step === 'Maps')
      // AlphaPruning and OWL are tested without an editor
      for (const name of ['OWL', 'AlphaPruning'])
        await input.locator('.monaco-list-row', { hasText: name }).first().click();
    await input.getByRole('button', { name: 'OK' }).click();
  }
  await input.getByText('Share of the prunable weights').waitFor();
  await input.locator('input[type=text]').press('Enter');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.getByText(/3 prunings of tiny take about/).waitFor({ timeout: 60_000 });
  await dialog.getByRole('button', { name: 'Prune and Evaluate' }).click();
  const frame = await webview(page, 'body[data-layerif-page="comparison"] main h1', 120_000);
  await frame.getByText('Complete').waitFor({ timeout: 60_000 });
  const comparison = JSON.parse(readFileSync(fileOf('.layerif-pruning-comparison.json')!, 'utf8')) as PruningComparison;
  assert.deepEqual(
    comparison.prunings.map(({ map }) => map),
    ['none', 'uniform', 'layerif', 'reversed'],
  );
  assert.equal(await frame.locator('table.data tbody tr').count(), 4);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'pruning-comparison');
});

test('Compare Results: the two tasks of the run beside each other', async () => {
  await runCommand(page, 'LayerIF: Compare Results');
  const input = page.locator('.quick-input-widget');
  await input.locator('input[placeholder^="Results to compare"]').waitFor();
  await input.locator('.monaco-list-row', { hasText: 'tiny' }).first().click();
  await input.getByRole('button', { name: 'OK' }).click();
  const frame = await webview(page, 'body[data-layerif-page="comparison"] table.matrix');
  assert.equal(await frame.locator('table.matrix tbody tr').count(), 2);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'results-compared');
});
