/**
 * The pages of predictions and of a table's statistics in a real browser; their questions are answered by the real
 * program.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { FromWebview } from '../../protocol/webview.ts';
import { analyse, tableColumns } from '../../server/src/lsp/analysing.ts';
import { predict } from '../../server/src/lsp/predicting.ts';
import { choose } from './choose.ts';
import { assertChart } from './chartGolden.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import type { ThemeName } from './themes.ts';

const board = path.resolve(import.meta.dirname, '../reference/analysis/table.csv');
const themes = ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const satisfies ThemeName[];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-statistics-'));
after(() => fs.rmSync(folder, { recursive: true }));

type Ask = FromWebview & { type: 'ask' };
const replied = new WeakMap<OpenPage, Set<number>>();

function answerOf({ what, params }: Ask, file: string): Promise<unknown> {
  if (what === 'predict') return predict({ path: file, ...params });
  if (what === 'analyse') return analyse({ path: file, ...params });
  assert.equal(what, 'tableColumns');
  return tableColumns({ path: file });
}

/** As the extension answers: until nothing was asked for longer than the page waits. */
async function answerAll(opened: OpenPage, file: string): Promise<Ask[]> {
  const known = replied.get(opened) ?? new Set<number>();
  replied.set(opened, known);
  for (;;) {
    await opened.page.waitForTimeout(450);
    const asked = (await opened.sent()).filter((message): message is Ask => message.type === 'ask');
    const open = asked.filter(({ requestId }) => !known.has(requestId));
    if (open.length === 0) return asked;
    for (const ask of open) {
      known.add(ask.requestId);
      await opened.post({ type: 'answer', requestId: ask.requestId, answer: await answerOf(ask, file), failure: null });
    }
  }
}

const region = ({ page }: OpenPage, name: string) => page.getByRole('region', { name, exact: true });
const cells = async (opened: OpenPage, name: string) =>
  (
    await region(opened, name === 'Tukey matrix' ? name : `Table: ${name}`)
      .locator('tbody tr')
      .allInnerTexts()
  ).map((text) => text.split(/\s*\t\s*/));

