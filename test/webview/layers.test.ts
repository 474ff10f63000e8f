/** The side-bar page in a real browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Estimate } from '../../protocol/run.ts';
import { withIntervals } from './answers.ts';
import { accessibilityViolations, closePage, openPage } from './page.ts';
import { sampleResult } from './sampleResult.ts';
import type { ThemeName } from './themes.ts';

const result = sampleResult({ layers: 30, tasks: ['sentiment', 'arc_easy'], train: 10, validation: 2 });
const size = { width: 300, height: 720 };
const FILE = '/workspace/x.layerif-result.json';

test('one bar per layer, the strongest marked, its length the share of the largest', async () => {
  const { page, post, errors } = await openPage('layers', size);
  await post({ type: 'result', result, file: FILE });
  const rows = page.locator('.side-bars tbody tr');
  assert.equal(await rows.count(), 30);
  const layers = result.tasks[0].layers;
  const largest = Math.max(...layers.map((layer) => layer.positive));
  const widths = await page
    .locator('.side-bars rect')
    .evaluateAll((nodes) => nodes.map((node) => Number(node.getAttribute('width'))));
  const full = Math.max(...widths);
  widths.forEach((width, i) => assert.ok(Math.abs(width / full - layers[i].positive / largest) < 0.02, `layer ${i}`));
  assert.equal(
    await page.locator('.side-bars tr.top th').innerText(),
    String(layers.find((layer) => layer.positive === largest)?.index),
  );
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('intervals and the badge of the order', async () => {
  const { page, post, screenshot } = await openPage('layers', size);
  const sure = withIntervals(result, [3, 4]);
  await post({ type: 'result', result: sure, file: FILE });
  assert.equal(await page.locator('.side-badge .badge').innerText(), 'solid');
  const bars = page.locator('.side-bars svg');
  const limit = Math.max(...sure.tasks[0].layers.map(({ interval }) => interval![1]));
  const ends = await bars.evaluateAll((nodes) =>
    nodes.map((node) => {
      const line = node.querySelector('line.whisker')!;
      return ['x1', 'x2'].map((end) => Number(line.getAttribute(end)) / (Number(node.getAttribute('width')) - 1));
    }),
  );
  ends.forEach((own, i) =>
    sure.tasks[0].layers[i].interval!.forEach((end, side) =>
      assert.ok(Math.abs(own[side] - end / limit) < 0.02, `layer ${i}: ${own[side]}`),
    ),
  );
  await screenshot('layers-intervals');
  await closePage(page);
});

test('another task, jumps and open', async () => {
  const { page, post, sent } = await openPage('layers', size);
  await post({ type: 'result', result, file: FILE });
  await page.locator('vscode-single-select').click();
  await page.getByRole('option', { name: 'arc_easy' }).click();
  const second = result.tasks[1].layers;
  const top = second.reduce((a, b) => (b.positive > a.positive ? b : a));
  assert.equal(await page.locator('.side-bars tr.top th').innerText(), String(top.index));
  await page.getByRole('button', { name: 'Open task' }).click();
  await page.getByRole('button', { name: 'Open results' }).click();
  assert.deepEqual((await sent()).slice(1), [{ type: 'revealTask', task: 'arc_easy' }, { type: 'openResult' }]);
  await closePage(page);
});

test('live: progress, places for what is to come, cancel', async () => {
  const { page, post, sent, screenshot } = await openPage('layers', size);
  const running = {
    type: 'running',
    runId: 'r',
    startedAt: Date.now(),
    estimate: {} as Estimate,
    message: 'sentiment, 1 of 2: layer 3 of 12, about 2 minutes left',
    done: 1,
    total: 4,
  } as const;
  await post({ ...running, result: null });
  assert.match(await page.locator('main').innerText(), /The first finished layer appears here/);
  await post({
    ...running,
    result: sampleResult({ layers: 30, tasks: ['sentiment'], train: 10, validation: 2, finished: 4 }),
  });
  assert.equal(await page.locator('.side-bars tbody tr').count(), 30);
  assert.equal(await page.locator('.side-bars rect').count(), 4);
  assert.equal(await page.locator('.side-bars').getByText('not scored yet').count(), 26);
  // A run goes from the last layer to the first; what is there comes first.
  const shown = await page.locator('.side-bars tbody th').allInnerTexts();
  assert.deepEqual(shown.slice(0, 6), ['26', '27', '28', '29', '0', '1']);
  await screenshot('layers-live');
  await page.getByText('Cancel', { exact: true }).click();
  assert.deepEqual((await sent()).at(-1), { type: 'cancel' });
  await closePage(page);
});

test('empty and failed say what to do', async () => {
  const { page, post } = await openPage('layers', size);
  await post({ type: 'idle' });
  assert.match(await page.locator('main').innerText(), /choose Score Layers/);
  await post({ type: 'failed', message: 'It did not fit.' });
  assert.match(await page.getByRole('alert').innerText(), /It did not fit\./);
  await closePage(page);
});

for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const satisfies ThemeName[])
  test(`axe finds nothing: ${theme}`, async () => {
    const { page, post, screenshot } = await openPage('layers', { theme, ...size });
    await post({ type: 'result', result, file: FILE });
    assert.deepEqual(await accessibilityViolations(page), []);
    await screenshot(`layers-${theme}`);
    await closePage(page);
  });
