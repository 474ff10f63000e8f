/** The page of the editor *Model Layers* in a real browser; its question is answered by the real reader. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { FromWebview } from '../../protocol/webview.ts';
import { header } from '../../server/src/lsp/headers.ts';
import { file, safetensorsBytes } from '../checkpoints/files.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-header-page-'));
after(() => fs.rmSync(root, { recursive: true }));

/** As the editor does it. */
async function open(target: string): Promise<OpenPage> {
  const opened = await openPage('header');
  await opened.post({ type: 'inspecting', file: target, revision: 0 });
  type Ask = FromWebview & { type: 'ask' };
  await opened.page.waitForFunction(() => document.querySelector('h1') !== null);
  for (;;) {
    const ask = (await opened.sent()).find((message): message is Ask => message.type === 'ask');
    if (ask) {
      const answer = await header({ path: target });
      await opened.post({ type: 'answer', requestId: ask.requestId, answer, failure: null });
      await opened.page.waitForSelector('main[aria-busy="false"]');
      return opened;
    }
    await opened.page.waitForTimeout(20);
  }
}

const rows = async ({ page }: OpenPage, name: string) => {
  const region = page.getByRole('region', { name, exact: true });
  return (await region.locator('tbody tr').allInnerTexts()).map((text) => text.split(/\s*\t\s*/));
};

test('facts, layers, tensors under both names, metadata; the way to what is scored', async () => {
  const opened = await open(path.resolve(import.meta.dirname, '../reference/gguf/llama.gguf'));
  const { page, errors } = opened;
  assert.match(await page.locator('.facts').innerText(), /Format\s+GGUF version 3\s+Layers\s+2\s/);
  const layers = await rows(opened, 'Layers');
  assert.deepEqual(
    layers.map(([index, name]) => [index, name]),
    [
      ['0', 'model.layers.0'],
      ['1', 'model.layers.1'],
    ],
  );
  const q = (await rows(opened, 'Tensors of the layers')).find(([name]) => name === 'self_attn.q_proj.weight')!;
  assert.deepEqual([q[1], q[4], q[5]], ['blk.*.attn_q.weight', 'all', '2']);
  assert.ok((await rows(opened, 'Tensors outside of the layers')).some(([name]) => name === 'model.norm.weight'));
  assert.deepEqual((await rows(opened, 'Metadata'))[0], ['general.architecture', 'llama']);
  for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
  }
  await opened.screenshot('header');
  await page.locator('vscode-button', { hasText: 'Inspect Model Layers' }).click();
  assert.deepEqual((await opened.sent()).at(-1), { type: 'inspectWhole' });
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('markup in names and texts is text; an error stands as the server says it', async () => {
  const entry = { dtype: 'U8', shape: [1], data_offsets: [0, 1] };
  const markup = '<img src=x onerror="document.title=1">';
  const bytes = safetensorsBytes(
    { __metadata__: { key: `${markup}value` }, [`${markup}.weight`]: entry },
    Buffer.alloc(1),
  );
  const hostile = await open(file(root, 'hostile.safetensors', bytes));
  assert.equal((await rows(hostile, 'Tensors'))[0][0], `${markup}.weight`);
  assert.deepEqual(await rows(hostile, 'Metadata'), [['key', `${markup}value`]]);
  assert.equal(await hostile.page.locator('img').count(), 0);
  assert.deepEqual(hostile.errors, []);
  await closePage(hostile.page);
  const gone = await open(path.join(root, 'gone.gguf'));
  assert.match(await gone.page.getByRole('alert').innerText(), /gone\.gguf does not exist/);
  assert.equal(await gone.page.locator('table').count(), 0);
  await closePage(gone.page);
});