test('predictions: a slider moves the score, by keys too; a measured score gets its sentence; the text can be copied', async () => {
  const opened = await openPage('predict');
  await opened.post({ type: 'predicting', file: '' });
  await answerAll(opened, '');
  const { page, errors } = opened;
  const score = page.locator('.prediction');
  assert.equal(await score.innerText(), 'MMLU 65.4');
  const tokens = page.getByRole('slider', { name: 'Training tokens' });
  assert.equal(await tokens.getAttribute('aria-valuetext'), '15T');
  await tokens.focus();
  for (let key = 0; key < 20; key++) await page.keyboard.press('ArrowLeft');
  const asked = await answerAll(opened, '');
  const { params } = asked.at(-1)! as Ask & { what: 'predict' };
  // Twenty steps are a factor of ten; the first key goes to the nearest step.
  assert.equal(params.tokens, 1.58);
  const { prediction } = await predict({ path: '', ...params });
  assert.equal(await score.innerText(), `MMLU ${prediction!.score.toFixed(1)}`);
  assert.ok(prediction!.score < 65.4);
  await page.getByRole('textbox', { name: 'Measured MMLU' }).fill('85');
  await answerAll(opened, '');
  assert.match(await page.locator('.sign').innerText(), /^Measured 85\.0, \+\d.*contamination/);
  await page.getByRole('textbox', { name: 'Measured MMLU' }).fill('850');
  await answerAll(opened, '');
  assert.equal(await page.locator('.sign').count(), 0);
  assert.equal((await cells(opened, 'Layers removed (extrapolation)')).length, 8);
  for (const words of ['Unconfirmed', 'Empirical'])
    assert.ok((await page.locator('.notes').innerText()).includes(words));
  await opened.screenshot('predict');
  await page.locator('vscode-button', { hasText: 'Copy as Markdown' }).click();
  const copied = (await opened.sent()).at(-1) as FromWebview & { type: 'copy' };
  assert.match(copied.text, /^# Predicted MMLU/);
  await page.locator('vscode-button', { hasText: 'Reset' }).click();
  await answerAll(opened, '');
  assert.equal(await score.innerText(), 'MMLU 65.4');
  for (const theme of themes) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
  }
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('predictions: what cannot be predicted says why', async () => {
  const file = path.join(folder, 'config.json');
  fs.writeFileSync(file, '{"num_local_experts": 8}');
  const opened = await openPage('predict');
  await opened.post({ type: 'predicting', file });
  await answerAll(opened, file);
  assert.match(await opened.page.getByRole('alert').innerText(), /mixture of experts/);
  assert.equal(await opened.page.getByRole('slider').count(), 0);
  await closePage(opened.page);
});

test('statistics: boxes, Tukey matrix, curve and points of the chosen columns, with their tables', async () => {
  const opened = await openPage('analysis', { height: 1400 });
  await opened.post({ type: 'analysing', file: board, revision: 0 });
  await answerAll(opened, board);
  const { page, errors } = opened;
  assert.equal(await page.locator('h2').first().innerText(), 'Params by Type');
  await choose(opened.page, 'Response', 'MMLU');
  await choose(opened.page, 'Groups', 'Type');
  await choose(opened.page, 'Belong together', 'Architecture');
  await choose(opened.page, 'Curve over', 'Params');
  await choose(opened.page, 'Random effect', 'Architecture');
  await choose(opened.page, 'Points', 'umap');
  await page.getByRole('checkbox', { name: 'Logarithm' }).press(' ');
  const asked = await answerAll(opened, board);
  const tests = asked.filter((ask) => ask.what === 'analyse' && ask.params.smooths).at(-1)!;
  const { analysis } = await analyse({ path: board, ...tests.params });
  assert.deepEqual(tests.params, {
    responses: ['MMLU'],
    factors: ['Type'],
    clusterBy: 'Architecture',
    smooths: ['Params'],
    random: 'Architecture',
    logs: ['Params'],
  });
  const [comparison] = analysis!.comparisons;
  const boxes = await cells(opened, 'MMLU by Type');
  assert.deepEqual(
    boxes.map(([name, count]) => [name, count]),
    comparison.groups.map(({ name, count }) => [name, String(count)]),
  );
  assert.equal(await page.locator('svg[aria-label^="Box plots of MMLU by Type"] .layerif-box rect').count(), 3);
  await assertChart(page.locator('svg[aria-label^="Box plots of MMLU by Type"]'), 'box-plot');
  const matrix = await cells(opened, 'Tukey matrix');
  const { difference } = comparison.pairs[0];
  // Group 0 less group 1, and group 1 less group 0.
  assert.ok(matrix[0][2].startsWith(`\u2212${difference.toPrecision(3)} [`), matrix[0][2]);
  assert.ok(matrix[1][1].startsWith(`${difference.toPrecision(3)} [`), matrix[1][1]);
  assert.equal(matrix[0][1], '\u2013');
  const effects = await cells(opened, 'Partial effect of Params on MMLU');
  assert.equal(effects.length, analysis!.models[0].curves[0].x.length);
  await assertChart(page.locator('svg[aria-label^="Partial effect of Params on MMLU"]'), 'partial-effect');
  assert.equal((await cells(opened, 'Rows by UMAP')).length, 120);
  await assertChart(page.locator('svg[aria-label^="120 rows in the plane by UMAP"]'), 'points');
  assert.match(await page.locator('.notes').innerText(), /groups are few/);
  await opened.screenshot('statistics-dark');
  await page
    .getByRole('group', { name: 'Copy and save: MMLU by Type', exact: true })
    .locator('vscode-button', { hasText: 'Save as CSV' })
    .click();
  const saved = (await opened.sent()).at(-1) as FromWebview & { type: 'saveText' };
  assert.deepEqual([saved.name, saved.ending], ['groups', 'csv']);
  assert.equal(
    saved.text.split('\r\n')[1],
    [
      'fine-tuned',
      49,
      comparison.groups[0].mean,
      comparison.groups[0].deviation,
      ...comparison.groups[0].quartiles,
    ].join(','),
  );
  for (const theme of themes) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
    if (theme === 'high-contrast') await opened.screenshot('statistics-high-contrast');
  }
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('statistics: numbers as groups need edges; a table that changes is read again; one that is broken says where', async () => {
  const file = path.join(folder, 'board.csv');
  fs.copyFileSync(board, file);
  const opened = await openPage('analysis');
  await opened.post({ type: 'analysing', file, revision: 0 });
  await answerAll(opened, file);
  const { page } = opened;
  await choose(opened.page, 'Response', 'ARC');
  await choose(opened.page, 'Groups', 'Params');
  await answerAll(opened, file);
  assert.match(await page.getByRole('alert').innerText(), /has 120 groups, more than 60/);
  await page.getByRole('textbox', { name: 'Edges' }).fill('1.5, 7, 35');
  await answerAll(opened, file);
  assert.equal(await page.getByRole('alert').count(), 0);
  assert.deepEqual(
    (await cells(opened, 'ARC by Params')).map(([name]) => name),
    ['< 1.5', '[1.5, 7)', '[7, 35)', '\u2265 35'],
  );
  fs.writeFileSync(
    file,
    fs.readFileSync(file, 'utf8').replace(/model-2,([^,]*),([^,]*),([^,]*),[^,]*/, 'model-2,$1,$2,$3,high'),
  );
  await opened.post({ type: 'analysing', file, revision: 1 });
  await answerAll(opened, file);
  assert.match(await page.getByRole('alert').innerText(), /row 3, column "ARC" \(response\): "high" is not a number/);
  await closePage(page);
});
