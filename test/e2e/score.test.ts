/**
 * What a user does with the installed extension, from an experiment file to layers, samples and back, in the order of
 * the steps below. The model is a tiny random Llama with two tasks.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import { writeTinyLlama, writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  bars,
  clickLens,
  cursorLine,
  editor,
  enter,
  explainFailure,
  lens,
  notification,
  openFile,
  openSideBar,
  resultsPage,
  runCommand,
  screenshot,
  treeRows,
  until,
  webview,
} from './workbench.ts';

const LAYERS = 6;
const TRAIN = 24;

let bench: Workbench;
let page: Page;

function fill(folder: string): void {
  const { experiment } = writeTinyWorkspace(folder, {
    layers: LAYERS,
    hidden: 128,
    heads: 8,
    train: TRAIN,
  });
  const text = readFileSync(experiment, 'utf8');
  writeFileSync(
    join(folder, 'broken.layerif.yaml'),
    text.replace('doc_to_target: sentiment', 'doc_to_targett: sentiment'),
  );
  const cut = join(folder, 'cut-model');
  writeTinyLlama(cut);
  const weights = readFileSync(join(cut, 'model.safetensors'));
  writeFileSync(join(cut, 'model.safetensors'), weights.subarray(0, weights.length - 1000));
  writeFileSync(join(folder, 'bad-model.layerif.yaml'), text.replace('path: ./model', 'path: ./cut-model'));
}

before(async () => {
  bench = await startWorkbench({ vsix, fill });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

/** Results of the experiment, oldest first. A run's folder is there before its file. */
function results(): Result[] {
  const folder = join(bench.folder, 'runs', 'tiny');
  return readdirSync(folder)
    .sort()
    .map((run) => join(folder, run, 'tiny.layerif-result.json'))
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Result);
}
const lineOf = (file: string, text: string) =>
  readFileSync(join(bench.folder, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

test('a wrong key is underlined and explained', async () => {
  await openFile(page, 'broken.layerif.yaml');
  await editor(page, 'broken.layerif.yaml').locator('.squiggly-error').first().waitFor();
  await runCommand(page, 'Problems: Focus on Problems View');
  const problem = page.locator('.markers-panel .monaco-list-row', { hasText: 'doc_to_targett' });
  await problem.first().waitFor();
  assert.match((await problem.first().textContent()) ?? '', /did you mean/i);
  await screenshot(page, 'diagnostics');
  await runCommand(page, 'View: Hide Panel');
});

test('lenses say what they score', async () => {
  await openFile(page, 'tiny.layerif.yaml');
  await lens(page, /^Score Layers$/).waitFor();
  await lens(page, `Score This Task · ${TRAIN} train × ${TRAIN / 2} validation`)
    .first()
    .waitFor();
  await lens(page, `Score Layers with This Dataset · ${TRAIN * 1.5} rows`)
    .first()
    .waitFor();
  assert.equal(await lens(page, 'Score This Task').count(), 2);
  await screenshot(page, 'lenses');
});

test('Score Layers shows progress, then results beside the experiment', async () => {
  await clickLens(page, /^Score Layers$/);
  await notification(page, /LayerIF: /).waitFor();
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 60_000 });
  await notification(page, /LayerIF: /).waitFor({ state: 'detached' });
  await screenshot(page, 'results');
});

test('every layer has a bar for each task, in the order of the result file', async () => {
  const frame = await resultsPage(page);
  const [result] = results();
  assert.equal(result.status, 'complete');
  assert.equal(await bars(frame).count(), LAYERS * 2);
  const labels = await bars(frame).evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label') ?? ''));
  for (const { task, layers } of result.tasks) {
    assert.equal(layers.length, LAYERS);
    const ranked = [...layers].sort((a, b) => b.score - a.score);
    for (const [rank, { index }] of ranked.entries()) {
      assert.equal(
        labels.filter(
          (label) => label.startsWith(`Layer ${index}, ${task}: `) && new RegExp(`, rank ${rank + 1}(,|$)`).test(label),
        ).length,
        1,
        `layer ${index} of ${task}`,
      );
    }
  }
});

/** Clicks the middle of the bar of a layer and task. */
async function clickBar(frame: Frame, layer: number, task: string, modifiers: 'Control'[] = []): Promise<void> {
  const bar = frame.locator(`.layerif-bar [aria-label^="Layer ${layer}, ${task}: "]`);
  // The end of a run draws its bars anew, with what is known of other samples.
  const box = await until('the bar', async () => {
    const inSight = await bar.scrollIntoViewIfNeeded({ timeout: 3000 }).then(
      () => true,
      () => false,
    );
    return inSight ? await bar.boundingBox() : null;
  });
  for (const key of modifiers) await page.keyboard.down(key);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  for (const key of modifiers) await page.keyboard.up(key);
}

test('a click on a bar selects the layer; the heat map is drawn and selects a sample', async () => {
  const frame = await resultsPage(page);
  await clickBar(frame, 2, 'sentiment');
  await frame.locator('#detail-heading', { hasText: 'Layer 2' }).waitFor();
  const canvas = frame.locator('.heat canvas');
  const colours = await canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const { data } = (element as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
    const seen = new Set<number>();
    for (let at = 0; at < data.length; at += 4) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return seen.size;
  });
  assert.ok(colours > 10, `${colours} colours in the heat map`);
  const box = (await canvas.boundingBox())!;
  const cell = { row: 4, column: 3 };
  await canvas.scrollIntoViewIfNeeded();
  await canvas.click({
    position: { x: ((cell.column + 0.5) * box.width) / TRAIN, y: ((cell.row + 0.5) * box.height) / LAYERS },
    force: true,
  });
  await frame.locator('#detail-heading', { hasText: 'Layer 4' }).waitFor();
  await frame.locator('.sample-table', { hasText: 'Selected sample' }).waitFor();
});

