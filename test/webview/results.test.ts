/**
 * The results page in a real browser: what is drawn, what is said, what a click sends, and axe in all four kinds of
 * theme.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Result } from '../../protocol/result.ts';
import type { Estimate } from '../../protocol/run.ts';
import type { FromWebview } from '../../protocol/webview.ts';
import { choose } from './choose.ts';
import { accessibilityViolations, closePage, openPage, setTheme } from './page.ts';
import type { OpenPage } from './page.ts';
import { sampleResult, sampleText } from './sampleResult.ts';
import type { ThemeName } from './themes.ts';

const FILE = '/workspace/runs/x/x.layerif-result.json';
const twoTasks = sampleResult({ layers: 12, tasks: ['sentiment', 'arc_easy'], train: 40, validation: 5 });
const estimate = {
  model: { name: 'tiny', family: 'llama', layers: 12, parameters: 1e6, scoredParameters: 9e5, coverage: 1 },
  seconds: 42,
  device: 'cpu',
} as Estimate;
const running = (result: Result | null) =>
  ({
    type: 'running',
    runId: 'r',
    startedAt: Date.now(),
    estimate,
    message: 'sentiment, 1 of 2: layer 3 of 12, about 2 minutes left',
    done: 25,
    total: 100,
    result,
  }) as const;

async function open(result: Result, options: Parameters<typeof openPage>[1] = {}): Promise<OpenPage> {
  const opened = await openPage('results', options);
  await opened.post({ type: 'result', result, file: FILE });
  return opened;
}

/** Answers every request for texts that was not answered before, as the extension would. */
async function answerSamples({ sent, post }: OpenPage, from = 0): Promise<number> {
  const messages = await sent();
  for (const message of messages.slice(from))
    if (message.type === 'samples')
      await post({
        type: 'samples',
        requestId: message.requestId,
        answer: {
          samples: message.samples.map((index) => ({
            index,
            text: sampleText(message.task, index),
            answer: index % 2 ? ' positive' : ' negative',
            file: `/workspace/data/${message.task}.jsonl`,
            line: index + 1,
          })),
        },
      });
  return messages.length;
}

const last = async <Type extends FromWebview['type']>({ sent }: OpenPage, type: Type) =>
  (await sent()).filter((message): message is FromWebview & { type: Type } => message.type === type).at(-1);
const heading = (page: Page) => page.locator('#detail-heading').innerText();
const chart = (page: Page) => page.getByRole('application', { name: 'Layer scores' });

test('bars: one per layer and task, named with value, share and rank', async () => {
  const { page, errors } = await open(twoTasks);
  const bars = page.locator('.layerif-bar rect');
  assert.equal(await bars.count(), 24);
  const top = [...twoTasks.tasks[0].layers].sort((a, b) => b.positive - a.positive)[0];
  const labels = await bars.evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label')));
  assert.ok(
    labels.some(
      (label) =>
        label?.startsWith(`Layer ${top.index}, sentiment: `) && label.endsWith('100\u00a0% of the largest, rank 1'),
    ),
  );
  assert.equal(await page.locator('.layerif-plot style').count(), 0, 'the injected style is taken out');
  assert.match(await heading(page), new RegExp(`^Layer ${top.index}\\b`));
  assert.equal(
    await page
      .locator('.sign')
      .innerText()
      .then((text) => text.startsWith('Positive = helps validation:')),
    true,
  );
  assert.deepEqual(errors, [], 'no console error, no policy violation');
  await closePage(page);
});

test('heights of bars are proportional to the scores', async () => {
  const { page } = await open(twoTasks);
  const heights = await page
    .locator('.layerif-bar rect')
    .evaluateAll((nodes) => nodes.map((node) => Number(node.getAttribute('height'))));
  const scores = twoTasks.tasks.flatMap((task) => {
    const largest = Math.max(...task.layers.map((layer) => layer.positive));
    return task.layers.map((layer) => layer.positive / largest);
  });
  const full = Math.max(...heights);
  heights.forEach((height, i) => assert.ok(Math.abs(height / full - scores[i]) < 1e-6, `bar ${i}`));
  await closePage(page);
});

