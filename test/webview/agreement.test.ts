/**
 * The tab Agreement in a real browser: beside the measured score by question, another one chosen, the matrix spoken;
 * axe.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoreTable } from '../../protocol/scores.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import { sampleResult } from './sampleResult.ts';
import { heatTable, scoresFile } from './scoreTables.ts';
import type { ThemeName } from './themes.ts';

const labels = ['cheap', 'layer_drop samples 8', 'tail', 'odd'];
const agreement: ScoreTable = {
  ...heatTable,
  score: 'agreement',
  title: 'Agreement of the scores',
  subject: 'run',
  axes: ['score', 'other score'].map((name) => ({
    name,
    labels,
    groups: ['which blocks can go', 'which blocks can go', 'which layers lose weights', 'which layers lose weights'],
  })),
  values: [1, 0.8, -0.4, null, 0.8, 1, -0.5, 0.25, -0.4, -0.5, 1, 0, null, 0.25, 0, 1],
  intervals: [
    [null, [0.7, 0.9], null, null],
    [[0.7, 0.9], null, [-0.6, -0.3], null],
    [null, [-0.6, -0.3], null, null],
    [null, null, null, null],
  ].flat() as ScoreTable['intervals'],
  level: 0.9,
  marks: [],
  notes: ['30 layers.'],
};
const result = sampleResult({ layers: 4, tasks: ['a'], train: 4, validation: 2 });
const found = { type: 'scores', alone: false, scores: scoresFile([heatTable, agreement]), fault: null } as const;

test('beside a result: how to get it; then rows by question beside the measured score, the best first', async () => {
  const { page, post, errors } = await openPage('results', { state: { tab: 'agreement' } });
  await post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  assert.match(await page.locator('.panel').innerText(), /No agreement lies beside this result.*layer_drop/);
  await post(found);
  const rows = () => page.locator('.agreement-rows tbody tr').allInnerTexts();
  assert.deepEqual(
    (await rows()).map((row) => row.split('\t').slice(0, 3)),
    [
      ['which blocks can go'],
      ['cheap', '0.800', '0.700 to 0.900'],
      ['which layers lose weights'],
      ['odd', '0.250', 'not resampled'],
      ['tail', '\u22120.500', '\u22120.600 to \u22120.300'],
    ],
  );
  await page
    .locator('vscode-single-select')
    .last()
    .evaluate((select: HTMLElement & { value: string }) => {
      select.value = 'cheap';
      select.dispatchEvent(new Event('change', { bubbles: true }));
    });
  assert.equal(await page.locator('#beside-heading').innerText(), 'Beside cheap');
  assert.deepEqual(
    (await rows()).map((row) => row.split('\t')[0]),
    ['which blocks can go', 'layer_drop samples 8', 'which layers lose weights', 'tail', 'odd'],
  );
  await page.getByRole('application', { name: 'Agreement of the scores' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(
    await page.locator('.chart [role=status]').innerText(),
    'score cheap, other score layer_drop samples 8; 0.800; 0.700 to 0.900',
  );
  assert.deepEqual(errors, []);
  await closePage(page);
});

for (const theme of ['dark', 'high-contrast'] as ThemeName[]) {
  test(`alone, ${theme}: a tab of its own, nothing that axe finds`, async () => {
    const { page, post, errors } = await openPage('results', {});
    await setTheme(page, theme);
    await post({ ...found, alone: true });
    await page.getByRole('tab', { name: 'Agreement' }).click();
    assert.equal(await page.locator('.agreement-rows').count(), 1);
    assert.deepEqual(await accessibilityViolations(page), []);
    assert.deepEqual(errors, []);
    await closePage(page);
  });
}
