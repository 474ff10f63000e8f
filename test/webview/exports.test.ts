/**
 * What leaves the page of results, in a real browser under its content security policy: charts as SVG and PNG, tables
 * as CSV and Markdown, all of it as one HTML file that opens by itself; in colours for print, whatever the theme.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { PNG } from 'pngjs';
import type { ExportForm, ExportItem, FromWebview } from '../../protocol/webview.ts';
import { reportHtml } from '../../extension/src/reportHtml.ts';
import { allocation, answerAll, trust, withIntervals } from './answers.ts';
import { openPage, sharedBrowser } from './page.ts';
import type { OpenPage } from './page.ts';
import { sampleResult } from './sampleResult.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const HOSTILE = 'a <img src=x onerror=alert(1)> & b';
const plain = sampleResult({ layers: 6, tasks: ['sentiment', HOSTILE], train: 12, validation: 4 });
const result = withIntervals(plain, [5]);

let opened: OpenPage;
let items: ExportItem[];
before(async () => {
  opened = await openPage('results', { theme: 'dark', state: { tab: 'allocation', table: true } });
  await opened.post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  await opened.post({ type: 'trust', trust: trust(result) });
  await answerAll(opened, result);
  items = (await reply({ type: 'listExports', requestId: 1 })).items;
});
type Exported = FromWebview & { type: 'exported' };

/** The page's reply, with bytes as base64, since they do not survive the way out of the browser. */
async function reply(message: Parameters<OpenPage['post']>[0] & { requestId: number }): Promise<Exported> {
  await opened.post(message);
  for (let round = 0; round < 400; round++) {
    await answerAll(opened, result);
    await giveTexts();
    const found = (await opened.sent()).find(
      (one): one is Exported => one.type === 'exported' && one.requestId === message.requestId,
    );
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the page did not reply');
}

const given = new Set<number>();
/** Texts of samples, each asked for once. */
async function giveTexts(): Promise<void> {
  for (const message of await opened.sent()) {
    if (message.type !== 'samples' || given.has(message.requestId)) continue;
    given.add(message.requestId);
    const samples = message.samples.map((index) => ({
      index,
      text: `text of ${index}`,
      answer: null,
      file: 'x.jsonl',
      line: 1,
    }));
    await opened.post({ type: 'samples', requestId: message.requestId, answer: { samples } });
  }
}

let requests = 10;
async function make(id: string, form: ExportForm): Promise<string> {
  const { content, failure } = await reply({ type: 'makeExport', requestId: ++requests, id, form });
  assert.equal(failure, null);
  return typeof content === 'string' ? content : Buffer.from(Object.values(content ?? {})).toString('base64');
}

const itemOf = (tab: string, kind: ExportItem['kind'], name: RegExp) =>
  items.find((item) => item.tab === tab && item.kind === kind && name.test(item.name))!;

test('every tab\u2019s charts and tables are listed, the page in sight stays as it is', async () => {
  const tabs = [...new Set(items.map(({ tab }) => tab))];
  assert.deepEqual(
    ['Layers', 'Samples', 'Trust', 'Allocation', 'Sparsity', 'Run'].filter((tab) => !tabs.includes(tab)),
    [],
  );
  assert.ok(itemOf('Allocation', 'chart', /LoRA experts per layer/));
  assert.ok(itemOf('Sparsity', 'chart', /Sparsity per layer/));
  assert.equal(await opened.page.locator('.print-colours').count(), 0, 'what was drawn for it is gone');
  assert.equal(await opened.page.locator('[role=tab][aria-selected=true]').innerText(), 'Allocation');
  assert.equal(new Set(items.map(({ id }) => id)).size, items.length);
});

test('a table as CSV has all digits, one name for each column of a head in two rows, and text as text', async () => {
  const layers = itemOf('Layers', 'table', /Layer scores per task/);
  const lines = (await make(layers.id, 'csv')).trim().split('\r\n');
  assert.equal(
    lines[0],
    `Layer,sentiment Score,sentiment Share,sentiment Rank,sentiment On other samples,${HOSTILE} Score,${HOSTILE} Share,${HOSTILE} Rank,${HOSTILE} On other samples`,
  );
  assert.equal(lines.length, 7);
  const [task] = result.tasks;
  assert.deepEqual(
    lines.slice(1).map((line) => Number(line.split(',')[1])),
    task.layers.map(({ score }) => score),
  );
  const given = allocation(result, { kind: 'experts', rule: 'layerif' }).allocation!;
  const markdown = await make(itemOf('Allocation', 'table', /Allocation per layer/).id, 'md');
  assert.match(
    markdown,
    /^## Allocation per layer\n\n\| Layer \| Score \| Before rounding \| Experts \| 90 % of draws \|/,
  );
  const experts = markdown
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => Number(line.split(' | ')[3]));
  assert.deepEqual(
    experts,
    given.layers.map(({ value }) => value),
  );
});