test('a negative score hangs below zero, is hatched and says so', async () => {
  const result = structuredClone(twoTasks);
  result.tasks[0].layers[4].sum = -3e7;
  const { page } = await open(result, { state: { aggregation: 'sum', normalised: false } });
  const bar = page.locator('.layerif-bar rect[aria-label^="Layer 4, sentiment: \u22123.00e7"]');
  assert.equal(await bar.getAttribute('fill'), 'url(#layerif-negative-0)');
  const feet = await page
    .locator('.layerif-bar rect[fill^="url(#layerif-positive"]')
    .evaluateAll((nodes) => nodes.map((node) => Number(node.getAttribute('y')) + Number(node.getAttribute('height'))));
  const zero = feet[0];
  assert.ok(feet.every((foot) => Math.abs(foot - zero) < 1e-6));
  assert.ok(Math.abs((await bar.evaluate((node) => Number(node.getAttribute('y')))) - zero) < 1e-6);
  assert.match(await page.locator('.legend-note').innerText(), /hatched, below zero: hurts validation/);
  await closePage(page);
});

test('keyboard: arrows move and speak, Enter selects, End goes to the last layer', async () => {
  const { page } = await open(twoTasks, { state: { layer: 3 } });
  await chart(page).focus();
  const spoken = page.locator('.chart').first().getByRole('status');
  assert.match(await spoken.innerText(), /^Layer 3: sentiment /);
  await page.keyboard.press('ArrowRight');
  assert.match(await spoken.innerText(), /^Layer 4: sentiment .* rank \d+; arc_easy .* rank \d+$/);
  assert.match(await heading(page), /^Layer 3\b/, 'moving does not select');
  await page.keyboard.press('Enter');
  assert.match(await heading(page), /^Layer 4\b/);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  assert.match(await heading(page), /^Layer 11\b/);
  await closePage(page);
});

test('a click on a bar selects its layer and its task; Ctrl+click opens the task in the experiment', async () => {
  const opened = await open(twoTasks, { state: { layer: 0 } });
  const { page } = opened;
  const bar = await page.locator('.layerif-bar rect[aria-label^="Layer 7, arc_easy"]').boundingBox();
  assert.ok(bar);
  const point = [bar.x + bar.width / 2, bar.y + bar.height / 2] as const;
  await page.mouse.click(...point);
  assert.match(await heading(page), /^Layer 7\b/);
  assert.equal(await page.getByRole('button', { name: 'arc_easy', exact: true }).getAttribute('aria-pressed'), 'true');
  await page.keyboard.down('Control');
  await page.mouse.click(...point);
  await page.keyboard.up('Control');
  assert.deepEqual(await last(opened, 'revealTask'), { type: 'revealTask', task: 'arc_easy' });
  await closePage(page);
});

test('every task of the selected layer jumps to its line and to its dataset', async () => {
  const opened = await open(twoTasks);
  const { page } = opened;
  await page.getByRole('button', { name: 'Open task arc_easy in the experiment file' }).click();
  assert.deepEqual(await last(opened, 'revealTask'), { type: 'revealTask', task: 'arc_easy' });
  await page.getByRole('button', { name: 'Open dataset sentiment-data in the experiment file' }).click();
  assert.deepEqual(await last(opened, 'revealDataset'), { type: 'revealDataset', dataset: 'sentiment-data' });
  await closePage(page);
});

test('samples: strongest first, text on request, the line opens in the dataset', async () => {
  const opened = await open(twoTasks, { state: { layer: 6 } });
  const { page } = opened;
  const influence = twoTasks.tasks[0].influence[6];
  const order = influence.map((_, i) => i).sort((a, b) => influence[b] - influence[a]);
  const request = await last(opened, 'samples');
  assert.deepEqual(request?.samples, [...order.slice(0, 5), ...order.slice(-5).reverse()]);
  assert.equal(request?.task, 'sentiment');
  assert.match(await page.locator('.samples').first().innerText(), /Loading text/);
  await answerSamples(opened);
  const helpful = page.getByRole('table', { name: /Most helpful training samples of layer 6/ });
  const texts = await helpful.locator('.sample-text').allInnerTexts();
  assert.equal(texts.length, 5);
  assert.ok(texts[0].startsWith(sampleText('sentiment', order[0]).slice(0, 30)));
  const harmful = page.getByRole('table', { name: /Most harmful training samples of layer 6/ });
  assert.match(await harmful.locator('.influence .number').first().innerText(), /^\u2212/);
  await harmful
    .getByRole('button', { name: /^Open in dataset/ })
    .first()
    .click();
  const worst = order.at(-1)!;
  assert.deepEqual(await last(opened, 'openSample'), {
    type: 'openSample',
    file: '/workspace/data/sentiment.jsonl',
    line: worst + 1,
  });
  await closePage(page);
});

