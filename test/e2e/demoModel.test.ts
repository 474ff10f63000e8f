/**
 * The real demo model in the installed extension: the example's tasks on a few short samples, so that it takes seconds.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root, startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { bars, clickLens, enter, explainFailure, openFile, resultsPage, screenshot } from './workbench.ts';

const LAYERS = 30;

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      const examples = join(root, 'examples');
      assert.ok(existsSync(join(examples, 'models')), 'the demo model is fetched by npm start and npm test');
      symlinkSync(join(examples, 'models'), join(folder, 'models'));
      mkdirSync(join(folder, 'data'));
      cpSync(join(examples, 'data'), join(folder, 'data'), { recursive: true });
      const text = readFileSync(join(examples, 'sentiment-and-capitals.layerif.yaml'), 'utf8');
      const short = text
        .replaceAll(/train\[:\d+\]/g, 'train[:4]')
        .replaceAll(/test\[:\d+\]/g, 'test[:2]')
        .replace(/max_length: \d+/, 'max_length: 24');
      assert.notEqual(short, text);
      writeFileSync(join(folder, 'demo.layerif.yaml'), short);
    },
  });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

test('all 30 layers of SmolLM2 are scored for both tasks', async () => {
  await openFile(page, 'demo.layerif.yaml');
  await clickLens(page, /^Score Layers$/);
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 240_000 });
  assert.equal(await bars(frame).count(), 2 * LAYERS);
  assert.match((await frame.locator('h1').textContent()) ?? '', /SmolLM2/);
  await screenshot(page, 'demo-model');
});
