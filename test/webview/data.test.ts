/**
 * The tab Data in a real browser: threshold by keys and pointer, losses, rows, the dataset that would be written; the
 * questions are answered by the real program.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { RowToken } from '../../protocol/rowRequests.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { select } from '../../server/src/lsp/selecting.ts';
import { choose } from './choose.ts';
import { assertChart } from './chartGolden.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import { sampleResult } from './sampleResult.ts';
import { scoresFile } from './scoreTables.ts';
import { answerRows, hostile, writeScoredRows } from './scoredRows.ts';
import type { ScoredFolder } from './scoredRows.ts';
import type { ThemeName } from './themes.ts';

const themes = ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const satisfies ThemeName[];
let scored: ScoredFolder;
before(() => {
  scored = writeScoredRows(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-data-')));
});
after(() => fs.rmSync(scored.folder, { recursive: true }));

async function dataTab(options: { theme?: ThemeName } = {}): Promise<OpenPage> {
  const opened = await openPage('results', { state: { tab: 'data' }, height: 1400, ...options });
  await opened.post({ type: 'scores', alone: true, scores: scored.scores, fault: null });
  await answerRows(opened, scored.scoresFile);
  return opened;
}
const threshold = ({ page }: OpenPage) => page.getByRole('slider', { name: /^Threshold of/ });
const words = async (opened: OpenPage) => (await threshold(opened).getAttribute('aria-valuetext'))!;
const lastAsk = (sent: FromWebview[]) =>
  sent.findLast((message): message is FromWebview & { type: 'ask'; what: 'selectRows' } => message.type === 'ask')!;
const rows = ({ page }: OpenPage) => page.locator('table.rows tbody tr');

test('the threshold moves by keys and pointer, and what it keeps is what select writes', async () => {
  const opened = await dataTab();
  const { page, errors } = opened;
  // Row 19 is left out by the score: 10 of the other 19 are kept, from 0.9 on.
  assert.equal(await words(opened), 'from 0.900: keeps 10 of 20 rows (50\u00a0%)');
  await assertChart(page.locator('.threshold-chart svg'), 'threshold');
  await assertChart(page.locator('.loss-scatter svg'), 'loss-scatter');
  await threshold(opened).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await words(opened), 'from 1.00: keeps 9 of 20 rows (45\u00a0%)');
  await page.keyboard.press('Home');
  assert.equal(await words(opened), 'from 0: keeps 19 of 20 rows (95\u00a0%)');
  await page.keyboard.press('End');
  assert.equal(await words(opened), 'from 1.80: keeps 1 of 20 rows (5.0\u00a0%)');
  await page.keyboard.press('PageDown');
  assert.equal(await words(opened), 'from 0.800: keeps 11 of 20 rows (55\u00a0%)');
  for (const key of ['ArrowUp', 'ArrowLeft', 'ArrowRight']) await page.keyboard.press(key);
  const area = (await page.locator('.threshold-chart .chart-area').boundingBox())!;
  // Values run from 0 to 1.9 between the sides of the chart.
  const at = (value: number) => area.x + 56 + ((area.width - 72) * value) / 1.9;
  await page.mouse.move(at(0.9), area.y + 80);
  await page.mouse.down();
  await page.mouse.move(at(1.45), area.y + 80, { steps: 3 });
  await page.mouse.up();
  assert.equal(await words(opened), 'from 1.50: keeps 4 of 20 rows (20\u00a0%)');
  const sent = await answerRows(opened, scored.scoresFile);
  assert.deepEqual(lastAsk(sent).params, { by: 'ifd_ppl', keep: '4', lowest: false, dedup: false });
  const preview = page.locator('.write-preview');
  const text = await preview.locator('pre').innerText();
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text.match(/\d+/)![0]),
    ['15', '16', '17', '18'],
  );
  assert.match(await preview.innerText(), /4 of 20 rows \(20\s%\), 1 left out by the score, as rows\.ifd_ppl\.jsonl/);
  assert.match(await preview.innerText(), /not beside it: bm25, similarity, loss, random/);
  assert.deepEqual(await preview.locator('tbody tr').allInnerTexts(), ['length\t0 of 4\t0.800']);
  await preview.locator('vscode-button').click();
  const write = (await opened.sent()).at(-1) as FromWebview & { type: 'writeRows' };
  assert.deepEqual([write.type, write.what, write.params], ['writeRows', 'selectRows', lastAsk(sent).params]);
  const output = path.join(scored.folder, 'subset.jsonl');
  const { selected } = await select({
    resultFile: scored.scoresFile,
    ...(write.params as typeof sent & { by: string }),
    output,
  });
  assert.equal(selected!.rows, 4);
  assert.equal(fs.readFileSync(output, 'utf8').trim(), text.trim());
  assert.equal(await page.locator('.layerif-kept circle').count(), 4);
  assert.equal(await page.locator('.layerif-left path').count(), 16);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('the lowest, doubles and classes are asked for; another score has the losses of the same rows', async () => {
  const opened = await dataTab();
  const { page } = opened;
  await choose(page, 'Score', 'length');
  await choose(page, 'Keep', 'lowest');
  await page.getByRole('checkbox', { name: 'Leave out doubles' }).press(' ');
  await page.getByRole('textbox', { name: 'Balance by column' }).fill('labl');
  await answerRows(opened, scored.scoresFile);
  assert.match(await page.getByRole('alert').innerText(), /--balance labl: .*did you mean "label"/);
  await page.getByRole('textbox', { name: 'Balance by column' }).fill('label');
  const sent = await answerRows(opened, scored.scoresFile);
  assert.deepEqual(lastAsk(sent).params, { by: 'length', keep: '10', lowest: true, dedup: true, balance: 'label' });
  // Five different values, four rows each: half of the rows end inside the third.
  await threshold(opened).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await words(opened), 'up to 4.00: keeps 16 of 20 rows (80\u00a0%)');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await words(opened), 'up to 3.00: keeps 12 of 20 rows (60\u00a0%)');
  assert.match(await page.locator('.panel').innerText(), /The losses are those of ifd_ppl/);
  await closePage(page);
});

test('rows: hostile texts are text, search, filters, sort, ids, the dataset without ticked rows', async () => {
  const opened = await dataTab();
  const { page, errors } = opened;
  const first = () => rows(opened).first().innerText();
  assert.match(await first(), /1\.90/);
  await page
    .locator('table.rows thead')
    .getByRole('button', { name: /^Score/ })
    .click();
  const texts = await page.locator('table.rows .sample-text').allTextContents();
  hostile.forEach((text, row) => assert.ok(texts[row].includes(text), `row ${row}`));
  assert.equal(await page.locator('table.rows img, table.rows b').count(), 0);
  assert.equal(await page.title(), 'LayerIF');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await rows(opened).nth(1).locator('.sample-text').press('Enter');
  assert.equal(await rows(opened).nth(1).locator('.sample-text').getAttribute('aria-expanded'), 'true');
  await page.getByRole('textbox', { name: 'Search' }).fill('ODD number 1');
  assert.equal(await page.locator('.row-table .caption').innerText(), '5 rows of 20');
  await page.getByRole('textbox', { name: 'Search' }).fill('');
  await choose(page, 'Label', 'label positive');
  await choose(page, 'Show', 'kept');
  assert.equal(await rows(opened).count(), 5);
  for (const box of await page.locator('table.rows td.picked input').all()) await box.press(' ');
  assert.equal(await page.locator('.row-table .caption').innerText(), '5 rows of 20, 5 selected');
  await page.locator('vscode-button', { hasText: 'Copy Ids' }).click();
  assert.deepEqual((await opened.sent()).at(-1), {
    type: 'copy',
    what: '5 row ids',
    text: 'file,row,line\r\nrows.jsonl,9,10\r\nrows.jsonl,11,12\r\nrows.jsonl,13,14\r\nrows.jsonl,15,16\r\nrows.jsonl,17,18\r\n',
  });
  await page.locator('vscode-button', { hasText: 'Write Dataset without These Rows' }).click();
  const sent = await answerRows(opened, scored.scoresFile);
  assert.deepEqual(lastAsk(sent).params, { by: 'ifd_ppl', without: [9, 11, 13, 15, 17] });
  assert.match(await page.locator('.row-actions .write-preview').innerText(), /^15 of 20 rows \(75\s%\), as rows/);
  await page.getByRole('button', { name: 'Open in dataset: rows.jsonl:10' }).click();
  assert.deepEqual((await opened.sent()).at(-1), { type: 'openSample', file: scored.data, line: 10 });
  assert.deepEqual(errors, []);
  await closePage(page);
});

/** The tokens of the rows as a table of `token_mask` says them, and the page's question for those of one row. */
async function openTokens(options: { theme?: ThemeName } = {}) {
  const opened = await dataTab(options);
  const { page } = opened;
  const [ifd] = scored.scores.tables;
  const masks = { ...ifd, score: 'token_mask', title: 'Tokens that stay in the loss', subject: 'token' as const };
  const scores = { ...scored.scores, tables: [ifd, masks] };
  await opened.post({ type: 'scores', alone: true, scores, fault: null });
  await page.getByRole('button', { name: 'Tokens of rows.jsonl:19' }).click();
  const asked = async () =>
    (await opened.sent()).filter(
      (message): message is FromWebview & { type: 'ask'; what: 'rowTokens' } =>
        message.type === 'ask' && message.what === 'rowTokens',
    );
  while ((await asked()).length === 0) await page.waitForTimeout(20);
  const [{ requestId, params }] = await asked();
  const answer = async (tokens: RowToken[] | null, error: { code: string; message: string } | null = null) => {
    await opened.post({ type: 'answer', requestId, answer: { tokens, error }, failure: null });
    await page.waitForTimeout(100);
  };
  return { opened, params, answer };
}
const rowOfTokens: RowToken[] = [
  { id: 7, text: 'Say', perplexity: null, masked: null },
  { id: 9, text: ' <b>', perplexity: 1.25, masked: false },
  { id: 11, text: '\n', perplexity: 3, masked: true },
  { id: 13, text: '\u05e9\u05dc', perplexity: 7, masked: true },
  { id: 15, text: '\u202eexe', perplexity: 42, masked: true },
  { id: 17, text: ' end', perplexity: 1234.5, masked: true },
];

