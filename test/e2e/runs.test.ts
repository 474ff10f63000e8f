/** What a user does with finished runs: the view Runs and its menu, in the order of the steps below. */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { sampleResult } from '../webview/sampleResult.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  accessibilityFaults,
  chooseInMenu,
  editor,
  enter,
  explainFailure,
  openSideBar,
  resultsPage,
  screenshot,
  treeRows,
  until,
  webview,
  windowSaves,
} from './workbench.ts';

let bench: Workbench;
let page: Page;

/** Three runs of one experiment: with DataInf, with Fisher, and one cancelled before its first layer. */
const runs: Record<string, (result: Result) => void> = {
  '20261101T000000Z-aaaaaa': () => undefined,
  '20261102T000000Z-bbbbbb': (result) => {
    result.experiment.score.estimator = 'fisher';
    for (const layer of result.tasks[0].layers) layer.positive *= 3;
  },
  '20261103T000000Z-cccccc': (result) => {
    result.status = 'partial';
    result.experiment.score.damping = { rule: 'mean_square', factor: 1 };
  },
};

function fill(folder: string): void {
  const { experiment } = writeTinyWorkspace(folder);
  for (const [run, change] of Object.entries(runs)) {
    const finished = run.endsWith('c') ? 0 : 6;
    const result = sampleResult({ layers: 6, tasks: ['sentiment', 'capital'], train: 8, validation: 4, finished });
    result.experimentFile = experiment;
    result.provenance.date = `${run.slice(0, 4)}-${run.slice(4, 6)}-${run.slice(6, 8)}T00:00:00.000Z`;
    change(result);
    mkdirSync(join(folder, 'runs', 'tiny', run), { recursive: true });
    writeFileSync(join(folder, 'runs', 'tiny', run, 'tiny.layerif-result.json'), JSON.stringify(result));
  }
}

before(async () => {
  bench = await startWorkbench({ vsix, fill });
  page = bench.page;
  await enter(bench);
  await openSideBar(page);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

/** A row of the view Runs by its title. */
const runRow = (title: string) =>
  treeRows(page, 'Runs').filter({ has: page.locator('.label-name', { hasText: new RegExp(`^${title}$`) }) });
const titles = () => treeRows(page, 'Runs').locator('.label-name').allInnerTexts();

const inMenu = (title: string, entry: string) => chooseInMenu(page, runRow(title), new RegExp(`^${entry}$`));

test('runs stand under their experiment, each told from the run before', async () => {
  await runRow('tiny').filter({ hasText: '3 runs' }).waitFor();
  assert.deepEqual(await titles(), ['tiny', 'estimator datainf, factor 1', 'estimator fisher', 'sentiment, capital']);
  await runRow('estimator datainf, factor 1').filter({ hasText: 'partial, no layer finished' }).waitFor();
  await screenshot(page, 'runs');
});

test('the empty run does not take the place of the last good one in Layers', async () => {
  const frame = await webview(page, 'body[data-layerif-page="layers"] table.side-bars');
  assert.equal(await frame.locator('table.side-bars tbody tr').count(), 6);
});

test('a run gets a label and a pin, and stands first', async () => {
  await inMenu('sentiment, capital', 'Label Run\u2026');
  const input = page.locator('.quick-input-widget input[type=text]');
  await input.fill('before tuning');
  await input.press('Enter');
  await runRow('before tuning').waitFor();
  await inMenu('before tuning', 'Pin Run');
  await until('the pinned run first', async () => (await titles())[1] === 'before tuning');
});

test('the view Layers follows the result in front', async () => {
  const frame = await webview(page, 'body[data-layerif-page="layers"] table.side-bars');
  const raw = () => frame.locator('td.raw').first().innerText();
  const before = Number((await raw()).replaceAll(',', ''));
  await runRow('before tuning').click(); // not the newest
  await resultsPage(page);
  await until('a third', async () => {
    const now = Number((await raw()).replaceAll(',', ''));
    return Math.abs(before / now / 3 - 1) < 0.01;
  });
});

test('two selected runs are compared with their settings, also after a reload', async () => {
  await runRow('estimator fisher').click();
  await resultsPage(page); // it takes the focus, which closes a menu
  await runRow('before tuning').click({ modifiers: ['ControlOrMeta'] });
  await inMenu('before tuning', 'Compare Results\u2026');
  const shown = 'body[data-layerif-page="comparison"] main header';
  const frame = await webview(page, shown, 60_000);
  const text = await frame.locator('main').innerText();
  assert.match(text, /Settings that differ/);
  assert.match(text, /score\.estimator\s+(fisher\s+datainf|datainf\s+fisher)/);
  assert.deepEqual(await accessibilityFaults(frame), []);
  await screenshot(page, 'runs-compared');
  await windowSaves(page, ['layerif.compared', '"files']);
  await page.reload();
  await page.locator('.monaco-workbench').waitFor({ timeout: 60_000 });
  const again = await webview(page, shown, 60_000);
  assert.equal(await again.locator('main').innerText(), text);
  await openSideBar(page);
  await until('the label and the pin after a reload', async () => (await titles())[1] === 'before tuning');
});

test('the experiment of a run opens', async () => {
  await inMenu('estimator fisher', 'Open Experiment');
  await editor(page, 'tiny.layerif.yaml').locator('.view-lines').waitFor();
});

test('a deleted run is gone after a question; the others stay', async () => {
  const folder = (run: string) => join(bench.folder, 'runs', 'tiny', run);
  await inMenu('estimator fisher', 'Delete Run\u2026');
  const dialog = page.locator('.monaco-dialog-box');
  await dialog.getByText('Delete this run of tiny?').waitFor();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  // The file system of this workbench has no trash.
  await dialog.getByText(/cannot go to the trash/).waitFor();
  await dialog.getByRole('button', { name: 'Delete Permanently' }).click();
  await until('the folder is gone', () => Promise.resolve(!existsSync(folder('20261102T000000Z-bbbbbb'))));
  await runRow('tiny').filter({ hasText: '2 runs' }).waitFor();
  // The newer one is told from the one that is now before it.
  await until('new titles', async () => (await titles()).join('|') === 'tiny|before tuning|factor 1');
  assert.ok(existsSync(folder('20261101T000000Z-aaaaaa')) && existsSync(folder('20261103T000000Z-cccccc')));
});