test('texts are asked for once, whatever tab is shown', async () => {
  const opened = await open(twoTasks);
  await answerSamples(opened);
  await opened.page.getByRole('tab', { name: 'Run' }).click();
  await opened.page.getByRole('tab', { name: 'Layers' }).click();
  assert.equal((await opened.sent()).filter((message) => message.type === 'samples').length, 1);
  assert.match(await opened.page.locator('.samples').first().innerText(), /Review: /);
  await closePage(opened.page);
});

test('a sample whose file is gone keeps its figures and says why there is no text', async () => {
  const opened = await open(twoTasks);
  const request = await last(opened, 'samples');
  assert.ok(request);
  const samples = request.samples.map((index) => ({ index, text: null, answer: null, file: '', line: null }));
  await opened.post({ type: 'samples', requestId: request.requestId, answer: { samples } });
  assert.match(await opened.page.locator('.samples').first().innerText(), /Text not available/);
  assert.equal(await opened.page.getByRole('button', { name: /^Open in dataset/ }).count(), 0);
  await closePage(opened.page);
});

test('heat map: pixels follow the signs, a click selects layer and sample', async () => {
  const opened = await open(twoTasks, { state: { order: 'file' } });
  const { page } = opened;
  const canvas = page.locator('.heat canvas');
  const { influence } = twoTasks.tasks[0];
  const read = (layer: number, sample: number) =>
    canvas.evaluate(
      (node: HTMLCanvasElement, [row, column]) => {
        const x = Math.floor(((column + 0.5) * node.width) / 40);
        const y = Math.floor(((row + 0.5) * node.height) / 12);
        return [...node.getContext('2d')!.getImageData(x, y, 1, 1).data].slice(0, 3);
      },
      [layer, sample] as const,
    );
  let seen = 0;
  const limit = Math.max(...influence.flat().map(Math.abs)) / 20;
  for (const layer of [2, 6, 9])
    for (let sample = 0; sample < 40; sample += 3) {
      const value = influence[layer][sample];
      if (Math.abs(value) < limit) continue;
      const [red, , blue] = await read(layer, sample);
      assert.equal(blue > red, value > 0, `layer ${layer}, sample ${sample}`);
      seen++;
    }
  assert.ok(seen > 5, `only ${seen} cells were strong enough to look at`);
  const box = (await canvas.boundingBox())!;
  await page.mouse.click(box.x + (13.5 * box.width) / 40, box.y + (4.5 * box.height) / 12);
  assert.match(await heading(page), /^Layer 4\b/);
  const picked = page.getByRole('table', { name: /Selected sample of layer 4/ });
  assert.match(await picked.innerText(), /sentiment\.jsonl\s*:14/);
  await closePage(page);
});