test('the samples of the layer are shown with their texts, most helpful first', async () => {
  const frame = await resultsPage(page);
  const [{ tasks }] = results();
  const influence = tasks[0].influence[4];
  const order = influence.map((_, index) => index).sort((a, b) => influence[b] - influence[a]);
  const table = frame.locator('.sample-table', { hasText: 'Most helpful training samples' });
  const rows = table.locator('tbody tr');
  await rows.first().scrollIntoViewIfNeeded();
  await until('texts', async () => (await rows.first().textContent())?.includes('Review: '));
  const lines = readFileSync(join(bench.folder, 'data/reviews.jsonl'), 'utf8').split('\n');
  for (const place of [0, 1]) {
    const text = (await rows.nth(place).textContent()) ?? '';
    const { review } = JSON.parse(lines[order[place]]) as { review: string };
    assert.ok(text.includes(review), `${text}\nlacks\n${review}`);
    assert.ok(text.includes(`reviews.jsonl:${order[place] + 1}`), text);
  }
  await screenshot(page, 'samples');
});

test('Open in dataset jumps to the row', async () => {
  const frame = await resultsPage(page);
  const row = frame.locator('.sample-table', { hasText: 'Most helpful training samples' }).locator('tbody tr').first();
  const line = Number(((await row.textContent()) ?? '').match(/reviews\.jsonl:(\d+)/)?.[1]);
  await row.getByRole('button', { name: 'Open in dataset' }).click();
  await editor(page, 'data/reviews.jsonl').locator('.view-lines').waitFor();
  await until('the cursor', async () => (await cursorLine(page)) === line);
});

test('a bar leads to its task, a score to its dataset', async () => {
  const frame = await resultsPage(page);
  await clickBar(frame, 1, 'capital', ['Control']);
  await until(
    'the line of the task',
    async () => (await cursorLine(page)) === lineOf('tiny.layerif.yaml', 'task: capital'),
  );
  await frame.getByRole('button', { name: 'Open dataset reviews in the experiment file' }).click();
  await until(
    'the line of the dataset',
    async () => (await cursorLine(page)) === lineOf('tiny.layerif.yaml', 'reviews:'),
  );
});

test('the side bar shows the layers, the run and the experiments', async () => {
  await openSideBar(page);
  const frame = await webview(page, 'body[data-layerif-page="layers"] table.side-bars');
  assert.equal(await frame.locator('table.side-bars tbody tr').count(), LAYERS);
  assert.equal(await frame.locator('table.side-bars .signed-bar').count(), LAYERS);
  await treeRows(page, 'Runs').filter({ hasText: 'tiny' }).first().waitFor();
  await treeRows(page, 'Experiments').filter({ hasText: 'tiny' }).first().waitFor();
  await screenshot(page, 'side-bar');
});

test('Score This Task scores one task, and the lens remembers', async () => {
  await openFile(page, 'tiny.layerif.yaml');
  await clickLens(page, 'Score This Task', 1);
  await until(
    'a second result',
    async () => Promise.resolve(results().length === 2 && results()[1].status === 'complete'),
    60_000,
  );
  assert.deepEqual(
    results()[1].tasks.map(({ task }) => task),
    ['capital'],
  );
  assert.deepEqual(
    results()[1].tasks[0].layers,
    results()[0].tasks[1].layers,
    'the task alone has the scores it had beside the other',
  );
  await lens(page, /Score This Task · .* · last score (just now|\d+ \w+ ago)/)
    .first()
    .waitFor();
  for (const title of ['Open Last Result', 'Estimate']) await lens(page, title).first().waitFor();
  // Hints say what the result knows of the slices.
  await page
    .locator('.view-line', { hasText: /training_split:.*\d+\srows,\s\d+\stokens\seach/ })
    .first()
    .waitFor();
  await screenshot(page, 'lenses-and-hints');
  await until(
    'two runs in the tree',
    async () => (await treeRows(page, 'Runs').filter({ hasText: '2 runs' }).count()) === 1,
  );
});

test('Score Layers with This Dataset scores the tasks over it', async () => {
  await clickLens(page, 'Score Layers with This Dataset');
  await until(
    'a third result',
    async () => Promise.resolve(results().length === 3 && results()[2].status === 'complete'),
    60_000,
  );
  assert.deepEqual(
    results()[2].tasks.map(({ task }) => task),
    ['sentiment'],
  );
});

test('a truncated model is refused in one sentence, and earlier results stay', async () => {
  await openFile(page, 'bad-model.layerif.yaml');
  await clickLens(page, /^Score Layers$/);
  const toast = notification(page, /Scoring bad-model failed: .*model\.safetensors/);
  await toast.waitFor();
  await notification(page, /LayerIF: Scoring/).waitFor({ state: 'detached' });
  await screenshot(page, 'bad-model');
  assert.equal(results().length, 3);
  await runCommand(page, 'Notifications: Clear All Notifications');
});
