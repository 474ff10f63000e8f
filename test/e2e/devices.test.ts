/** Check Acceleration in the installed extension: every device is tried, and a readable report opens. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import { enter, explainFailure, runCommand, screenshot, webview } from './workbench.ts';

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({ vsix, fill: () => undefined });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

test('the report says of every device whether it works, why not, and how fast it is', async () => {
  await page.locator('.activitybar .action-label[aria-label="LayerIF"]').waitFor({ timeout: 60_000 });
  await runCommand(page, 'LayerIF: Check Acceleration');
  const frame = await webview(page, 'body.vscode-body table', 90_000);
  const text = await frame.locator('body').innerText();
  for (const device of ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'])
    assert.ok(text.includes(device), `${device} in\n${text}`);
  assert.match(text, /cpu[\s\S]*GFLOP\/s/i);
  await screenshot(page, 'acceleration');
});
