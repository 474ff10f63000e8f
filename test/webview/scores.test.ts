/**
 * The tab Scores in a real browser: beside a result and alone, drawn, spoken, sorted, exported; axe in four kinds of
 * theme.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvOf, markdownOf } from '../../webview/src/model/scoreExport.ts';
import { assertChart } from './chartGolden.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import { sampleResult } from './sampleResult.ts';
import { heatTable, layerTable, scoresFile } from './scoreTables.ts';
import type { ThemeName } from './themes.ts';

const result = sampleResult({ layers: 4, tasks: ['a'], train: 4, validation: 2 });
const found = { type: 'scores', alone: false, scores: scoresFile(), fault: null } as const;

test('beside a result: without scores how to get them, a fault as it is, tables as soon as they are there', async () => {
  const { page, post, errors } = await openPage('results', { state: { tab: 'scores' } });
  await post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  assert.match(await page.locator('.panel').innerText(), /No scores lie beside this result.*scores: \[block_influence/);
  await post({ ...found, scores: null, fault: 'This scores file is empty.' });
  assert.equal(await page.locator('.panel [role=alert]').innerText(), 'This scores file is empty.');
  await post(found);
  const text = await page.locator('.panel').innerText();
  for (const words of [
    /Which blocks can go: a high value speaks for removing the layer/,
    /our formula/,
    /epsilon 0\.1, way peak/,
  ])
    assert.match(text, words);
  assert.match(text, /Marked, 2 of 4: low, watch it/);
  assert.match(text, /layer 1: no token is left/);
  assert.equal(await page.locator('.layerif-series rect').count(), 3, 'no bar where there is no value');
  assert.deepEqual([await page.locator('.band.marked').count(), await page.locator('.band.blank').count()], [2, 1]);
  assert.equal(await page.locator('.layerif-whisker line').count(), 3);
  // Beside influence the other tabs stay.
  assert.ok((await page.getByRole('tab').count()) > 5);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('alone: keys speak values, marks and what is undefined; columns sort; both forms are copied and saved', async () => {
  const { page, post, sent, errors } = await openPage('results', {});
  await post({ ...found, alone: true });
  assert.equal(await page.locator('h1').innerText(), 'Tiny');
  assert.deepEqual(await page.getByRole('tab').allInnerTexts(), ['Scores']);
  await page.getByRole('application', { name: 'Test score (nats)' }).focus();
  const spoken = page.locator('.chart [role=status]');
  assert.equal(await spoken.innerText(), 'Layer 0; Test score: 2 [1.5, 2.5]; reference: by chance: 1; low, watch it');
  await page.keyboard.press('ArrowRight');
  assert.equal(await spoken.innerText(), 'Layer 1; reference: by chance: 1; undefined');
  const first = () => page.locator('.score-rows tbody th').allInnerTexts();
  await page.getByRole('button', { name: 'score', exact: true }).click();
  assert.deepEqual(await first(), ['3', '0', '2', '1']);
  await page.getByRole('button', { name: /^score/ }).click();
  assert.deepEqual(await first(), ['2', '0', '3', '1']);
  for (const name of ['Copy as CSV', 'Copy as Markdown', 'Save as CSV', 'Save as Markdown'])
    await page.locator('vscode-button', { hasText: name }).click();
  assert.deepEqual((await sent()).slice(1), [
    { type: 'copy', text: csvOf(layerTable), what: 'Test score as CSV' },
    { type: 'copy', text: markdownOf(layerTable), what: 'Test score as Markdown' },
    { type: 'saveText', text: csvOf(layerTable), name: 'test_score', ending: 'csv' },
    { type: 'saveText', text: markdownOf(layerTable), name: 'test_score', ending: 'md' },
  ]);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('two axes are a heat map whose cells are spoken', async () => {
  const { page, post, errors } = await openPage('results', {});
  await post({ ...found, alone: true, scores: scoresFile([heatTable]) });
  assert.equal(await page.locator('.heat-cell').count(), 5);
  assert.equal(await page.locator('.heat-undefined').count(), 1);
  await assertChart(page.locator('.score-heat svg'), 'score-heat-map');
  await page.getByRole('application', { name: 'Pairs' }).focus();
  await page.keyboard.press('ArrowDown');
  const spoken = page.locator('.chart [role=status]');
  assert.equal(await spoken.innerText(), 'layer 1, token a; \u22124.00');
  await page.keyboard.press('ArrowRight');
  assert.equal(await spoken.innerText(), 'layer 1, token b; 3.00; strong');
  await page.keyboard.press('End');
  assert.equal(await spoken.innerText(), 'layer 1, token c; undefined');
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('scores beside each other: ranks as cells, small charts, a table; layers by any score; one is shown below', async () => {
  const { page, post, errors, screenshot } = await openPage('results', { state: { tab: 'scores' } });
  await post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  const other = { ...layerTable, score: 'other', title: 'Other', values: [1, 4, 3, 2], higherMeans: 'keep' as const };
  await post({ ...found, scores: scoresFile([layerTable, other]) });
  const part = page.locator('section', { has: page.getByRole('heading', { name: 'Scores beside each other' }) });
  assert.equal(await part.locator('.heat-cell').count(), 7);
  assert.equal(await part.locator('.heat-undefined').count(), 1);
  assert.equal(await part.locator('.small-multiples svg').count(), 2);
  assert.equal(await part.locator('.small-multiples .layerif-whisker line').count(), 6);
  assert.equal(await part.locator('.small-multiples .band.blank').count(), 1);
  await part.getByRole('application', { name: 'Ranks of the layers by score' }).focus();
  const spoken = part.locator('.chart [role=status]').first();
  assert.match(await spoken.innerText(), /^Test score; layer 0: rank 2 of 3, 2\.00; which blocks can go: a high value/);
  const rows = () => part.locator('.rank-rows tbody th').allInnerTexts();
  assert.deepEqual(await rows(), ['0', '1', '2', '3']);
  await part.locator('.rank-rows').getByRole('button', { name: 'Other' }).click();
  assert.deepEqual(await rows(), ['1', '2', '3', '0']);
  assert.deepEqual(await part.locator('.rank-rows tbody tr').first().locator('td').allInnerTexts(), [
    'undefined',
    '4.00 #1',
  ]);
  await part.locator('.small-multiples').getByRole('button', { name: 'Other' }).click();
  assert.equal(await page.locator('#score-heading').innerText(), 'Other (nats)');
  await post({ type: 'showTab', tab: 'scores', score: 'test_score' });
  assert.equal(await page.locator('#score-heading').innerText(), 'Test score (nats)');
  for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as ThemeName[]) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
    await screenshot(`scores-overview-${theme}`);
  }
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('where influence finds mislabelled rows: a share of labels is changed and one question is asked', async () => {
  const { page, post, sent, errors } = await openPage('results', { state: { tab: 'scores' } });
  const tasks = result.experiment.tasks.map((task) => ({ ...task, doc_to_choice: ['no', 'yes'] }));
  await post({
    type: 'result',
    result: { ...result, experiment: { ...result.experiment, tasks } },
    file: '/workspace/x.layerif-result.json',
  });
  const part = page.locator('section', { has: page.getByRole('heading', { name: /mislabelled rows/ }) });
  await part.getByRole('slider').fill('0.3');
  await part.locator('vscode-button').click();
  const [asked] = (await sent()).slice(-1) as { type: string; what: string; params: unknown }[];
  assert.deepEqual(
    [asked.type, asked.what, asked.params],
    ['ask', 'measureScores', { scores: [{ id: 'ndr', options: { flips: 0.3, task: 'a' } }] }],
  );
  assert.match(await part.innerText(), /Measuring/);
  assert.deepEqual(await accessibilityViolations(page), []);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('axe finds nothing in four kinds of theme', async () => {
  for (const table of [layerTable, heatTable]) {
    const { page, post } = await openPage('results', {});
    await post({ ...found, alone: true, scores: scoresFile([table]) });
    for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as ThemeName[]) {
      await setTheme(page, theme);
      assert.deepEqual(await accessibilityViolations(page), [], `${table.title}, ${theme}`);
    }
    await closePage(page);
  }
});

test('what if blocks were removed: layers are ticked, one question is asked, what was measured is shown', async () => {
  const { page, post, sent, errors } = await openPage('results', { state: { tab: 'scores' } });
  await post({ type: 'result', result, file: '/workspace/x.layerif-result.json' });
  const removal = {
    ...layerTable,
    score: 'removal',
    title: 'Several layers left out',
    subject: 'model' as const,
    higherMeans: null,
    options: { layers: '1-2', by: '' },
    axes: [{ name: 'left out', labels: ['1-2'] }],
    values: [0.5],
    intervals: [[0.4, 0.6]] as [number, number][],
    parts: { perplexity: [165] },
    reference: { value: 2.25, words: 'mean of 8 random sets of as many layers' },
    marks: [],
  };
  await post({ ...found, scores: scoresFile([layerTable, removal]) });
  const part = page.locator('.what-if');
  assert.deepEqual(await part.locator('tbody tr').allInnerTexts(), ['1-2\t165\t0.500\t0.400 to 0.600\t2.25\tyou']);
  const button = part.locator('vscode-button', { hasText: 'Measure without' });
  assert.equal(await button.getAttribute('disabled'), '');
  await part.getByRole('checkbox', { name: '0' }).check();
  await part.getByRole('checkbox', { name: '1' }).check();
  await part.getByRole('checkbox', { name: '3' }).check();
  assert.match(await part.innerText(), /Left out: 0-1, 3\./);
  for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as ThemeName[]) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
  }
  await button.click();
  const [asked] = (await sent()).slice(-1) as { type: string; what: string; params: unknown }[];
  assert.deepEqual(
    [asked.type, asked.what, asked.params],
    ['ask', 'measureScores', { scores: [{ id: 'removal', options: { layers: '0-1, 3' } }] }],
  );
  assert.match(await part.innerText(), /Measuring/);
  await part.getByRole('checkbox', { name: '2' }).check();
  assert.deepEqual(errors, []);
  await closePage(page);
});