test('tokens of a row: shades, masks, words by keys and pointer, the same as a table', async () => {
  const { opened, params, answer } = await openTokens();
  const { page, errors } = opened;
  // Of the score whose tokens are masked, whichever one is chosen.
  assert.deepEqual(params, { by: 'token_mask', row: 18 });
  await answer(rowOfTokens);
  const map = page.getByRole('application', {
    name: /^6 tokens of rows\.jsonl:19, 5 counted by token_mask, 4 masked$/,
  });
  const tokens = map.locator('.token');
  assert.deepEqual(await tokens.allTextContents(), ['Say', ' <b>', '\u21b5\n', '\u05e9\u05dc', '\u202eexe', ' end']);
  assert.deepEqual(
    await Promise.all((await tokens.all()).map((token) => token.getAttribute('class'))),
    ['uncounted', 'shade-0', 'shade-1 masked', 'shade-2 masked', 'shade-3 masked', 'shade-4 masked'].map(
      (words) => `token ${words}`,
    ),
  );
  assert.equal(await page.locator('.token-text b').count(), 0);
  assert.equal(
    await tokens.nth(5).getAttribute('title'),
    'Token 6 " end" (17): perplexity 1,235, masked: left out of the loss',
  );
  const words = page.locator('.token-words');
  assert.equal(await words.innerText(), '5 of 6 tokens are counted, 4 of them masked.');
  await map.focus();
  assert.equal(await words.innerText(), 'Token 2 " <b>" (9): perplexity 1.25, not masked');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await words.innerText(), 'Token 1 "Say" (7): not counted');
  await page.keyboard.press('End');
  assert.match(await words.innerText(), /^Token 6 " end"/);
  assert.match((await tokens.nth(5).getAttribute('class'))!, /current$/);
  await tokens.nth(2).hover();
  assert.match(await words.innerText(), /^Token 3 "\\n" \(11\): perplexity 3\.00, masked/);
  await page.locator('.token-map summary').click();
  assert.deepEqual(await page.locator('.token-map tbody tr').nth(5).locator('th, td').allTextContents(), [
    '6',
    '" end"',
    '17',
    '1,235',
    'yes',
  ]);
  const button = page.getByRole('button', { name: 'Tokens of rows.jsonl:19' });
  assert.equal(await button.getAttribute('aria-expanded'), 'true');
  await button.click();
  assert.equal(await page.locator('.token-map').count(), 0);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('tokens of a row in four kinds of theme: axe finds nothing, lines stand where colours do not', async () => {
  const { opened, answer } = await openTokens();
  await answer(rowOfTokens);
  await opened.page.locator('.token-map summary').click();
  for (const theme of themes) {
    await setTheme(opened.page, theme);
    assert.deepEqual(await accessibilityViolations(opened.page), [], theme);
    const lines = await opened.page
      .locator('.token-text .token')
      .evaluateAll((all) => all.map((one) => getComputedStyle(one).borderBottomWidth));
    assert.deepEqual(lines, ['0px', '0px', '1px', '2px', '3px', '4px'], theme);
    await opened.page.locator('.token-map').scrollIntoViewIfNeeded();
    await opened.screenshot(`tokens-${theme}`);
  }
  await closePage(opened.page);
});

test('tokens of a row that cannot be read: the reason', async () => {
  const { opened, answer } = await openTokens();
  await answer(null, { code: 'badData', message: 'rows.jsonl was changed since token_mask was computed' });
  assert.match(
    await opened.page.locator('tr.more').getByRole('alert').innerText(),
    /rows\.jsonl was changed since token_mask/,
  );
  await closePage(opened.page);
});

test('a dataset that changed is refused by its hash, with what to do', async () => {
  const before = fs.readFileSync(scored.data);
  fs.appendFileSync(scored.data, '{}\n');
  const opened = await dataTab();
  assert.match(
    await opened.page.getByRole('alert').innerText(),
    /rows\.jsonl was changed since ifd_ppl was computed: run layerif score rows\.layerif\.yaml --only data_scores again, or bring the file back/,
  );
  assert.match(await rows(opened).first().innerText(), /Text not available/);
  assert.equal(await opened.page.locator('vscode-button', { hasText: /^Write \d/ }).count(), 0);
  fs.writeFileSync(scored.data, before);
  await closePage(opened.page);
});

test('beside a result: without scores of rows how to get them, a fault as it is', async () => {
  const { page, post } = await openPage('results', { state: { tab: 'data' } });
  const result = sampleResult({ layers: 4, tasks: ['a'], train: 4, validation: 2 });
  await post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  await post({ type: 'scores', alone: false, scores: scoresFile(), fault: null });
  assert.match(await page.locator('.panel').innerText(), /No row .* is scored yet.*data_scores: \[ifd_ppl/);
  await post({ type: 'scores', alone: false, scores: null, fault: 'These scores are damaged.' });
  assert.equal(await page.getByRole('alert').innerText(), 'These scores are damaged.');
  await closePage(page);
});

test('axe finds nothing in four kinds of theme', async () => {
  const opened = await dataTab();
  await opened.page.locator('table.rows td.picked input').first().press(' ');
  await opened.page.locator('vscode-button', { hasText: 'Write Dataset without These Rows' }).click();
  await answerRows(opened, scored.scoresFile);
  for (const theme of themes) {
    await setTheme(opened.page, theme);
    assert.deepEqual(await accessibilityViolations(opened.page), [], theme);
    if (theme === 'dark' || theme === 'high-contrast') await opened.screenshot(`data-${theme}`);
  }
  await opened.page.setViewportSize({ width: 340, height: 900 });
  await opened.page.waitForTimeout(200);
  assert.ok(await opened.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  await opened.screenshot('data-narrow');
  await closePage(opened.page);
});
