/**
 * The MCP App from end to end: the real server's page and answer, in a chat that is made with the official package, in
 * a real browser under the strictest policy that MCP Apps lets a chat set.
 */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { Frame, Page } from 'playwright-core';
import { accessibilityViolations, sharedBrowser } from '../webview/page.ts';
import { sampleResult } from '../webview/sampleResult.ts';
import { connect, textOf } from './client.ts';
import type { ChatHost } from './chatHost.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'layerif-mcp-chart-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CHAT = 'https://chat.test';
const VIEW = 'https://view.test';
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

type Chat = typeof globalThis & { chatHost: ChatHost };

async function openChat(page: Page, html: string, theme: 'light' | 'dark'): Promise<Frame> {
  const bundled = await build({
    entryPoints: [path.join(import.meta.dirname, 'chatHost.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    logLevel: 'error',
  });
  const chat = `<!DOCTYPE html><title>chat</title><iframe title="chart" sandbox="allow-scripts" style="width:700px;height:760px"></iframe><script>${bundled.outputFiles[0].text.replaceAll('</script', '<\\/script')}</script>`;
  await page.route(`${CHAT}/**`, (route) => route.fulfill({ contentType: 'text/html', body: chat }));
  await page.route(`${VIEW}/**`, (route) =>
    route.fulfill({ contentType: 'text/html', body: html, headers: { 'Content-Security-Policy': POLICY } }),
  );
  await page.goto(`${CHAT}/`);
  await page.evaluate(([src, own]) => (globalThis as Chat).chatHost.open(src, own), [`${VIEW}/`, theme] as const);
  return page.frames().find((frame) => frame.url().startsWith(VIEW))!;
}

test('the chart of a stored result is drawn in a chat, in its theme, and says what its table says', async (context) => {
  const result = sampleResult({ layers: 32, tasks: ['sentiment', 'capitals'], train: 40, validation: 8 });
  const file = path.join(folder, 'x.layerif-result.json');
  writeFileSync(file, JSON.stringify(result));
  const { client } = await connect(context, [folder], folder);
  const tool = (await client.listTools()).tools.find(({ name }) => name === 'show_chart')!;
  const { resourceUri: uri } = (tool._meta as { ui: { resourceUri: string } }).ui;
  const [content] = (await client.readResource({ uri })).contents;
  assert.equal(content.mimeType, 'text/html;profile=mcp-app');
  const html = (content as { text: string }).text;
  assert.doesNotMatch(html, /(src|href)="http/, 'nothing is loaded');
  const answer = await client.callTool({ name: 'show_chart', arguments: { result: file } });
  assert.ok(JSON.stringify(answer).length < 100_000, 'rows and influences stay behind');

  const browser = await sharedBrowser();
  const page = await browser.newPage({ viewport: { width: 760, height: 820 } });
  context.after(() => page.close());
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  const view = await openChat(page, html, 'light');
  assert.match(await view.locator('.empty').innerText(), /Reading the result/);
  const sendAnswer = (own: unknown) =>
    page.evaluate((text) => (globalThis as Chat).chatHost.answer(text), JSON.stringify(own));
  await sendAnswer(answer);

  await view.locator('.chart-canvas svg').waitFor();
  assert.equal(await view.locator('h1').innerText(), result.model.name);
  const label = await view.locator('.chart-canvas svg').getAttribute('aria-label');
  const top = [...result.tasks[0].layers].sort((a, b) => b.positive - a.positive)[0];
  assert.match(label!, new RegExp(`layer ${top.index}\\b`));
  assert.equal(await view.locator('.verdict button, .verdict vscode-button').count(), 0, 'nothing can be started');
  const ground = () => view.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), 'rgb(255, 255, 255)');
  assert.ok(await page.evaluate(() => (globalThis as Chat).chatHost.height > 300), 'the chat is told the height');
  const shots = path.resolve(import.meta.dirname, '../../.cache/screenshots');
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, 'mcp-app-light.png') });

  await page.evaluate(() => (globalThis as Chat).chatHost.theme('dark'));
  await view.waitForFunction(() => document.body.className === 'vscode-dark');
  assert.equal(await ground(), 'rgb(31, 31, 31)');
  await page.screenshot({ path: path.join(shots, 'mcp-app-dark.png') });
  assert.deepEqual(await accessibilityViolations(view), []);

  await view.locator('.chart-area').focus();
  await page.keyboard.press('End');
  assert.match(await view.locator('.chart [role=status]').innerText(), /^Layer 31/);

  const refused = await client.callTool({ name: 'show_chart', arguments: { result: 'none.layerif-result.json' } });
  await sendAnswer(refused);
  assert.equal(await view.locator('.empty').innerText(), textOf(refused));
  assert.deepEqual(errors, []);
});

test('markup in names is text in the chat too', async (context) => {
  const hostile = '</script><img src=x onerror="document.title=1">';
  const result = sampleResult({ layers: 4, tasks: [hostile], train: 6, validation: 2, modelName: hostile });
  writeFileSync(path.join(folder, 'h.layerif-result.json'), JSON.stringify(result));
  const { client } = await connect(context, [folder], folder);
  const [content] = (await client.readResource({ uri: 'ui://layerif/layers.html' })).contents;
  const answer = await client.callTool({ name: 'show_chart', arguments: { result: 'h.layerif-result.json' } });
  const browser = await sharedBrowser();
  const page = await browser.newPage();
  context.after(() => page.close());
  const view = await openChat(page, (content as { text: string }).text, 'dark');
  await page.evaluate((text) => (globalThis as Chat).chatHost.answer(text), JSON.stringify(answer));
  await view.locator('.chart-canvas svg').waitFor();
  assert.equal(await view.locator('h1').innerText(), hostile);
  assert.equal(await view.locator('img').count(), 0);
  assert.equal(await view.title(), 'Layer scores');
});
