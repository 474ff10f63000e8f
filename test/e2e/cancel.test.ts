/**
 * A run that takes a while, in the installed extension: it fills in live, can be cancelled, keeps what is finished, and
 * goes on.
 */
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { startWorkbench } from './harness.ts';
import type { Workbench } from './harness.ts';
import { vsix } from './vsix.ts';
import {
  bars,
  clickLens,
  enter,
  explainFailure,
  notification,
  openFile,
  openSideBar,
  resultsPage,
  scoreTiny,
  screenshot,
  treeRows,
  until,
  webview,
} from './workbench.ts';

const LAYERS = 16;

let bench: Workbench;
let page: Page;

before(async () => {
  bench = await startWorkbench({
    vsix,
    fill: (folder) =>
      void writeTinyWorkspace(folder, { layers: LAYERS, hidden: 256, heads: 8, keyValueHeads: 4, train: 64 }),
  });
  page = bench.page;
  await enter(bench);
});
after(() => bench?.stop());
afterEach((context) => explainFailure(context, bench));

/** The newest of `count` runs. */
function result(count: number): Result {
  const folder = join(bench.folder, 'runs', 'tiny');
  const runs = readdirSync(folder).sort();
  assert.equal(runs.length, count);
  return JSON.parse(readFileSync(join(folder, runs[count - 1], 'tiny.layerif-result.json'), 'utf8')) as Result;
}

/** Process id of the engine that this workbench's language server has forked. */
function enginePid(): number {
  const ours = readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const command = readFileSync(join('/proc', name, 'cmdline'), 'utf8');
      return command.includes(dirname(bench.folder)) && command.includes('engine.cjs');
    } catch {
      return false; // it has ended meanwhile
    }
  });
  assert.equal(ours.length, 1, 'one engine');
  return Number(ours[0]);
}

test('layers appear while the run goes on, in the editor and in the side bar', async () => {
  await openSideBar(page);
  await openFile(page, 'tiny.layerif.yaml');
  await clickLens(page, /^Score Layers$/);
  const frame = await resultsPage(page);
  const some = await until('some layers', async () => (await bars(frame).count()) || null, 60_000);
  assert.ok(some < LAYERS, `${some} of ${LAYERS} layers at the first look`);
  await frame.getByRole('button', { name: 'Cancel' }).waitFor();
  const side = await webview(page, 'body[data-layerif-page="layers"] .run-line');
  await until('a bar in the side bar', async () => (await side.locator('.signed-bar').count()) > 0);
  await page.locator('.statusbar-item', { hasText: /LayerIF \d+ %/ }).waitFor();
  await treeRows(page, 'Runs')
    .filter({ hasText: /tiny.*%/ })
    .waitFor();
  await screenshot(page, 'running');
});

test('Cancel keeps the finished layers', async () => {
  const toast = notification(page, /LayerIF: /);
  await toast.hover();
  await toast.getByRole('button', { name: 'Cancel' }).click();
  await toast.waitFor({ state: 'detached' });
  const frame = await resultsPage(page);
  await frame.locator('.status', { hasText: 'Partial: score again to resume' }).waitFor();
  const { status, tasks } = result(1);
  assert.equal(status, 'partial');
  const finished = tasks.reduce((sum, { layers }) => sum + layers.length, 0);
  assert.ok(finished > 0 && finished < 2 * LAYERS, `${finished} layers`);
  assert.equal(await bars(frame).count(), finished);
  await treeRows(page, 'Runs')
    .filter({ hasText: /partial/ })
    .waitFor();
  await screenshot(page, 'cancelled');
});

test('scoring again goes on where it was', async () => {
  const before = result(1);
  const frame = await scoreTiny(page);
  const { status, tasks } = result(1);
  assert.equal(status, 'complete');
  assert.deepEqual(
    tasks.map(({ layers }) => layers.length),
    [LAYERS, LAYERS],
  );
  for (const layer of before.tasks[0].layers) {
    const again = tasks[0].layers.find(({ index }) => index === layer.index)!;
    assert.ok(
      Math.abs(again.score - layer.score) <= 1e-5 * Math.abs(layer.score),
      `layer ${layer.index}: ${layer.score} and ${again.score}`,
    );
  }
  assert.equal(await bars(frame).count(), 2 * LAYERS);
});

test('an engine that is killed from outside costs the run, not the editor', async () => {
  await openFile(page, 'tiny.layerif.yaml');
  await clickLens(page, /^Score Layers$/);
  // The page of the run before goes out of sight and takes its frame with it.
  const running = await webview(page, 'body[data-layerif-page="results"] .status vscode-button', 60_000);
  await until('some layers', async () => (await bars(running).count()) || null, 60_000);
  process.kill(enginePid(), 'SIGKILL');
  await notification(page, /Scoring tiny failed: .*SIGKILL/).waitFor();
  await running.locator('.status', { hasText: 'Partial: score again to resume' }).waitFor();
  await screenshot(page, 'engine-killed');
  assert.equal(result(2).status, 'partial');
  await clickLens(page, /^Score Layers$/);
  await running.locator('.status', { hasText: 'Complete' }).waitFor({ timeout: 60_000 });
  assert.equal(result(2).status, 'complete');
});
