/**
 * The first minutes of somebody who has a model and a data file and has never seen an experiment file: from a folder
 * with both to layers on a chart, without typing any YAML.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  bars,
  clickLens,
  editor,
  enter,
  explainFailure,
  lens,
  notification,
  resultsPage,
  runCommand,
  screenshot,
  until,
} from './workbench.ts';

const LAYERS = 4;

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      const { experiment } = writeTinyWorkspace(folder, { layers: LAYERS, hidden: 64, heads: 4, train: 16 });
      rmSync(experiment);
    },
  });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

const input = () => page.locator('.quick-input-widget');

/** Waits for the step, takes the entry (by its beginning), as a click does. */
async function take(step: string, entry: string): Promise<void> {
  await input().getByText(`Create Experiment (${step}/4)`).waitFor();
  await input().locator('.monaco-list-row', { hasText: entry }).first().click();
}

test('Create Experiment asks for model, data and columns, and shows the first row', async () => {
  await runCommand(page, 'LayerIF: Create Experiment');
  await input().getByText('Create Experiment (1/4)').waitFor();
  await screenshot(page, 'create-model');
  await take('1', 'model');
  await take('2', 'reviews.jsonl');
  await input().getByText('Create Experiment (3/4)').waitFor();
  const first = JSON.parse(readFileSync(join(bench.folder, 'data/reviews.jsonl'), 'utf8').split('\n')[0]) as {
    review: string;
  };
  await input().locator('.monaco-list-row', { hasText: first.review }).waitFor();
  await screenshot(page, 'create-text');
  // There and back again.
  await input().getByRole('button', { name: 'Back' }).click();
  await take('2', 'reviews.jsonl');
  await take('3', 'review');
  await take('4', 'sentiment');
});

test('the file is saved, valid, and has its lenses', async () => {
  const file = join(bench.folder, 'reviews.layerif.yaml');
  await until('the file', () => Promise.resolve(existsSync(file)));
  await editor(page, 'reviews.layerif.yaml').locator('.view-lines').waitFor();
  await lens(page, /^Score Layers$/).waitFor();
  await lens(page, 'Score This Task · 19 train × 5 validation').waitFor();
  assert.equal(await editor(page, 'reviews.layerif.yaml').locator('.squiggly-error').count(), 0);
  assert.match(readFileSync(file, 'utf8'), /doc_to_choice: \[negative, positive\]/);
  await screenshot(page, 'create-file');
});

test('scoring it shows every layer', async () => {
  await clickLens(page, /^Score Layers$/);
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 60_000 });
  await notification(page, /LayerIF: /).waitFor({ state: 'detached' });
  assert.equal(await bars(frame).count(), LAYERS);
  await screenshot(page, 'create-scored');
});

test('Try the Demo writes a folder that can be scored, and says what will be downloaded', async () => {
  await runCommand(page, 'LayerIF: Try the Demo');
  const name = 'sentiment-and-capitals.layerif.yaml';
  await editor(page, name).locator('.view-lines').waitFor();
  await notification(
    page,
    /HuggingFaceTB\/SmolLM2-135M-Instruct .* is downloaded from Hugging Face when it is scored/,
  ).waitFor();
  await lens(page, 'Score This Task · 48 train × 16 validation').first().waitFor();
  const folder = join(bench.folder, 'layerif-demo');
  assert.match(readFileSync(join(folder, name), 'utf8'), /^ {2}path: HuggingFaceTB\/SmolLM2-135M-Instruct$/m);
  assert.ok(existsSync(join(folder, 'data/licenses/capitals-ODbL-1.0.md')));
});
