/** Inspect Model Layers in the installed extension: from the palette to the layers, another pattern, an experiment. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { root, startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { accessibilityFaults, editor, explainFailure, runCommand, screenshot, until, webview } from './workbench.ts';

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) => {
      mkdirSync(join(folder, 'models'));
      const graph = join(root, 'test/reference/onnx_graphs/resnet-torchscript.onnx');
      copyFileSync(graph, join(folder, 'models', 'tiny resnet.onnx'));
    },
  });
  page = bench.page;
  await page.goto(bench.url);
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
});
after(() => bench?.stop());
afterEach(async (context) => {
  if ('passed' in context && !context.passed) await explainFailure(page, context.name, bench.logs());
});

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