test('a chart as SVG stands alone: no HTML, no style sheet, no variable; colours for print in a dark theme', async () => {
  const chart = itemOf('Allocation', 'chart', /LoRA experts/);
  const svg = await make(chart.id, 'svg');
  assert.doesNotMatch(svg, /foreignObject|var\(|class=|<style|<script|<html/);
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
  assert.match(svg, /<rect width="100%" height="100%" fill="rgb\(255, 255, 255\)"/, 'on white');
  assert.match(svg, />LoRA experts per layer<\/text>/, 'its title');
  for (const name of ['LayerIF', 'Uniform', 'MoLA 2468'])
    assert.ok(svg.includes(`>${name}</text>`) || svg.includes(`> ${name}</text>`), `legend names ${name}`);
  assert.match(svg, /url\(&quot;#layerif-positive-0&quot;\)|url\(#layerif-positive-0\)/);
  assert.match(svg, /<pattern id="layerif-positive-0"/);
  const page = await (await sharedBrowser()).newPage({ viewport: { width: 900, height: 420 } });
  await page.setContent(svg);
  const bars = await page.locator('svg svg rect').count();
  assert.ok(bars >= 6, `${bars} bars`);
  fs.mkdirSync(path.join(ROOT, '.cache/screenshots'), { recursive: true });
  await page.screenshot({ path: path.join(ROOT, '.cache/screenshots/export-chart.png') });
  await page.close();
});

test('a chart as PNG is its drawing at twice the size', async () => {
  const chart = itemOf('Layers', 'chart', /Influence of/);
  const svg = await make(chart.id, 'svg');
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
  const image = PNG.sync.read(Buffer.from(await make(chart.id, 'png'), 'base64'));
  assert.deepEqual([image.width, image.height], [2 * Number(width), 2 * Number(height)]);
  const colours = new Set<number>();
  for (let at = 0; at < image.data.length; at += 4) colours.add(image.data.readUInt32BE(at));
  assert.ok(colours.size > 20, `the heat map is in it: ${colours.size} colours`);
  assert.equal(image.data.readUInt32BE(0), 0xffffffff, 'on white');
});

test('the page as one HTML file: every tab, no script, no control, names as text, nothing fetched', async () => {
  const html = reportHtml({
    title: HOSTILE,
    styles: fs.readFileSync(path.join(ROOT, 'dist/webview/results.css'), 'utf8'),
    markup: await make('', 'html'),
  });
  assert.doesNotMatch(html, /<script|<vscode-|<input|onerror=alert\(1\)>(?!&)/);
  const page = await (await sharedBrowser()).newPage({ viewport: { width: 1000, height: 900 } });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const errors: string[] = [];
  page.on('console', (message) => errors.push(message.text()));
  await page.setContent(html);
  const names = await page.locator('.printed-name').allInnerTexts();
  assert.deepEqual(names, ['Result', ...(await opened.page.locator('[role=tab]').allInnerTexts())]);
  assert.equal(await page.locator('img[src=x]').count(), 0);
  assert.ok((await page.getByText(HOSTILE).count()) > 0);
  const bars = (tab: string) =>
    page.locator(`[data-section=${tab}] svg.layerif-plot rect[fill*="layerif-positive"]`).count();
  assert.deepEqual([await bars('allocation'), await bars('sparsity')], [6, 6]);
  assert.ok((await page.locator('img[src^="data:image/png"]').count()) >= 1, 'the heat map');
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  assert.deepEqual([asked.filter((url) => !url.startsWith('data:')), errors], [[], []]);
  await page.screenshot({ path: path.join(ROOT, '.cache/screenshots/export-page.png'), fullPage: true });
  await page.close();
});

test('what is gone, and a page without a result, are said', async () => {
  const gone = await reply({ type: 'makeExport', requestId: 90, id: 'layers/chart/99', form: 'svg' });
  assert.match(gone.failure!, /layers\/chart\/99 is not on the page any more/);
  const empty = await openPage('results', {});
  await empty.post({ type: 'listExports', requestId: 1 });
  const [said] = (await empty.sent()).filter((message) => message.type === 'exported');
  assert.match(said.failure!, /there is no result in this page yet/);
  assert.deepEqual(opened.errors, [], 'the policy of the page allows all of it');
});