test('heat map: the keyboard cursor speaks sample, value and what it means', async () => {
  const { page } = await open(twoTasks, { state: { order: 'file', layer: 2 } });
  await page.getByRole('application', { name: /^Influence of 40 training samples of sentiment on 12 layers/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  const words = await page.locator('.chart').nth(1).getByRole('status').innerText();
  const value = twoTasks.tasks[0].influence[3][1];
  assert.match(
    words,
    new RegExp(`^Layer 3, sentiment\\.jsonl:2: influence .*, ${value > 0 ? 'helps' : 'hurts'} validation$`),
  );
  await closePage(page);
});

test('the table says what the chart shows and sorts by a task', async () => {
  const { page } = await open(twoTasks, { state: { table: true } });
  assert.equal(await page.locator('.layerif-bar rect').count(), 0);
  const rows = page.locator('.layer-table tbody tr');
  assert.equal(await rows.count(), 12);
  assert.equal(await rows.first().locator('th').innerText(), '0');
  await page.locator('.layer-table').getByRole('button', { name: 'arc_easy' }).click();
  const order = [...twoTasks.tasks[1].layers]
    .sort((a, b) => b.positive - a.positive)
    .map((layer) => String(layer.index));
  assert.deepEqual(await rows.locator('th').allInnerTexts(), order);
  assert.equal(await page.locator('.layer-table th[aria-sort="descending"]').count(), 1);
  await closePage(page);
});

test('controls: aggregation and scale change the chart and are remembered', async () => {
  const opened = await open(twoTasks);
  const { page } = opened;
  await page.locator('vscode-single-select[label="Aggregation"]').click();
  await page.getByRole('option', { name: 'Top 25 %' }).click();
  assert.match(await page.locator('.caption').first().innerText(), /largest quarter/);
  await page.getByText('Share of largest', { exact: true }).click();
  assert.match(await page.locator('.caption').first().innerText(), /^Raw score/);
  const state = await page.evaluate(() =>
    (window as unknown as { layerifState: () => Record<string, unknown> }).layerifState(),
  );
  assert.equal(state.aggregation, 'top25');
  assert.equal(state.normalised, false);
  await closePage(page);
});

test('the header folds to its line, and stays so', async () => {
  const opened = await open(twoTasks);
  const { page } = opened;
  const height = () => page.locator('main header').evaluate((header) => header.getBoundingClientRect().height);
  const before = await height();
  await page.getByRole('button', { name: 'Less', exact: true }).click();
  await page.locator('main header .facts').waitFor({ state: 'detached' });
  assert.ok((await height()) < 60 && before > 150, `${before} to ${await height()}`);
  const state = await page.evaluate(() =>
    (window as unknown as { layerifState: () => { details: boolean } }).layerifState(),
  );
  assert.equal(state.details, false);
  assert.deepEqual(await accessibilityViolations(page), []);
  await opened.screenshot('header-folded');
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.locator('main header .facts').waitFor();
  await closePage(page);
});

test('tabs: arrows move between them, each shows its content', async () => {
  const { page } = await open(twoTasks);
  await page.getByRole('tab', { name: 'Layers' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByRole('tab', { name: 'Samples' }).getAttribute('aria-selected'), 'true');
  assert.equal(
    await page.locator('.samples').first().locator('tbody tr').count(),
    twoTasks.tasks[0].influence[0].length,
  );
  await page.keyboard.press('End');
  const text = await page.getByRole('tabpanel').innerText();
  for (const part of [
    'How to read a score',
    'mean_square',
    'ONNX Runtime 1.30.0',
    '1.90\u00a0GiB',
    '1\u00a0min 39\u00a0s',
    'a'.repeat(64),
  ])
    assert.ok(text.includes(part), part);
  await closePage(page);
});

test('live: facts of the plan, then layers from the end, nothing moves, cancel is sent', async () => {
  const opened = await openPage('results');
  const { page, post } = opened;
  await post(running(null));
  assert.match(await page.locator('h1').innerText(), /tiny/);
  assert.match(await page.locator('.facts').innerText(), /about 42\u00a0s/);
  await post(running(sampleResult({ layers: 12, tasks: ['sentiment'], train: 40, validation: 5, finished: 2 })));
  const place = async () => ({
    chart: await chart(page).boundingBox(),
    heat: await page.locator('.heat').boundingBox(),
    bar: (await page.locator('.layerif-bar rect[aria-label^="Layer 11,"]').boundingBox())?.x,
    tabs: await page.getByRole('tablist').boundingBox(),
  });
  const early = await place();
  assert.equal(await page.locator('.layerif-bar rect').count(), 2);
  assert.match(await page.locator('.caption').first().innerText(), /so far/);
  assert.equal(
    await page.locator('vscode-progress-bar').evaluate((bar: HTMLElement & { value: number }) => bar.value),
    25,
  );
  await post(running(sampleResult({ layers: 12, tasks: ['sentiment'], train: 40, validation: 5, finished: 9 })));
  assert.equal(await page.locator('.layerif-bar rect').count(), 9);
  assert.deepEqual(await place(), early);
  await page.getByText('Cancel', { exact: true }).click();
  assert.ok(await last(opened, 'cancel'));
  await post({
    type: 'result',
    result: sampleResult({ layers: 12, tasks: ['sentiment'], train: 40, validation: 5 }),
    file: FILE,
  });
  assert.deepEqual(await place(), early);
  assert.match(await page.locator('.status').innerText(), /Complete/);
  await closePage(page);
});

test('a partial result says how to go on', async () => {
  const { page } = await open(
    sampleResult({ layers: 12, tasks: ['sentiment'], train: 40, validation: 5, finished: 3 }),
  );
  assert.match(await page.locator('.status').innerText(), /Partial: score again to resume/);
  assert.equal(await page.locator('.layerif-bar rect').count(), 3);
  await closePage(page);
});

test('a result without any layer, and a file that is no result, are pages and not crashes', async () => {
  const { page, post, errors } = await open(
    sampleResult({ layers: 12, tasks: ['sentiment'], train: 40, validation: 5, finished: 0 }),
  );
  assert.match(await page.locator('main').innerText(), /No layer was scored before the run ended/);
  await post({ type: 'result', result: { ...twoTasks, tasks: [] }, file: FILE });
  assert.match(await page.locator('main').innerText(), /No layer was scored before the run ended/);
  await post({ type: 'failed', message: 'This result file is <b>empty</b>.' });
  assert.match(await page.getByRole('alert').innerText(), /This result file is <b>empty<\/b>\./);
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('names and texts from files are never markup', async () => {
  const evil = structuredClone(twoTasks);
  evil.model.name = '<img src=x onerror=alert(1)>';
  evil.tasks[0].task = '"><script>alert(1)</script>';
  evil.experiment.tasks[0].task = evil.tasks[0].task;
  const opened = await open(evil);
  await answerSamples(opened);
  assert.equal(await opened.page.locator('img, main script').count(), 0);
  assert.match(await opened.page.locator('h1').innerText(), /<img src=x/);
  await closePage(opened.page);
});

for (const theme of ['light', 'dark', 'high-contrast', 'high-contrast-light'] as const satisfies ThemeName[])
  test(`axe finds nothing on any tab: ${theme}`, async () => {
    const opened = await open(twoTasks, { theme, state: { aggregation: 'sum' } });
    await answerSamples(opened);
    for (const tab of ['Layers', 'Samples', 'Run']) {
      await opened.page.getByRole('tab', { name: tab }).click();
      await answerSamples(opened);
      assert.deepEqual(await accessibilityViolations(opened.page), [], tab);
    }
    assert.deepEqual(opened.errors, []);
    await opened.page.getByRole('tab', { name: 'Layers' }).click();
    await opened.screenshot(`results-${theme}`);
    await closePage(opened.page);
  });

test('axe can fail: the same page without the name of its chart', async () => {
  const { page } = await open(twoTasks);
  await chart(page).evaluate((node) => {
    node.removeAttribute('aria-label');
    node.setAttribute('role', 'img');
  });
  assert.notEqual((await accessibilityViolations(page)).length, 0);
  await closePage(page);
});

test('the canvas follows a change of theme', async () => {
  const { page } = await open(twoTasks, { theme: 'dark' });
  const brightness = () =>
    page.locator('.heat canvas').evaluate((node: HTMLCanvasElement) => {
      const { data } = node.getContext('2d')!.getImageData(0, 0, node.width, node.height);
      let sum = 0;
      for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
      return sum / (data.length / 4) / 3;
    });
  assert.ok((await brightness()) < 90);
  await setTheme(page, 'light');
  assert.ok((await brightness()) > 160);
  await closePage(page);
});

test('80 layers, 5 tasks, 2,000 samples: a heat map or lines, nothing wider than the page', async () => {
  const names = [
    'sentiment',
    'arc_easy',
    'a_task_with_a_really_quite_unreasonably_long_name_v2',
    'boolq',
    'winogrande',
  ];
  const big = sampleResult({
    layers: 80,
    tasks: names,
    train: 2000,
    validation: 5,
    modelName: 'organisation/'.repeat(9),
  });
  const opened = await openPage('results', { theme: 'light', width: 900 });
  await opened.post({ type: 'result', result: big, file: FILE });
  const cells = opened.page.getByRole('application', { name: 'Layer scores' }).locator('svg rect');
  await cells.first().waitFor();
  assert.ok((await cells.count()) >= 400, 'a cell for each task and layer');
  await choose(opened.page, 'View', 'lines');
  await opened.page.locator('.layerif-bar > *').first().waitFor();
  assert.equal(await opened.page.locator('.layerif-bar > *').count(), 400);
  assert.equal(
    await opened.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
    true,
  );
  await answerSamples(opened);
  await opened.screenshot('results-80-layers');
  await closePage(opened.page);
});

test('a narrow column needs no horizontal scrolling', async () => {
  const opened = await open(twoTasks, { width: 400 });
  await answerSamples(opened);
  assert.equal(
    await opened.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
    true,
  );
  assert.deepEqual(await accessibilityViolations(opened.page), []);
  await opened.screenshot('results-narrow');
  await closePage(opened.page);
});

test('eight tasks are a heat map of tasks and layers, whose cells select; bars stay a choice, each with a style of its own', async () => {
  const tasks = Array.from({ length: 8 }, (_, t) => `task_${t}`);
  const many = sampleResult({ layers: 12, tasks, train: 12, validation: 3 });
  const opened = await openPage('results', { width: 620 });
  const { page, post, errors } = opened;
  await post({ type: 'result', result: many, file: FILE });
  const map = page.getByRole('application', { name: 'Layer scores' });
  assert.equal(await map.getAttribute('aria-roledescription'), 'heat map');
  const labels = await map.locator('svg text').allTextContents();
  assert.deepEqual(labels.slice(0, 8), tasks);
  await map.focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
  assert.match(await page.locator('#heat-heading').innerText(), /: task_2$/);
  assert.match(await page.locator('.legend-task[aria-pressed=true]').innerText(), /task_2/);
  await opened.screenshot('eight-tasks');
  assert.deepEqual(await accessibilityViolations(page), []);
  await choose(page, 'View', 'bars');
  await page.locator('.layerif-bar rect').first().waitFor({ state: 'attached' }); // charts are drawn in a turn of their own
  const fills = await page
    .locator('.layerif-bar rect')
    .evaluateAll((bars) => bars.map((bar) => bar.getAttribute('fill')!.replace('negative', 'positive')));
  assert.equal(new Set(fills).size, 8, 'no two tasks look alike');
  assert.deepEqual(errors, []);
  await closePage(page);
});

test('layers by score: the selected task\u2019s highest first, under the same numbers; by depth again', async () => {
  const opened = await openPage('results', {});
  const { page, post } = opened;
  await post({ type: 'result', result: twoTasks, file: FILE });
  const axis = () => page.locator('.layerif-plot').first().locator('g[text-anchor=middle] text').allTextContents();
  const depth = await axis();
  await choose(page, 'Layers by', 'score');
  const order = [...twoTasks.tasks[0].layers].sort((a, b) => b.score - a.score).map(({ index }) => String(index));
  assert.deepEqual(
    await axis(),
    order.filter((_, place) => depth.includes(String(place))),
  );
  const boxes = await page.locator('.layerif-bar rect[aria-label*=", sentiment"]').evaluateAll((bars) =>
    bars
      .map((bar) => ({
        x: bar.getBoundingClientRect().x,
        layer: /Layer (\d+)/.exec(bar.getAttribute('aria-label')!)![1],
      }))
      .sort((a, b) => a.x - b.x)
      .map(({ layer }) => layer),
  );
  assert.deepEqual(boxes, order);
  await choose(page, 'Layers by', 'depth');
  assert.deepEqual(await axis(), depth);
  await closePage(page);
});
