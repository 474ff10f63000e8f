/**
 * Models in the installed extension: Inspect Model Layers from the palette to an experiment, and the editor Model
 * Layers on a file and on a model of a hub, which is there again after a reload.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { fakeHub } from '../hub/fakeHub.ts';
import type { FakeHub } from '../hub/fakeHub.ts';
import { root, startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  editor,
  enter,
  explainFailure,
  runCommand,
  screenshot,
  until,
  webview,
  windowSaves,
  takeEntry,
} from './workbench.ts';

let bench: Workbench;
let page: Page;
let hub: FakeHub;
const closing: (() => unknown)[] = [];
const gguf = join(root, 'test/reference/gguf/llama.gguf');

before(async () => {
  // The workbench and its server ask what HF_ENDPOINT names.
  hub = await fakeHub({ after: (end: () => unknown) => closing.push(end) } as unknown as TestContext, {
    'org/tiny': { files: { 'tiny.gguf': readFileSync(gguf) } },
  });
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      mkdirSync(join(folder, 'models'));
      const graph = join(root, 'test/reference/onnx_graphs/resnet-torchscript.onnx');
      copyFileSync(graph, join(folder, 'models', 'tiny resnet.onnx'));
      copyFileSync(gguf, join(folder, 'models', 'tiny.gguf'));
    },
  });
  page = bench.page;
  await enter(bench);
});
after(async () => {
  await bench?.stop();
  for (const end of closing) await end();
});
afterEach((context) => explainFailure(context, bench));

test('layers of a graph, another pattern, and an experiment with the inputs of the graph', async () => {
  // A workspace without an experiment: the command itself brings the extension up. Its icon tells that the palette
  // knows the command.
  await page.locator('.activitybar .action-label[aria-label="LayerIF"]').waitFor({ timeout: 60_000 });
  await runCommand(page, 'LayerIF: Inspect Model Layers');
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'tiny resnet.onnx' }).first().click();
  const frame = await webview(page, 'body[data-layerif-page="inspect"] main table', 60_000);
  const rows = frame.getByRole('region', { name: 'Layers', exact: true }).locator('tbody tr');
  assert.equal(await rows.count(), 3);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await frame.getByRole('textbox', { name: 'Layers are named' }).fill('encoder.stages.{}');
  await until('two layers', async () => (await rows.count()) === 2);
  await screenshot(page, 'inspect');
  await frame.locator('vscode-button:not([disabled])', { hasText: 'Create Experiment' }).click();
  const lines = editor(page, 'tiny%20resnet.layerif.yaml').locator('.view-lines');
  await lines.waitFor();
  const text = async () => (await lines.innerText()).replaceAll('\u00a0', ' ');
  for (const part of [
    'path: "./models/tiny resnet.onnx"',
    'layers_pattern: "encoder.stages.{}"',
    'pixel_values:',
    'a class, 0 to 2',
  ])
    await until(`${part} in the experiment`, async () => (await text()).includes(part));
  await screenshot(page, 'inspect-experiment');
});

const HEADER = 'body[data-layerif-page="header"] main table';
const layerNames = async (selector = HEADER) => {
  const frame = await webview(page, selector, 60_000);
  return frame.getByRole('region', { name: 'Layers', exact: true }).locator('tbody tr td:nth-child(2)').allInnerTexts();
};

test('a model file in the editor Model Layers, by the keyboard; there again after a reload', async () => {
  await runCommand(page, 'View: Revert and Close Editor'); // the experiment, which is not saved
  await runCommand(page, 'View: Close All Editors');
  await page.locator('.tab').waitFor({ state: 'detached' });
  await takeEntry(page, 'Control+P', 'tiny.gguf', 'tiny.gguf');
  await page.locator('.tab', { hasText: 'tiny.gguf' }).waitFor();
  await runCommand(page, 'View: Reopen Editor With...');
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Model Layers (LayerIF)' }).click();
  const expected = ['model.layers.0', 'model.layers.1'];
  assert.deepEqual(await layerNames(), expected);
  assert.deepEqual(await accessibilityFaults(await webview(page, HEADER)), []);
  await screenshot(page, 'model-layers');
  await windowSaves(page, ['layerif.modelLayers', 'tiny.gguf']);
  await page.reload();
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  assert.deepEqual(await layerNames(), expected);
});

test('a model of the hub in the same editor: its header by range requests; there again after a reload', async () => {
  await runCommand(page, 'View: Close All Editors');
  await runCommand(page, 'LayerIF: Inspect Model Layers');
  await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Hugging Face Hub' }).first().click();
  const id = page.locator('.quick-input-widget input[placeholder^="HuggingFaceTB"]');
  await id.fill('org/tiny');
  await id.press('Enter');
  const expected = ['model.layers.0', 'model.layers.1'];
  assert.deepEqual(await layerNames(), expected);
  await screenshot(page, 'model-layers-hub');
  const asked = hub.seen.filter(({ url }) => url.startsWith('/cdn/'));
  assert.ok(asked.length > 0 && asked.every(({ range }) => range !== undefined));
  await windowSaves(page, ['layerif.modelLayers', 'org/tiny']);
  await page.reload();
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  assert.deepEqual(await layerNames(), expected);
});
