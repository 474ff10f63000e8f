/**
 * Trust, Allocation, Sparsity, recomputed views and comparisons in a real browser: what is asked, drawn, said; axe in
 * four kinds of theme.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { allocation, answerAll, trust, withIntervals } from './answers.ts';
import { choose } from './choose.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import { sampleComparison } from './sampleComparison.ts';
import { sampleResult } from './sampleResult.ts';
import type { ThemeName } from './themes.ts';

const plain = sampleResult({ layers: 12, tasks: ['sentiment', 'arc_easy'], train: 24, validation: 4 });
const result = withIntervals(plain, [5]);

async function open(shown: Result, tab: string, options: { width?: number; theme?: ThemeName; more?: object } = {}) {
  const { more, ...rest } = options;
  const opened = await openPage('results', { ...rest, state: { tab, ...more } });
  await opened.post({ type: 'result', result: shown, file: '/workspace/x.layerif-result.json' });
  await opened.post({ type: 'trust', trust: trust(shown) });
  await answerAll(opened, shown);
  return opened;
}
const asks = async ({ sent }: OpenPage) =>
  (await sent()).filter((message): message is FromWebview & { type: 'ask' } => message.type === 'ask');
const barLabels = (page: Page) =>
  page.locator('.layerif-bar rect').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label') ?? ''));

test('whiskers: one per layer and task, as high as the interval; unstable layers are striped, marked and named', async () => {
  const { page, errors } = await open(result, 'layers');
  const whiskers = page.locator('.layerif-whisker line');
  assert.equal(await whiskers.count(), 24);
  const bar = (await page.locator('.layerif-bar rect[aria-label^="Layer 2, sentiment"]').boundingBox())!;
  const heights = await whiskers.evaluateAll((nodes) =>
    nodes.map((node) => [Number(node.getAttribute('y1')), Number(node.getAttribute('y2'))].map(Math.abs)),
  );
  const share = (1.25 - 0.8) * bar.height;
  assert.ok(
    heights.some(([a, b]) => Math.abs(Math.abs(a - b) - share) < 1.5),
    `a whisker of ${share} pixels`,
  );
  assert.equal(await page.locator('.layerif-unstable rect').count(), 2);
  assert.deepEqual(await page.locator('.layerif-unstable-mark text').allTextContents(), ['?', '?']);
  assert.match(await page.locator('.legend').innerText(), /striped: unstable/);
  const label = (await barLabels(page)).find((text) => text.startsWith('Layer 5, arc_easy'))!;
  assert.match(label, /interval .* to .*, rank \d+, 1 to 12 on other samples, unstable$/);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('a result without intervals is drawn as before', async () => {
  const { page } = await open(plain, 'layers');
  assert.equal(await page.locator('.layerif-whisker line').count(), 0);
  assert.equal(await page.locator('.layerif-bar rect').count(), 24);
  await closePage(page);
});

test('the damping slider recomputes, says so, and goes back', async () => {
  const opened = await open(result, 'layers');
  const { page } = opened;
  const own = await barLabels(page);
  const slider = page.getByRole('slider', { name: 'Damping' });
  assert.equal(await slider.getAttribute('aria-valuetext'), '\u00d7 0.1');
  await slider.focus();
  for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
  await answerAll(opened, result);
  const questions = (await asks(opened)).filter(({ what }) => what === 'rescore');
  assert.deepEqual(questions.at(-1)!.params, {
    estimator: 'datainf',
    aggregation: 'positive',
    per: 'sample',
    damping: { rule: 'mean_square', factor: 1 },
  });
  assert.ok(questions.length < 10, `${questions.length} questions for ten steps`);
  assert.match(
    await page.locator('.recomputed').innerText(),
    /^Recomputed from the stored inner products.*damping 1 \(DataInf/,
  );
  assert.notDeepEqual(await barLabels(page), own);
  assert.equal(await page.locator('.layerif-whisker line').count(), 0, 'intervals of the run are not drawn over it');
  await page.getByRole('button', { name: /Back to the run/ }).click();
  await page.locator('.recomputed').waitFor({ state: 'detached' });
  assert.deepEqual(await barLabels(page), own);
  await closePage(page);
});

test('a view that cannot be computed says why, with the run\u2019s own in sight', async () => {
  const opened = await openPage('results', { state: { recompute: { estimator: 'fisher' } } });
  const { page, post } = opened;
  await post({ type: 'result', result, file: '/x' });
  const [ask] = await asks(opened);
  assert.equal(ask.what, 'rescore');
  const error = { code: 'badRequest', message: 'grams.safetensors is gone' };
  await post({ type: 'answer', requestId: ask.requestId, answer: { tasks: null, error }, failure: null });
  assert.match(
    await page.locator('.recomputed').innerText(),
    /cannot be computed: grams\.safetensors is gone.*own: DataInf/,
  );
  assert.equal(await page.locator('.layerif-bar rect').count(), 24);
  await closePage(page);
});

test('Trust: sentences, sweep, checks and validation with its cautions', async () => {
  const opened = await open(result, 'trust');
  const { page, errors, sent } = opened;
  await opened.screenshot('trust');
  const text = await page.locator('.panel').innerText();
  assert.match(text, /Spearman correlation of 0\.81/);
  assert.match(text, /hardly moves \(Spearman at least 0\.9\) while the factor lies between/);
  assert.match(text, /A check failed/);
  assert.match(await page.locator('.caution').innerText(), /does not beat gradient dot/);
  assert.match(text, /random \(control\)/);
  assert.match(text, /retrieval was not run: the texts are longer/);
  await page.getByRole('application', { name: /Rank stability/ }).focus();
  await page.keyboard.press('End');
  const spoken = page
    .getByRole('application', { name: /Rank stability/ })
    .locator('xpath=..')
    .getByRole('status');
  assert.match(await spoken.innerText(), /^Factor 1000; sentiment: 0\.55; arc_easy: 0\.52; sentiment: highest layers /);
  await page.locator('vscode-button', { hasText: 'Validate Influence' }).click();
  await page.locator('vscode-button', { hasText: 'Check Again' }).click();
  assert.deepEqual(
    (await sent()).filter(({ type }) => type === 'command'),
    [
      { type: 'command', command: 'validateInfluence' },
      { type: 'command', command: 'checkGradients' },
    ],
  );
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('Trust: other estimators as a matrix with intervals, a sentence, and what would take long', async () => {
  const { page, errors } = await open(result, 'trust');
  const section = page.locator('section[aria-labelledby="estimators-heading"]');
  const text = await section.innerText();
  assert.match(text, /0\.40 with fisher, 0\.55 with dot, from the same gradients: only a rough order/);
  assert.match(text, /lissa takes a while: layerif compare RESULT/);
  const cells = await section.locator('table').first().locator('tbody td').allTextContents();
  assert.deepEqual(cells, ['0.40 [0.20, 0.60]', '0.55 [0.35, 0.75]', '', '\u22120.20 [\u22120.40, 0.00]']);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('the first answer stands above the chart, one line a task with its badge', async () => {
  const { page, errors } = await open(result, 'layers');
  const lines = page.locator('.verdict p');
  assert.equal(await lines.count(), 2);
  assert.deepEqual(await page.locator('.verdict .badge').allTextContents(), ['solid', 'solid']);
  assert.match(
    await lines.first().innerText(),
    /sentiment: Layers \d+ \(ranks \d to \d\).* stand out: on other samples each stays among the highest third.*The place of one layer is not settled/,
  );
  assert.deepEqual(errors, []);
  await closePage(page);
  const { page: bare } = await open(plain, 'layers');
  assert.deepEqual(await bare.locator('.verdict .badge').allTextContents(), ['not known', 'not known']);
  await closePage(bare);
});

test('Add Samples is offered while places are open and rows may be left, and says how the looks ended', async () => {
  const grown = structuredClone(result);
  const looks = [{ train: 9, validation: 3, open: 6 }];
  grown.tasks[0].until = { rankInterval: 0.33, rows: 2000, planned: 1, looks, ended: 'split' };
  const { page, errors, sent } = await open(result, 'layers');
  await page.locator('.verdict vscode-button', { hasText: 'Add Samples' }).click();
  assert.deepEqual((await sent()).at(-1), { type: 'command', command: 'addSamples' });
  assert.deepEqual(errors, []);
  await closePage(page);
  for (const task of grown.tasks) task.until = grown.tasks[0].until;
  const { page: ended } = await open(grown, 'layers');
  assert.match(
    await ended.locator('.verdict p').first().innerText(),
    /with 9 × 3 samples .* the ranks of 6 of 12 layers .* no further rows\.$/,
  );
  assert.equal(await ended.locator('.verdict vscode-button').count(), 0);
  await closePage(ended);
});

test('Trust: what is not there yet says how to get it; what runs is said and cannot be started twice', async () => {
  const { page, post } = await openPage('results', { state: { tab: 'trust' } });
  const partial = sampleResult({ layers: 12, tasks: ['a'], train: 9, validation: 3, finished: 5 });
  await post({ type: 'result', result: partial, file: '/x' });
  await post({
    type: 'trust',
    trust: { check: null, validation: null, fault: null, busy: 'Checking gradients\u2026' },
  });
  const text = await page.locator('.panel').innerText();
  assert.match(text, /once the run is complete/);
  assert.match(text, /needs the Grams of a complete run/);
  assert.match(text, /Not checked yet/);
  assert.match(text, /Not validated yet/);
  assert.match(text, /Checking gradients/);
  const disabled = await page
    .locator('vscode-button')
    .evaluateAll((all) => all.map((one) => one.hasAttribute('disabled')));
  assert.deepEqual(disabled, [true, true]);
  await closePage(page);
});

test('Allocation: the table is the answer, a row explains itself, the exponent asks again', async () => {
  const opened = await open(result, 'allocation');
  const { page, errors, sent } = opened;
  await opened.screenshot('allocation');
  const own = allocation(result, { kind: 'experts', rule: 'layerif' }).allocation!;
  const table = page.locator('table.data');
  assert.deepEqual(await table.locator('thead th').allInnerTexts(), [
    'Layer',
    'Score',
    'Before rounding',
    'Experts',
    '90\u00a0% of draws',
    'Uniform',
    'MoLA 2468',
  ]);
  const column = (place: number) => table.locator(`tbody tr > :nth-child(${place})`).allInnerTexts();
  assert.deepEqual(
    (await column(4)).map(Number),
    own.layers.map(({ value }) => value),
  );
  assert.deepEqual(
    (await column(3)).map((text) => Math.floor(Number(text))),
    own.layers.map(({ terms }) => Math.floor(Number(terms!['before rounding'].toPrecision(3)))),
  );
  assert.deepEqual(
    await column(5),
    own.layers.map(({ spread }) => (spread![0] === spread![1] ? `${spread![0]}` : spread!.join(' to '))),
  );
  const doubt = page.getByRole('region', { name: 'How far to rely on it' });
  assert.match(await doubt.innerText(), /On other samples of this kind \(90\u00a0% of 5 draws\) \d+ of 12 layers/);
  assert.match(await doubt.innerText(), /a layer with a higher score gets more experts/);
  assert.equal(await doubt.locator('.badge').count(), own.provenance.tasks.length);
  assert.match(await page.locator('.caption').first().innerText(), /60 experts over 12 layers/);
  assert.deepEqual(await page.locator('.series-legend li').allInnerTexts(), ['LayerIF', 'Uniform', 'MoLA 2468']);
  await page.getByRole('button', { name: '3', exact: true }).click();
  assert.equal(await page.locator('.why').innerText(), own.layers[3].why);
  await page.getByRole('slider', { name: 'Exponent' }).focus();
  await page.keyboard.press('ArrowRight');
  await answerAll(opened, result);
  const last = (await asks(opened)).filter(({ what }) => what === 'allocate').map(({ params }) => params);
  assert.ok(last.some((params) => 'beta' in params && params.beta === 3.1 && params.rule === 'layerif'));
  await page.locator('vscode-button', { hasText: 'Copy List' }).click();
  const copied = (await sent()).find((message) => message.type === 'copy')!;
  assert.equal(
    copied.text
      .split(',')
      .map(Number)
      .reduce((a, b) => a + b),
    60,
  );
  await page.locator('vscode-button', { hasText: 'Export' }).click();
  const exported = (await sent()).find((message) => message.type === 'saveExport')!;
  assert.deepEqual([exported.params.to, exported.params.kind, exported.params.beta], ['peft', 'experts', 3.1]);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('Sparsity: a rule whose score is not measured offers to measure it, says why that failed, and asks again', async () => {
  const opened = await open(result, 'sparsity', { more: { sparsity: { rule: 'owl' } } });
  const { page, post, errors } = opened;
  const button = page.getByRole('button', { name: 'Measure now' });
  const lastOf = async (what: string) => (await asks(opened)).filter((ask) => ask.what === what).at(-1)!;
  await button.click();
  const first = await lastOf('measureScores');
  assert.deepEqual(first.params, { scores: [{ id: 'owl', options: {} }] });
  assert.match(await page.getByText(/^Measuring/).innerText(), /Progress and cancel are in the notification/);
  assert.equal(await button.count(), 0, 'not twice at once');
  const error = { code: 'notEnoughMemory', message: 'observing outliers needs 9 GiB' };
  await post({ type: 'answer', requestId: first.requestId, answer: { scoresFile: null, error }, failure: null });
  await answerAll(opened, result);
  assert.match(await page.locator('.panel [role=alert]').innerText(), /observing outliers needs 9 GiB/);
  const before = await lastOf('allocate');
  await button.click();
  const second = await lastOf('measureScores');
  assert.ok(second.requestId > first.requestId);
  const answer = { scoresFile: '/workspace/x.layerif-scores.json', error: null };
  await post({ type: 'answer', requestId: second.requestId, answer, failure: null });
  await page.waitForTimeout(400);
  const again = (await asks(opened)).find((ask) => ask.what === 'allocate' && ask.requestId > before.requestId)!;
  assert.equal((again.params as { rule: string }).rule, 'owl');
  const drawn = allocation(result, { kind: 'sparsity', rule: 'uniform' });
  await post({ type: 'answer', requestId: again.requestId, answer: drawn, failure: null });
  await page.waitForTimeout(200);
  assert.equal(await button.count(), 0);
  assert.equal(await page.locator('.panel [role=alert]').count(), 0);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('Sparsity: a rule that cannot be drawn is named; N:M takes the slider away', async () => {
  const opened = await open(result, 'sparsity', { more: { sparsity: { baselines: ['uniform', 'owl'] } } });
  const { page } = opened;
  await opened.screenshot('sparsity');
  assert.match(await page.locator('.panel').innerText(), /OWL is not drawn: rule owl looks at activations/);
  assert.equal(await page.getByRole('slider', { name: 'Sparsity' }).count(), 1);
  await choose(page, 'Pattern', '2:4');
  await answerAll(opened, result);
  assert.equal(await page.getByRole('slider', { name: 'Sparsity' }).count(), 0);
  assert.match(await page.locator('table.data tbody tr').first().innerText(), /\(\d of 4\)/);
  await closePage(page);
});

test('a partial result says which layers are missing instead of asking', async () => {
  const partial = sampleResult({ layers: 12, tasks: ['a'], train: 9, validation: 3, finished: 5 });
  const opened = await open(partial, 'allocation');
  assert.match(await opened.page.locator('.panel').innerText(), /a has 5 of 12.*Score again/);
  assert.equal((await asks(opened)).length, 0);
  await closePage(opened.page);
});

test('comparison of prunings: findings, gate, chart with the model as it is, table in words', async () => {
  const { page, post, errors, screenshot } = await openPage('comparison');
  await post({ type: 'pruningComparison', comparison: sampleComparison([0.3, 0.5], ['wanda', 'magnitude']) });
  await screenshot('pruning-comparison');
  const text = await page.locator('main').innerText();
  assert.match(text, /Outside the gate/);
  assert.match(text, /layerif does not beat uniform/);
  assert.match(text, /worse, p < 0\.001/);
  assert.match(text, /no clear difference, p 0\.400/);
  assert.equal(await page.locator('table.data tbody tr').count(), 17);
  assert.equal(await page.locator('.layerif-whisker').first().locator('line').count(), 2, 'a whisker per sparsity');
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('results compared: matrix, pairs and plain words', async () => {
  const { page, post, errors, screenshot } = await openPage('comparison');
  const scores = result.tasks.map(({ layers }) => layers.map(({ score }) => score));
  const statistic = (value: number) => ({ value, interval: [value - 0.2, value + 0.1] as [number, number], p: 0.02 });
  await post({
    type: 'runComparison',
    comparison: {
      format: 'layerif-comparison',
      version: 1,
      series: result.tasks.map(({ task }, i) => ({
        label: task,
        file: '/x',
        model: 'm',
        task,
        estimator: 'datainf',
        aggregation: 'positive',
        layers: result.tasks[i].layers.map(({ index }) => index),
        scores: scores[i],
        replicates: 200,
      })),
      runs: ['20261130T000000Z-aaaaaa', '20261130T000100Z-bbbbbb'],
      settings: [{ setting: 'score.estimator', values: ['datainf', 'fisher'] }],
      layers: 12,
      byDepth: false,
      level: 0.9,
      seed: 0,
      pairs: [
        {
          a: 0,
          b: 1,
          spearman: statistic(0.75),
          kendall: statistic(0.6),
          topK: { k: 3, shared: 2, overlap: 0.67, chance: 0.25, p: 0.1 },
          samples: null,
        },
      ],
      matrix: [
        [1, 0.75],
        [0.75, 1],
      ],
      notes: ['a note'],
    },
  });
  await screenshot('results-compared');
  const text = await page.locator('main').innerText();
  assert.match(
    text,
    /sentiment and arc_easy order the layers much alike \(Spearman 0\.75\); 2 of the 3 highest layers/,
  );
  assert.match(text, /by chance 0\.8 would be/);
  assert.match(
    text,
    /Setting\s+20261130T000000Z-aaaaaa\s+20261130T000100Z-bbbbbb\s+score\.estimator\s+datainf\s+fisher/i,
  );
  assert.match(text, /0\.75 \[0\.55, 0\.85\], p 0\.020/);
  assert.deepEqual(errors, []);
  await closePage(page);
});

const themes: ThemeName[] = ['light', 'dark', 'high-contrast', 'high-contrast-light'];
for (const tab of ['layers', 'trust', 'allocation', 'sparsity'])
  test(`${tab}: axe finds nothing in four kinds of theme, wide and narrow`, async () => {
    const { page } = await open(result, tab);
    for (const theme of themes) {
      await setTheme(page, theme);
      assert.deepEqual(await accessibilityViolations(page), [], theme);
    }
    await page.setViewportSize({ width: 420, height: 900 });
    await page.waitForTimeout(100);
    assert.deepEqual(await accessibilityViolations(page), [], 'narrow');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `nothing sticks out at the side: ${wide} pixels`);
    await closePage(page);
  });

test('comparison: axe finds nothing in four kinds of theme', async () => {
  const { page, post } = await openPage('comparison');
  await post({ type: 'pruningComparison', comparison: sampleComparison([0.5]) });
  for (const theme of themes) {
    await setTheme(page, theme);
    assert.deepEqual(await accessibilityViolations(page), [], theme);
  }
  await closePage(page);
});
